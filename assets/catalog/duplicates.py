"""Find listings that show the same image, or nearly the same image, as another listing."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assets.catalog.images import ImageInfo

_BYTES = 32  # of a perceptual hash


@dataclass(frozen=True)
class Duplicate:
    """A dropped listing, and the listing that is kept instead."""

    id: str
    original: str
    kind: str  # "exact" or "near"
    distance: int  # differing bits of the perceptual hash


def natural_order(listing_id: str) -> tuple[tuple[int, int, str], ...]:
    """Return a sort key that orders `shop:9` before `shop:10`."""
    parts = re.findall(r"\d+|\D+", listing_id)
    return tuple((0, int(part), part) if part.isdecimal() else (1, 0, part) for part in parts)


def find_duplicates(images: Sequence[tuple[str, ImageInfo]], max_bits: int, max_colour: int) -> list[Duplicate]:
    """Find the listings to drop, so that no two kept listings show the same image or nearly the same image.

    Listings are processed in the natural order of their ids; a listing is dropped if a kept listing shows a similar
    image. So the result does not depend on the order of arrival, and the oldest listing of a group is kept.

    Args:
        images: ids of listings and their images, in any order.
        max_bits: two images are near duplicates if at most this many bits of their perceptual hashes differ ...
        max_colour: ... and no value of their colour grids differs by more, levels of 255. The perceptual hash ignores
            colour, so a red and a blue chair of one drawing would otherwise be duplicates.
    """
    ordered = sorted(images, key=lambda pair: (natural_order(pair[0]), pair[0]))
    first: dict[str, str] = {}
    duplicates = []
    unique: list[tuple[str, ImageInfo]] = []
    for listing, image in ordered:
        original = first.setdefault(image.sha256, listing)
        if original == listing:
            unique.append((listing, image))
        else:
            duplicates.append(Duplicate(listing, original, "exact", 0))
    near = _find_near(unique, max_bits, max_colour)
    kept = {each.id: each.original for each in near}
    # The original of an exact copy of a near duplicate is the kept listing, not the dropped one.
    distance = {each.id: each.distance for each in near}
    resolved = [
        Duplicate(each.id, kept[each.original], "near", distance[each.original]) if each.original in kept else each
        for each in duplicates
    ]
    return sorted(resolved + near, key=lambda each: each.id)


def _find_near(unique: Sequence[tuple[str, ImageInfo]], max_bits: int, max_colour: int) -> list[Duplicate]:
    """Find near duplicates greedily, comparing only images that share a hash piece: 50,000 images are 10^9 pairs."""
    if len(unique) < 2:
        return []
    hashes = np.frombuffer(b"".join(image.perceptual_hash for _, image in unique), np.uint8).reshape(-1, _BYTES)
    colours = np.frombuffer(b"".join(image.colours for _, image in unique), np.uint8).reshape(len(unique), -1)
    buckets = [_Buckets(piece) for piece in _pieces(hashes, max_bits)]
    kept = np.ones(len(unique), dtype=bool)
    duplicates = []
    for row in np.flatnonzero(np.any([each.is_shared for each in buckets], axis=0)).tolist():
        others = np.unique(np.concatenate([each.before(row) for each in buckets]))
        others = others[kept[others]]
        distances = np.bitwise_count(hashes[row] ^ hashes[others]).sum(axis=1, dtype=np.uint16)
        others, distances = others[distances <= max_bits], distances[distances <= max_bits]
        similar = np.abs(colours[others].astype(np.int16) - colours[row]).max(axis=1, initial=0) <= max_colour
        if similar.any():
            kept[row] = False
            first = int(similar.argmax())
            duplicates.append(Duplicate(unique[row][0], unique[others[first]][0], "near", int(distances[first])))
    return duplicates


def _pieces(hashes: NDArray[np.uint8], max_bits: int) -> Iterator[NDArray[np.bytes_]]:
    """Split hashes (N, 32) into pieces (N,). Two hashes that differ in at most ``max_bits`` bits share a piece.

    There are ``max_bits`` + 1 pieces, so at least one has no differing bit. Source: Norouzi et al. 2012, Fast Search
    in Hamming Space with Multi-Index Hashing. Pieces of less than a byte would separate few images, so then all hashes
    share one piece.
    """
    count = max_bits + 1
    if count > _BYTES:
        yield np.zeros(len(hashes), "S1")
        return
    for number in range(count):  # every count-th bit, as neighbouring bits are correlated
        piece = np.packbits(np.unpackbits(hashes, axis=1)[:, number::count], axis=1)
        yield piece.view(f"S{piece.shape[1]}").ravel()


class _Buckets:
    """Groups of rows with equal keys.

    Args:
        keys: (N,).
    """

    def __init__(self, keys: NDArray[np.bytes_]) -> None:
        self._order = np.argsort(keys, kind="stable").astype(np.uint32)
        ordered = keys[self._order]
        begins = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])).astype(np.uint32)
        sizes = np.diff(begins, append=np.uint32(len(keys)))
        self._rank, self._begin = np.empty_like(self._order), np.empty_like(self._order)
        self._rank[self._order] = np.arange(len(keys), dtype=np.uint32)
        self._begin[self._order] = np.repeat(begins, sizes)

    @property
    def is_shared(self) -> NDArray[np.bool_]:
        """Whether an earlier row has the same key, (N,)."""
        return self._rank > self._begin

    def before(self, row: int) -> NDArray[np.uint32]:
        """Return the earlier rows with the same key, ascending."""
        return self._order[self._begin[row] : self._rank[row]]
