"""Data drift between earlier and current listings: per field, and in text embeddings.

Sources: Siddiqi 2006, Credit Risk Scorecards, for the population stability index; Yurdakul 2018, Statistical Properties
of Population Stability Index, for its distribution without drift.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from heddle.metrics import compute
from heddle.metrics.auroc import Auroc

NUM_CLASSES = 20  # most frequent values with a bin each; all other values share a bin
QUANTILES = 10  # bins of numbers, with equal shares of the earlier listings
PRIOR = 0.5  # added to each bin's count, so that the logarithm of an empty bin is finite
CONFIDENCE = 0.999  # 1 - probability of a false alarm
FOLDS = 5
L2_PENALTY = 1.0  # of the ridge classifier, as a number of unit vectors

Row = Mapping[str, Any]
Counts = NDArray[np.float64]


@dataclass(frozen=True)
class Drift:
    """Drift of one field.

    Attributes:
        field: name of the column.
        measured: property of the field that is compared: "value", "words", "number", "count".
        index: population stability index, 0 for equal shares.
        chance: 99.9th percentile of the index for samples of these sizes from one population.
        missing: share of listings without the field, earlier and now.
    """

    field: str
    measured: str
    index: float
    chance: float
    missing: tuple[float, float]

    def exceeds(self, bound: float) -> bool:
        """Whether the index exceeds both ``bound`` and ``chance``."""
        return self.index > max(bound, self.chance)


def measure_drift(earlier: Sequence[Row], now: Sequence[Row]) -> list[Drift]:
    """Measure the drift of every field of `listings` with values on either side, largest index first.

    Raises:
        ValueError: one of the sides has no listings.
    """
    if not earlier or not now:
        raise ValueError(f"{len(earlier)} earlier and {len(now)} current listings: at least one of each is needed")
    found = []
    for field, (measured, read) in _FIELDS.items():
        before, after = ([read(row) for row in rows] for rows in (earlier, now))
        if any(value is not None for value in (*before, *after)):
            found.append(_measure_field(field, measured, before, after))
    return sorted(found, key=lambda each: (-each.index, each.field))


def _measure_field(field: str, measured: str, before: list[Any], after: list[Any]) -> Drift:
    bins = _class_bins(before) if measured == "value" else _quantile_bins(before)
    one, other = (
        np.bincount([bins(value) for value in values], minlength=NUM_CLASSES + 2) for values in (before, after)
    )
    used = (one + other) > 0
    index = stability_index(one[used].astype(float), other[used].astype(float))
    scale = 1 / len(before) + 1 / len(after)
    chance = float(chi2.ppf(CONFIDENCE, max(1, used.sum() - 1)) * scale)
    missing = tuple(sum(value is None for value in values) / len(values) for values in (before, after))
    return Drift(field, measured, index, chance, (missing[0], missing[1]))


def stability_index(earlier: Counts, now: Counts) -> float:
    """Population stability index ``sum((p - q) ln(p / q))`` of the shares p, q of counts (B,) per bin."""
    p, q = ((counts + PRIOR) / (counts + PRIOR).sum() for counts in (now, earlier))
    return float(((p - q) * np.log(p / q)).sum())


def _class_bins(earlier: Sequence[Any]) -> Callable[[Any], int]:
    """Bins: missing, the most frequent earlier values, all other values."""
    common = Counter(value for value in earlier if value is not None)
    ranked = sorted(common, key=lambda value: (-common[value], str(value)))[:NUM_CLASSES]
    bin_of = {value: index for index, value in enumerate(ranked, 1)}
    return lambda value: 0 if value is None else bin_of.get(value, NUM_CLASSES + 1)


def _quantile_bins(earlier: Sequence[float | None]) -> Callable[[float | None], int]:
    """Bins: missing, and the intervals between the quantiles of the earlier numbers."""
    numbers = [value for value in earlier if value is not None]
    inner = np.arange(1, QUANTILES) / QUANTILES
    edges = np.unique(np.quantile(numbers, inner)) if numbers else np.zeros(0)
    return lambda value: 0 if value is None else 1 + int(np.searchsorted(edges, value, side="left"))


def domain_classifier_auroc(
    earlier: NDArray[np.float32], earlier_ids: Sequence[str], now: NDArray[np.float32], now_ids: Sequence[str]
) -> float:
    """AUROC of a linear classifier of earlier (M, D) against current vectors (N, D); 0.5 without drift.

    Ridge regression with 5-fold cross-validation; a listing is in the same fold on both sides.
    """
    vectors = np.concatenate([earlier, now]).astype(np.float64)
    vectors -= vectors.mean(axis=0)
    is_new = np.repeat([-1.0, 1.0], [len(earlier), len(now)])
    folds = np.array([_hash(name) % FOLDS for name in (*earlier_ids, *now_ids)])
    scores = np.zeros(len(vectors))
    for fold in range(FOLDS):
        train = folds != fold
        weight = 1 / np.where(is_new > 0, (train & (is_new > 0)).sum(), (train & (is_new < 0)).sum())[train]
        gram = (vectors[train].T * weight) @ vectors[train] + L2_PENALTY / len(vectors) * np.eye(vectors.shape[1])
        scores[~train] = vectors[~train] @ np.linalg.solve(gram, vectors[train].T @ (weight * is_new[train]))
    rounded = np.round(scores, 9).tolist()  # scores that differ by rounding errors are ties
    return compute(Auroc, predictions=rounded, references=(is_new > 0).astype(int).tolist())["auroc"]


def select_by_hash(rows: Sequence[Row], count: int) -> list[Row]:
    """Sample at most ``count`` rows by the hash of their ids, so that repeated samples overlap."""
    return sorted(rows, key=lambda row: _hash(row["id"]))[:count]


def listing_words(row: Row) -> str:
    """Title and description of a listing, for a sentence encoder."""
    return ". ".join(row[name] for name in ("title", "description") if row[name])


def _hash(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")


def _value(name: str) -> Callable[[Row], Any]:
    return lambda row: row[name] or None


def _words(name: str) -> Callable[[Row], int | None]:
    return lambda row: len(row[name].split()) if row[name] else None


def _count(name: str) -> Callable[[Row], int | None]:
    return lambda row: None if row[name] is None else len(row[name])


_FIELDS: Mapping[str, tuple[str, Callable[[Row], Any]]] = (
    {name: ("value", _value(name)) for name in ("source", "product_class", "item", "material", "bin", "licence")}
    | {"locale": ("value", lambda row: (row["context"] or {}).get("locale") or None)}
    | {
        name: ("words", _words(name))
        for name in ("title", "description", "body", "alt_text", "caption", "seo_title", "seo_description")
    }
    | {"price": ("number", lambda row: row["price"])}
    | {name: ("count", _count(name)) for name in ("tags", "categories", "objects", "relations")}
)
