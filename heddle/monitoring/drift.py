"""How far a catalogue's listings have moved from earlier ones, field by field and in what their words mean.

Source of the population stability index: Siddiqi 2006, Credit Risk Scorecards; of what it comes to by chance: Yurdakul
2018, Statistical Properties of Population Stability Index.
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
from heddle.metrics.auc import Auc

CLASSES = 20  # commonest values that are told apart; the others are one
QUANTILES = 10  # parts that the earlier numbers are cut into
PRIOR = 0.5  # added to each bin's count, so that an empty one has a logarithm
CERTAINTY = 0.999  # of not calling chance a drift
FOLDS = 5
PENALTY = 1.0  # of the classifier, in listings' worth of unit vectors

Row = Mapping[str, Any]
Counts = NDArray[np.float64]


@dataclass(frozen=True)
class Drift:
    """How one field moved.

    Attributes:
        measured: what of the field is compared: "value", "words", "number", "count".
        index: population stability index, 0 where the shares are equal.
        chance: index that equal populations stay below in 999 of 1,000 draws of these sizes.
        missing: share of listings without the field, earlier and now.
    """

    field: str
    measured: str
    index: float
    chance: float
    missing: tuple[float, float]

    def exceeds(self, bound: float) -> bool:
        """Whether the field moved by more than ``bound`` and more than by chance."""
        return self.index > max(bound, self.chance)


def measure_drift(earlier: Sequence[Row], now: Sequence[Row]) -> list[Drift]:
    """Every field of `listings` that either side has, the one that moved most first.

    Raises:
        ValueError: a side has no listings.
    """
    if not earlier or not now:
        raise ValueError(f"{len(earlier)} earlier and {len(now)} present listings: some of each are needed")
    found = []
    for field, (measured, read) in _FIELDS.items():
        before, after = ([read(row) for row in rows] for rows in (earlier, now))
        if any(value is not None for value in (*before, *after)):
            found.append(_drift(field, measured, before, after))
    return sorted(found, key=lambda each: (-each.index, each.field))


def _drift(field: str, measured: str, before: list[Any], after: list[Any]) -> Drift:
    bins = _classes(before) if measured == "value" else _quantiles(before)
    one, other = (np.bincount([bins(value) for value in values], minlength=CLASSES + 2) for values in (before, after))
    used = (one + other) > 0
    index = stability_index(one[used].astype(float), other[used].astype(float))
    scale = 1 / len(before) + 1 / len(after)
    chance = float(chi2.ppf(CERTAINTY, max(1, used.sum() - 1)) * scale)
    missing = tuple(sum(value is None for value in values) / len(values) for values in (before, after))
    return Drift(field, measured, index, chance, (missing[0], missing[1]))


def stability_index(earlier: Counts, now: Counts) -> float:
    """The sum over bins of (p - q) ln(p / q) for the shares p and q that counts (B,) of each side give."""
    p, q = ((counts + PRIOR) / (counts + PRIOR).sum() for counts in (now, earlier))
    return float(((p - q) * np.log(p / q)).sum())


def _classes(earlier: Sequence[Any]) -> Callable[[Any], int]:
    """Bins: the missing, the commonest earlier values, all others."""
    common = Counter(value for value in earlier if value is not None)
    ranked = sorted(common, key=lambda value: (-common[value], str(value)))[:CLASSES]
    places = {value: place for place, value in enumerate(ranked, 1)}
    return lambda value: 0 if value is None else places.get(value, CLASSES + 1)


def _quantiles(earlier: Sequence[float | None]) -> Callable[[float | None], int]:
    """Bins: the missing, and the parts between the earlier numbers' quantiles."""
    numbers = [value for value in earlier if value is not None]
    inner = np.arange(1, QUANTILES) / QUANTILES
    edges = np.unique(np.quantile(numbers, inner)) if numbers else np.zeros(0)
    return lambda value: 0 if value is None else 1 + int(np.searchsorted(edges, value, side="left"))


def domain_classifier_auroc(
    earlier: NDArray[np.float32], earlier_ids: Sequence[str], now: NDArray[np.float32], now_ids: Sequence[str]
) -> float:
    """How well a linear classifier tells new vectors (N, D) from earlier ones (M, D): ROC AUC, 0.5 where not at all.

    Ridge regression, judged on fifths that it did not see; a listing is in the same fifth on both sides.
    """
    vectors = np.concatenate([earlier, now]).astype(np.float64)
    vectors -= vectors.mean(axis=0)
    is_new = np.repeat([-1.0, 1.0], [len(earlier), len(now)])
    folds = np.array([_hash(name) % FOLDS for name in (*earlier_ids, *now_ids)])
    scores = np.zeros(len(vectors))
    for fold in range(FOLDS):
        seen = folds != fold
        weight = 1 / np.where(is_new > 0, (seen & (is_new > 0)).sum(), (seen & (is_new < 0)).sum())[seen]
        gram = (vectors[seen].T * weight) @ vectors[seen] + PENALTY / len(vectors) * np.eye(vectors.shape[1])
        scores[~seen] = vectors[~seen] @ np.linalg.solve(gram, vectors[seen].T @ (weight * is_new[seen]))
    told = np.round(scores, 9).tolist()  # what differs by rounding alone is a tie
    return compute(Auc, predictions=told, references=(is_new > 0).astype(int).tolist())["auc"]


def select_by_hash(rows: Sequence[Row], count: int) -> list[Row]:
    """At most ``count`` rows, by hash of their ids, so that a row that stays is drawn again."""
    return sorted(rows, key=lambda row: _hash(row["id"]))[:count]


def listing_words(row: Row) -> str:
    """What a listing says, for an encoder of sentences."""
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
