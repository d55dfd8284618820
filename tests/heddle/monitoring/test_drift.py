"""The index against its formula and against chance; the classifier on what it can and cannot tell apart."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from heddle.core.schemas import LISTINGS
from heddle.monitoring.drift import Drift, domain_classifier_auroc, measure_drift, select_by_hash, stability_index
from tests.support.sound_catalogue import sound

COUNTS = st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), min_size=2, max_size=12)


def _rows(count: int, seed: int, **shares: float) -> list[dict]:
    """Listings with drawn titles, prices and items; `chair` has the given share of the items."""
    generator = np.random.default_rng(seed)
    blank = dict.fromkeys(LISTINGS.names)
    rows = []
    for number in range(count):
        words = " ".join(["word"] * int(generator.integers(2, 9)))
        item = "chair" if generator.random() < shares.get("chair", 0.3) else str(generator.integers(30))
        fields = {"title": words, "price": float(generator.lognormal(3 + shares.get("dearer", 0))), "item": item}
        rows.append(blank | fields | {"id": f"s:{seed}:{number}", "source": "s"})
    return rows


@given(COUNTS)
def test_the_index_is_the_formula_and_symmetric(counts) -> None:
    earlier, now = (np.array(side, float) for side in zip(*counts, strict=True))
    shares = [[(count + 0.5) / sum(each + 0.5 for each in side) for count in side] for side in (earlier, now)]
    expected = sum((q - p) * math.log(q / p) for p, q in zip(*shares, strict=True))
    assert stability_index(earlier, now) == pytest.approx(expected)
    assert stability_index(now, earlier) == pytest.approx(expected)
    assert stability_index(now, now) == 0


def test_the_same_listings_have_not_moved() -> None:
    rows = sound()["listings"]
    assert {each.index for each in measure_drift(rows, rows)} == {0}


def test_equal_populations_exceed_chance_once_in_a_thousand() -> None:
    """The bound by chance is honest: hardly ever exceeded, and not far above what is seen."""
    found = [measure_drift(_rows(300, 2 * seed), _rows(200, 2 * seed + 1)) for seed in range(100)]
    moved = [each for one in found for each in one if each.measured in ("number", "words")]
    assert sum(each.exceeds(0) for each in moved) <= 3
    assert max(each.index / each.chance for each in moved) > 0.5


@pytest.mark.parametrize(("change", "field"), [({"dearer": 1.0}, "price"), ({"chair": 0.8}, "item")])
def test_what_moved_comes_first(change: dict[str, float], field: str) -> None:
    first, *others = measure_drift(_rows(400, 1), _rows(400, 2, **change))
    assert first.field == field
    assert first.exceeds(0.25)
    assert not any(each.exceeds(0.25) for each in others)


def test_a_field_that_is_gone_has_moved() -> None:
    gone = [row | {"price": None} for row in _rows(100, 3)]
    first = measure_drift(_rows(100, 4), gone)[0]
    assert (first.field, first.missing) == ("price", (0.0, 1.0))
    assert first.exceeds(0.25)


def test_chance_alone_is_no_drift() -> None:
    assert not Drift("price", "number", index=0.4, chance=0.5, missing=(0, 0)).exceeds(0.25)


@pytest.mark.parametrize("sides", [([], _rows(1, 1)), (_rows(1, 1), [])])
def test_nothing_cannot_be_compared(sides) -> None:
    with pytest.raises(ValueError, match="at least one of each is needed"):
        measure_drift(*sides)


def _unit(generator: np.random.Generator, count: int, towards: float) -> np.ndarray:
    vectors = generator.normal(size=(count, 16)).astype(np.float32)
    vectors[:, 0] += towards
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_the_same_vectors_cannot_be_told_apart() -> None:
    vectors = _unit(np.random.default_rng(1), 60, 0)
    names = [str(number) for number in range(60)]
    assert domain_classifier_auroc(vectors, names, vectors, names) == 0.5


@pytest.mark.parametrize(("towards", "least", "most"), [(0.0, 0.4, 0.6), (1.0, 0.65, 0.9), (8.0, 0.99, 1.0)])
def test_drift_auroc_grows_with_vector_shift(towards: float, least: float, most: float) -> None:
    generator = np.random.default_rng(2)
    earlier, now = _unit(generator, 200, 0), _unit(generator, 150, towards)
    names = [f"{side}{number}" for side, count in (("a", 200), ("b", 150)) for number in range(count)]
    found = domain_classifier_auroc(earlier, names[:200], now, names[200:])
    assert least <= found <= most
    if towards == 8:  # so plain that the direction itself is an oracle
        along = np.concatenate([earlier[:, 0], now[:, 0]])
        assert found == pytest.approx(roc_auc_score([0] * 200 + [1] * 150, along), abs=0.01)


@given(st.integers(1, 40), st.integers(0, 60))
def test_a_sample_keeps_those_that_stay(count: int, gone: int) -> None:
    rows = [{"id": f"s:{number}"} for number in range(60)]
    drawn = select_by_hash(rows, count)
    stayed = select_by_hash(rows[gone:], count)
    assert len(drawn) == count
    assert [row for row in drawn if row in rows[gone:]] == stayed[: sum(row in rows[gone:] for row in drawn)]
