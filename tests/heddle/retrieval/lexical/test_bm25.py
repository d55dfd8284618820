"""BM25 against the formula, term by term."""

import math
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heddle.retrieval.lexical.bm25 import BM25Index, tokenise
from tests.support.small_project import contents

WORDS = ["chair", "chairs", "wooden", "the", "of", "glass", "jar", "Jars", "lamp", "x", "été", "re-used", "42"]
texts = st.lists(st.lists(st.sampled_from(WORDS), max_size=9).map(" ".join), min_size=1, max_size=8)


def formula(corpus: list[str], query: str, k1: float, b: float) -> list[float]:
    """Kamphuis et al. 2020, table 1, "Lucene (accurate)" with k1 + 1 in the numerator, with plain loops."""
    documents = tokenise(corpus)
    mean = sum(map(len, documents)) / len(documents)
    scores = []
    for document in documents:
        counts, score = Counter(document), 0.0
        for stem in tokenise([query])[0]:
            if counts[stem]:
                frequency = sum(stem in other for other in documents)
                idf = math.log(1 + (len(documents) - frequency + 0.5) / (frequency + 0.5))
                saturated = counts[stem] * (k1 + 1) / (counts[stem] + k1 * (1 - b + b * len(document) / mean))
                score += idf * saturated
        scores.append(score)
    return scores


@settings(deadline=None)
@given(
    texts, st.lists(st.sampled_from([*WORDS, "unheard"]), max_size=4).map(" ".join), st.floats(0, 3), st.floats(0, 1)
)
def test_scores_equal_formula(corpus: list[str], query: str, k1: float, b: float) -> None:
    found = BM25Index.build(corpus, k1, b).scores(query)
    np.testing.assert_allclose(found, formula(corpus, query, k1, b), rtol=1e-5, atol=1e-6)


@settings(deadline=None)
@given(texts, st.dictionaries(st.sampled_from(WORDS), st.floats(0, 5), max_size=4))
def test_weighted_scores_are_sums_over_stems(corpus: list[str], weights: dict[str, float]) -> None:
    index = BM25Index.build(corpus, 1.5, 0.75)
    alone = [weight * index.weighted_scores({stem: 1}) for stem, weight in weights.items()]
    np.testing.assert_allclose(index.weighted_scores(weights), sum(alone, np.zeros(len(corpus))), rtol=1e-5, atol=1e-6)


@settings(deadline=None)
@given(texts, st.sampled_from([*WORDS, "unheard", ""]))
def test_rarity_is_log_of_inverse_document_frequency(corpus: list[str], stem: str) -> None:
    using = sum(stem in document for document in tokenise(corpus))
    expected = math.log(len(corpus) / using) if using else 0
    assert BM25Index.build(corpus, 1.5, 0.75).rarity(stem) == pytest.approx(expected)


def test_scores_other_script_matches_its_words() -> None:
    index = BM25Index.build(["стул из дуба", "oak chair", "木の椅子"], 1.5, 0.75)
    assert np.flatnonzero(index.scores("дуба")).tolist() == [0]
    assert np.flatnonzero(index.scores("木の椅子")).tolist() == [2]
    assert not index.scores("椅子").any()  # unspaced scripts are matched a run at a time


def test_tokenise_lowers_stems_and_drops_stop_words() -> None:
    assert tokenise(["The Chairs of A glass"]) == [["chair", "glass"]]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("corpus", [[""], ["the of"], ["", "chair", ""]])
def test_scores_texts_without_words_are_zero(corpus: list[str]) -> None:
    index = BM25Index.build(corpus, 1.5, 0.75)
    assert index.vocab_size == sum(text == "chair" for text in corpus)
    assert [bool(score) for score in index.scores("chair")] == [text == "chair" for text in corpus]
    assert not index.scores("").any()


def test_save_then_load_scores_the_same_without_pickle(tmp_path: Path) -> None:
    built = BM25Index.build(["a wooden chair", "glass jars", "chairs of glass"], 1.2, 0.6)
    built.save(tmp_path)
    loaded = BM25Index.load(tmp_path)
    for query in ("chair", "glass jar", "nothing"):
        np.testing.assert_array_equal(loaded.scores(query), built.scores(query))
    assert loaded.vocab_size == built.vocab_size
    assert {path.suffix for path in tmp_path.iterdir()} == {".npy", ".json"}
    for array in tmp_path.glob("*.npy"):
        np.load(array, allow_pickle=False)


def test_save_other_hash_seed_gives_equal_bytes(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from heddle.retrieval.lexical.bm25 import BM25Index; "
        f"BM25Index.build({WORDS!r}, 1.5, 0.75).save(Path(sys.argv[1]))"
    )
    for seed in ("1", "2"):
        environment = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parents[4])}
        subprocess.run([sys.executable, "-c", program, tmp_path / seed], check=True, env=environment)
    assert contents(tmp_path / "1") == contents(tmp_path / "2")
