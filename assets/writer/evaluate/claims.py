"""The claims of texts about the main object of listings, compared with the listings' labels."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from heddle.content.lexicon import KINDS, ImageFacts, Lexicon, listing_facts

Row = dict[str, Any]
Floats = NDArray[np.float64]

RELATIONS = "relations"
CLAIM_KINDS = (*KINDS, RELATIONS)
"""Kinds of claims. A text makes a claim of item, material and colour at most once, and any number about relations."""


@dataclass(frozen=True)
class ClaimLabel:
    """One claim of a text, or one missing claim.

    Attributes:
        kind: one of ``CLAIM_KINDS``.
        claimed: the claim in words; None where the text makes none.
        actual: the fact in words; None where the listing has no such relation.
        correct: whether the two are equal.
    """

    kind: str
    claimed: str | None
    actual: str | None
    correct: bool


@dataclass(frozen=True)
class Claims:
    """Claims of N texts, each about its own listing.

    Attributes:
        claimed: the facts that each text claims.
        actual: the facts in each listing's labels.
        has_scene: whether the listing has objects. Without objects, a claimed relation cannot be checked.
    """

    claimed: tuple[ImageFacts, ...]
    actual: tuple[ImageFacts, ...]
    has_scene: tuple[bool, ...]

    @classmethod
    def read(cls, texts: Sequence[str], rows: Sequence[Row], lexicon: Lexicon) -> "Claims":
        """Read the claims of ``texts`` about ``rows``, their listings."""
        return cls(
            tuple(map(lexicon.read_facts, texts)),
            tuple(map(listing_facts, rows)),
            tuple(bool(row["objects"]) for row in rows),
        )

    def recall(self, kind: str) -> Floats:
        """Share of the facts of a kind that each text claims, (N,); NaN where the listing has no such fact."""
        return np.array([_share(actual & claimed, actual) for claimed, actual in self._sets(kind)])

    def precision(self, kind: str) -> Floats:
        """Share of the claims of a kind that are correct, (N,); NaN where a text makes no claim that can be checked."""
        return np.array([_share(actual & claimed, claimed) for claimed, actual in self._checkable_sets(kind)])

    @property
    def attributes_recall(self) -> Floats:
        """Share of the known facts among item, material and colour that each text claims, (N,); NaN without any."""
        recalls = np.stack([self.recall(kind) for kind in KINDS])  # (kinds, N)
        counts = (~np.isnan(recalls)).sum(axis=0)
        return np.where(counts, np.nansum(recalls, axis=0) / np.maximum(counts, 1), np.nan)

    @property
    def all_correct(self) -> Floats:
        """1 for texts without a wrong claim, 0 for others, (N,); NaN where no claim can be checked."""
        precisions = np.stack([self.precision(kind) for kind in CLAIM_KINDS])  # (kinds, N)
        checkable = (~np.isnan(precisions)).any(axis=0)
        return np.where(checkable, (np.nan_to_num(precisions, nan=1) == 1).all(axis=0), np.nan)

    def labels(self, index: int) -> Iterator[ClaimLabel]:
        """The claims and missing claims of one text; relations are sorted."""
        claimed, actual = self.claimed[index], self.actual[index]
        for kind in KINDS:
            claim, fact = getattr(claimed, kind), getattr(actual, kind)
            if fact is not None:
                yield ClaimLabel(kind, claim, fact, claim == fact)
        if not self.has_scene[index]:
            return
        for relation in sorted(claimed.relations | actual.relations):
            words = " ".join((*relation, "it"))
            is_claimed, is_fact = relation in claimed.relations, relation in actual.relations
            yield ClaimLabel(
                RELATIONS, words if is_claimed else None, words if is_fact else None, is_claimed and is_fact
            )

    def _sets(self, kind: str) -> Iterator[tuple[frozenset[Any], frozenset[Any]]]:
        """The claims and the facts of a kind, text by text."""
        for claimed, actual in zip(self.claimed, self.actual, strict=True):
            yield _as_set(getattr(claimed, kind)), _as_set(getattr(actual, kind))

    def _checkable_sets(self, kind: str) -> Iterator[tuple[frozenset[Any], frozenset[Any]]]:
        """The same, without the claims about which the listing has no labels."""
        for (claimed, actual), has_scene in zip(self._sets(kind), self.has_scene, strict=True):
            checkable = has_scene if kind == RELATIONS else bool(actual)
            yield claimed if checkable else frozenset(), actual


def _as_set(value: Any) -> frozenset[Any]:
    if isinstance(value, frozenset):
        return value
    return frozenset() if value is None else frozenset([value])


def _share(part: frozenset[Any], whole: frozenset[Any]) -> float:
    return len(part) / len(whole) if whole else np.nan
