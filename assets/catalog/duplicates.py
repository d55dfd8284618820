"""Which listings show an image that another listing already shows."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assets.catalog.images import ImageInfo

_BYTES = 32  # of a perceptual hash


@dataclass(frozen=True)
class Duplicate:
    """A listing that is left out, and the one that stays."""

    id: str
    original: str
    kind: str  # "exact" or "near"
    distance: int  # differing bits of the perceptual hash


def natural_order(listing_id: str) -> tuple[tuple[int, int, str], ...]:
    """Sort key under which `shop:9` comes before `shop:10`."""
    parts = re.findall(r"\d+|\D+", listing_id)
    return tuple((0, int(part), part) if part.isdecimal() else (1, 0, part) for part in parts)


def find_duplicates(shown: Sequence[tuple[str, ImageInfo]], bits: int, colour: int) -> list[Duplicate]:
    """The listings to leave out, so that no two that stay show the same image or nearly the same.

    Listings are taken in the natural order of their ids; each is left out if one that stays is alike. So the answer
    does not depend on the order in which they came, and the oldest of a group stays.

    Args:
        shown: listings' ids and their images, in any order.
        bits: images may be copies if at most so many bits of their perceptual hashes differ, ...
        colour: ... and are if no cell of their colour grids differs by more, in levels of 255. Without this, a red
            and a blue chair of one drawing would be copies: the perceptual hash sees no colour.
    """
    ordered = sorted(shown, key=lambda pair: (natural_order(pair[0]), pair[0]))
    first: dict[str, str] = {}
    duplicates = []
    unique: list[tuple[str, ImageInfo]] = []
    for listing, image in ordered:
        original = first.setdefault(image.sha256, listing)
        if original == listing:
            unique.append((listing, image))
        else:
            duplicates.append(Duplicate(listing, original, "exact", 0))
    near = _near(unique, bits, colour)
    stays = {each.id: each.original for each in near}
    # An exact copy of a near duplicate points at the listing that stays, not at the one that is left out.
    distance = {each.id: each.distance for each in near}
    resolved = [
        Duplicate(each.id, stays[each.original], "near", distance[each.original]) if each.original in stays else each
        for each in duplicates
    ]
    return sorted(resolved + near, key=lambda each: each.id)


def _near(unique: Sequence[tuple[str, ImageInfo]], bits: int, colour: int) -> list[Duplicate]:
    """Greedy in the given order, and only with those that may be close: 50,000 images are 10^9 pairs."""
    if len(unique) < 2:
        return []
    hashes = np.frombuffer(b"".join(image.perceptual_hash for _, image in unique), np.uint8).reshape(-1, _BYTES)
    colours = np.frombuffer(b"".join(image.colours for _, image in unique), np.uint8).reshape(len(unique), -1)
    buckets = [_Buckets(piece) for piece in _pieces(hashes, bits)]
    stays = np.ones(len(unique), dtype=bool)
    duplicates = []
    for row in np.flatnonzero(np.any([each.is_shared for each in buckets], axis=0)).tolist():
        others = np.unique(np.concatenate([each.before(row) for each in buckets]))
        others = others[stays[others]]
        distances = np.bitwise_count(hashes[row] ^ hashes[others]).sum(axis=1, dtype=np.uint16)
        others, distances = others[distances <= bits], distances[distances <= bits]
        alike = np.abs(colours[others].astype(np.int16) - colours[row]).max(axis=1, initial=0) <= colour
        if alike.any():
            stays[row] = False
            first = int(alike.argmax())
            duplicates.append(Duplicate(unique[row][0], unique[others[first]][0], "near", int(distances[first])))
    return duplicates


def _pieces(hashes: NDArray[np.uint8], bits: int) -> Iterator[NDArray[np.bytes_]]:
    """Pieces (N,) of hashes (N, 32), such that two hashes which differ in at most ``bits`` bits share one of them.

    One piece more than bits may differ, so one of them is without a difference. Source: Norouzi et al. 2012, Fast
    Search in Hamming Space with Multi-Index Hashing. Pieces of less than a byte would tell few images apart, so then
    all share one.
    """
    count = bits + 1
    if count > _BYTES:
        yield np.zeros(len(hashes), "S1")
        return
    for number in range(count):  # every count-th bit, as neighbouring ones go together
        piece = np.packbits(np.unpackbits(hashes, axis=1)[:, number::count], axis=1)
        yield piece.view(f"S{piece.shape[1]}").ravel()


class _Buckets:
    """Which rows have equal keys.

    Args:
        keys: (N,).
    """

    def __init__(self, keys: NDArray[np.bytes_]) -> None:
        self._order = np.argsort(keys, kind="stable").astype(np.uint32)
        ordered = keys[self._order]
        begins = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])).astype(np.uint32)
        sizes = np.diff(begins, append=np.uint32(len(keys)))
        self._place, self._begin = np.empty_like(self._order), np.empty_like(self._order)
        self._place[self._order] = np.arange(len(keys), dtype=np.uint32)
        self._begin[self._order] = np.repeat(begins, sizes)

    @property
    def is_shared(self) -> NDArray[np.bool_]:
        """Of each row whether one before it has its key, (N,)."""
        return self._place > self._begin

    def before(self, row: int) -> NDArray[np.uint32]:
        """The rows before a row that have its key, ascending."""
        return self._order[self._begin[row] : self._place[row]]
