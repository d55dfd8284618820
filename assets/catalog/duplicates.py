"""Find listings that show the same image, or nearly the same image, as another one, and choose which to drop.

Many listings may share one image. Those that also have the same texts are one listing that was published twice.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assets.catalog.images import ImageInfo
from assets.catalog.listing_drafts import Draft
from heddle.core.listing_text import without_markup
from heddle.sources.parameters import DuplicateRule

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


def find_copies(images: Sequence[tuple[str, ImageInfo]], max_bits: int, max_colour: int) -> dict[str, str]:
    """Find the listings that show the same image, or nearly the same image, as an older listing.

    Listings are processed in the natural order of their ids; a listing is a copy if a listing that is none shows a
    similar image. So the result does not depend on the order of arrival, and a new listing changes no older one.

    Args:
        images: ids of listings and their images, in any order.
        max_bits: two images are nearly the same if at most this many bits of their perceptual hashes differ ...
        max_colour: ... and no value of their colour grids differs by more, levels of 255. The perceptual hash ignores
            colour, so a red and a blue chair of one drawing would otherwise be the same.

    Returns:
        Id of each copy -> id of the oldest listing with that image, in natural order.
    """
    ordered = sorted(images, key=lambda pair: (natural_order(pair[0]), pair[0]))
    first: dict[str, str] = {}
    for listing, image in ordered:
        first.setdefault(image.sha256, listing)
    unique = [(listing, image) for listing, image in ordered if first[image.sha256] == listing]
    near = _find_near(unique, max_bits, max_colour)
    oldest = {listing: near.get(first[image.sha256], first[image.sha256]) for listing, image in ordered}
    return {listing: original for listing, original in oldest.items() if original != listing}


def find_duplicates(
    drafts: Sequence[tuple[Draft, ImageInfo]], copies: Mapping[str, str], rule: DuplicateRule
) -> list[Duplicate]:
    """Choose which copies to drop; of listings that repeat each other, the oldest is kept.

    Args:
        drafts: all listings and their images, in any order.
        copies: result of :func:`find_copies`.
        rule: what a listing must repeat to be dropped.

    Returns:
        The dropped listings, sorted by id.
    """
    if rule == "none":
        return []
    by_id = {draft.id: (draft, image) for draft, image in drafts}
    kept: dict[tuple[str, str], str] = {}
    for original in set(copies.values()):
        kept[original, _repeated_text(by_id[original][0], rule)] = original
    duplicates = []
    for copy, original in copies.items():
        draft, image = by_id[copy]
        twin = kept.setdefault((original, _repeated_text(draft, rule)), copy)
        if twin != copy:
            duplicates.append(_compare(copy, image, twin, by_id[twin][1]))
    return sorted(duplicates, key=lambda each: each.id)


def _repeated_text(draft: Draft, rule: DuplicateRule) -> str:
    """What two listings with the same image must have in common, without regard to case, spaces and markup."""
    if rule == "same_image":
        return ""
    row = draft.row
    texts = (row["title"] or "", row["description"] or "", without_markup(row["body"] or ""))
    return "\n".join(" ".join(text.casefold().split()) for text in texts)


def _compare(listing: str, image: ImageInfo, original: str, other: ImageInfo) -> Duplicate:
    if image.sha256 == other.sha256:
        return Duplicate(listing, original, "exact", 0)
    bits = zip(image.perceptual_hash, other.perceptual_hash, strict=True)
    return Duplicate(listing, original, "near", sum((one ^ two).bit_count() for one, two in bits))


def _find_near(unique: Sequence[tuple[str, ImageInfo]], max_bits: int, max_colour: int) -> dict[str, str]:
    """Find near copies greedily, comparing only images that share a hash piece: 50,000 images are 10^9 pairs."""
    if len(unique) < 2:
        return {}
    hashes = np.frombuffer(b"".join(image.perceptual_hash for _, image in unique), np.uint8).reshape(-1, _BYTES)
    colours = np.frombuffer(b"".join(image.colours for _, image in unique), np.uint8).reshape(len(unique), -1)
    buckets = [_Buckets(piece) for piece in _pieces(hashes, max_bits)]
    kept = np.ones(len(unique), dtype=bool)
    copies = {}
    for row in np.flatnonzero(np.any([each.is_shared for each in buckets], axis=0)).tolist():
        others = np.unique(np.concatenate([each.before(row) for each in buckets]))
        others = others[kept[others]]
        distances = np.bitwise_count(hashes[row] ^ hashes[others]).sum(axis=1, dtype=np.uint16)
        others, distances = others[distances <= max_bits], distances[distances <= max_bits]
        similar = np.abs(colours[others].astype(np.int16) - colours[row]).max(axis=1, initial=0) <= max_colour
        if similar.any():
            kept[row] = False
            copies[unique[row][0]] = unique[others[int(similar.argmax())]][0]
    return copies


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
