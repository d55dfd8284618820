"""Which listings show a picture that another listing already shows."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from assets.catalog.pictures import Picture

_BLOCK = 256  # listings that are compared with others at a time, ...
_OTHERS = 2_048  # ... and with how many of them: 4 MB


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


def find_duplicates(shown: Sequence[tuple[str, Picture]], bits: int, colour: int) -> list[Duplicate]:
    """The listings to leave out, so that no two that stay show the same picture or nearly the same.

    Listings are taken in the natural order of their ids; each is left out if one that stays is alike. So the answer
    does not depend on the order in which they came, and the oldest of a group stays.

    Args:
        shown: listings' ids and their pictures, in any order.
        bits: pictures may be copies if at most so many bits of their perceptual hashes differ, ...
        colour: ... and are if no cell of their colour grids differs by more, in levels of 255. Without this, a red
            and a blue chair of one drawing would be copies: the perceptual hash sees no colour.
    """
    ordered = sorted(shown, key=lambda pair: (natural_order(pair[0]), pair[0]))
    first: dict[str, str] = {}
    duplicates = []
    unique: list[tuple[str, Picture]] = []
    for listing, picture in ordered:
        original = first.setdefault(picture.sha256, listing)
        if original == listing:
            unique.append((listing, picture))
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


def _near(unique: Sequence[tuple[str, Picture]], bits: int, colour: int) -> list[Duplicate]:
    """Greedy in the given order. All pairs by XOR and popcount: 50,000 pictures are 10^9 pairs, seconds."""
    if len(unique) < 2:
        return []
    hashes = np.frombuffer(b"".join(picture.perceptual_hash for _, picture in unique), np.uint64).reshape(-1, 4)
    colours = np.frombuffer(b"".join(picture.colours for _, picture in unique), np.uint8).reshape(len(unique), -1)
    stays = np.ones(len(unique), dtype=bool)
    duplicates = []
    for start in range(0, len(unique), _BLOCK):
        stop = min(start + _BLOCK, len(unique))
        for row, other, distance in _close(hashes, start, stop, bits):
            if other >= row or not stays[row] or not stays[other]:
                continue
            if np.abs(colours[row].astype(int) - colours[other]).max() <= colour:
                stays[row] = False
                duplicates.append(Duplicate(unique[row][0], unique[other][0], "near", distance))
    return duplicates


def _close(hashes: np.ndarray, start: int, stop: int, bits: int) -> list[tuple[int, int, int]]:
    """Pairs of a hash from `start` on and any before `stop`, and how many bits differ, if so few; in order."""
    found: list[tuple[int, int, int]] = []
    for first in range(0, stop, _OTHERS):
        distances = _distances(hashes[start:stop], hashes[first : min(first + _OTHERS, stop)])
        rows, others = np.nonzero(distances <= bits)
        differ = distances[rows, others]
        found.extend(zip((rows + start).tolist(), (others + first).tolist(), differ.tolist(), strict=True))
    return sorted(found)


def _distances(some: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Hamming distances (len(some), len(others)) of hashes (N, 4) uint64."""
    total = np.zeros((len(some), len(others)), dtype=np.uint16)
    for word in range(some.shape[1]):
        total += np.bitwise_count(some[:, word, None] ^ others[None, :, word])
    return total
