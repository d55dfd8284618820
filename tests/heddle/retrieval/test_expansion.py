"""Query expansion by hand: the query keeps its weight, the added part has weight alpha."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from heddle.retrieval.expansion import document_weights, expanded_stems, expanded_vector

RARITY = {"chair": 0.5, "oak": 1.0, "wax": 2.0, "sand": 2.0, "everywhere": 0.0}


def expanded(query: dict[str, float], documents: list[str], weights: list[float], stems: int, alpha: float):
    return expanded_stems(query, [text.split() for text in documents], weights, RARITY.__getitem__, stems, alpha)


def test_expanded_stems_by_hand() -> None:
    found = expanded({"chair": 2, "oak": 1}, ["wax wax oak", "sand chair everywhere"], [0.75, 0.25], 3, 0.3)
    added = {"wax": 0.75 * 2 * 2.0, "oak": 0.75 * 1.0, "sand": 0.25 * 2.0}  # chair, 0.125, is the fourth
    scale = 0.3 * math.sqrt(2**2 + 1**2) / math.sqrt(sum(weight**2 for weight in added.values()))
    assert found == pytest.approx(
        {"chair": 2, "oak": 1 + scale * added["oak"], "wax": scale * added["wax"], "sand": scale * added["sand"]}
    )


def test_expanded_stems_equal_weights_are_taken_by_name() -> None:
    assert set(expanded({"oak": 1}, ["wax sand"], [1.0], 1, 0.3)) == {"oak", "sand"}


@given(
    st.dictionaries(st.sampled_from([*RARITY, "unheard"]), st.integers(1, 3), max_size=4),
    st.lists(st.lists(st.sampled_from(list(RARITY)), max_size=6).map(" ".join), max_size=4),
    st.integers(1, 5),
    st.floats(0, 1),
)
def test_expanded_stems_keep_query_and_add_alpha_of_its_length(query, documents, stems, alpha) -> None:
    found = expanded(query, documents, document_weights([1.0] * len(documents)), stems, alpha)
    assert all(found[stem] >= weight for stem, weight in query.items())
    added = math.hypot(*(weight - query.get(stem, 0) for stem, weight in found.items()))
    has_rare_stem = any(RARITY[stem] for text in documents for stem in text.split())
    assert added == pytest.approx(alpha * math.hypot(*query.values()) if has_rare_stem else 0, abs=1e-9)
    assert len(found.keys() - query.keys()) <= stems


def test_expanded_stems_without_documents_is_the_query() -> None:
    assert expanded({"chair": 1}, [], [], 5, 0.3) == {"chair": 1}


def test_expanded_vector_by_hand() -> None:
    moved = expanded_vector(np.float32([1, 0]), np.float32([[0, 1], [0, 1]]), [0.5, 0.5], 0.3)
    assert moved.tolist() == pytest.approx([1 / math.hypot(1, 0.3), 0.3 / math.hypot(1, 0.3)])
    assert moved.dtype == np.float32


@given(arrays.arrays(np.float32, (3, 4), elements=st.integers(-4, 4)), st.floats(0, 1))
def test_expanded_vector_has_unit_length(vectors: np.ndarray, alpha: float) -> None:
    query = np.float32([0.6, 0.8, 0, 0])
    moved = expanded_vector(query, vectors, [0.5, 0.3, 0.2], alpha)
    assert np.linalg.norm(moved) == pytest.approx(1 if np.linalg.norm(moved) else 0, abs=1e-5)
    if alpha == 0:
        np.testing.assert_allclose(moved, query, atol=1e-6)


@pytest.mark.parametrize(
    ("scores", "weights"),
    [([3.0, 1.0], [0.75, 0.25]), ([2.0, -1.0], [1.0, 0.0]), ([0.0, -1.0], [0.5, 0.5]), ([], [])],
)
def test_document_weights_are_shares_of_positive_scores(scores: list[float], weights: list[float]) -> None:
    assert document_weights(scores) == weights
