"""What texts state of a listing's first object, beside what is so."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from heddle.content.lexicon import ImageFacts, Lexicon, listing_facts

Row = dict[str, Any]
Floats = NDArray[np.float64]

KINDS = ("item", "material", "colour")
"""Kinds of statements that a text makes once or not at all."""
RELATIONS = "relations"


@dataclass(frozen=True)
class ClaimLabel:
    """One statement of a text, or one that it should have made.

    Attributes:
        kind: one of ``KINDS``, or ``RELATIONS``.
        said: in words; None where the text says nothing of it.
        actual: what is so, in words; None where the listing says the opposite of nothing: no such relation.
        right: whether the two are the same.
    """

    kind: str
    said: str | None
    actual: str | None
    right: bool


@dataclass(frozen=True)
class Claims:
    """Of N texts, each about its own listing.

    Attributes:
        said: what each text states.
        true: what is so, as far as the listing tells.
        scenes: whether the listing tells what its image shows, so that a relation that it does not tell is wrong.
    """

    said: tuple[ImageFacts, ...]
    true: tuple[ImageFacts, ...]
    scenes: tuple[bool, ...]

    @classmethod
    def of(cls, texts: Sequence[str], rows: Sequence[Row], lexicon: Lexicon) -> "Claims":
        """What ``texts`` state, beside what ``rows``, their listings, tell."""
        return cls(
            tuple(map(lexicon.read_facts, texts)),
            tuple(map(listing_facts, rows)),
            tuple(bool(row["objects"]) for row in rows),
        )

    def right(self, kind: str) -> Floats:
        """Of what is so the share that each text states, (N,); nan where the listing does not tell."""
        return np.array([_share(true & said, true) for said, true in self._sets(kind)])

    def precise(self, kind: str) -> Floats:
        """Of what each text states the share that is so, (N,); nan where it states nothing or nobody can tell."""
        return np.array([_share(true & said, said) for said, true in self._judged(kind)])

    @property
    def attributes(self) -> Floats:
        """Of item, material and colour, as far as the listing tells them, the share that each text gets right, (N,)."""
        known = np.stack([self.right(kind) for kind in KINDS])  # (kinds, N)
        counts = (~np.isnan(known)).sum(axis=0)
        return np.where(counts, np.nansum(known, axis=0) / np.maximum(counts, 1), np.nan)

    @property
    def sound(self) -> Floats:
        """1 where nothing that the text states is wrong, 0 where something is, (N,); nan where none can be judged."""
        judged = np.stack([self.precise(kind) for kind in (*KINDS, RELATIONS)])  # (kinds, N)
        some = (~np.isnan(judged)).any(axis=0)
        return np.where(some, (np.nan_to_num(judged, nan=1) == 1).all(axis=0), np.nan)

    def marks(self, place: int) -> Iterator[ClaimLabel]:
        """What one text states and what it leaves out, the relations by name."""
        said, true = self.said[place], self.true[place]
        for kind in KINDS:
            one, other = getattr(said, kind), getattr(true, kind)
            if other is not None:
                yield ClaimLabel(kind, one, other, one == other)
        for relation in sorted(said.relations | true.relations) if self.scenes[place] else ():
            words = " ".join((*relation, "it"))
            stated, so = relation in said.relations, relation in true.relations
            yield ClaimLabel(RELATIONS, words if stated else None, words if so else None, stated and so)

    def _sets(self, kind: str) -> Iterator[tuple[frozenset[Any], frozenset[Any]]]:
        """What each text states of a kind and what is so."""
        for said, true in zip(self.said, self.true, strict=True):
            yield _set(getattr(said, kind)), _set(getattr(true, kind))

    def _judged(self, kind: str) -> Iterator[tuple[frozenset[Any], frozenset[Any]]]:
        """The same, but as if the text stated nothing where the listing does not tell."""
        for (said, true), scene in zip(self._sets(kind), self.scenes, strict=True):
            told = scene if kind == RELATIONS else bool(true)
            yield said if told else frozenset(), true


def _set(value: Any) -> frozenset[Any]:
    return value if isinstance(value, frozenset) else frozenset() if value is None else frozenset([value])


def _share(part: frozenset[Any], whole: frozenset[Any]) -> float:
    return len(part) / len(whole) if whole else np.nan
