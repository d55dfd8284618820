"""Assign listings to splits by their ids alone, so that new listings never move existing ones."""

import hashlib
from typing import Literal

from heddle.core.parameters.shared import Split

SplitName = Literal["train", "validation", "test"]
SPLITS: tuple[SplitName, ...] = ("train", "validation", "test")


def split_of(listing_id: str, split: Split) -> SplitName:
    """Return the split of a listing: the SHA-256 of its id, as a number in [0, 1), compared with the shares."""
    position = int.from_bytes(hashlib.sha256(listing_id.encode()).digest()[:8]) / 2**64
    if position < split.test:
        return "test"
    return "validation" if position < split.test + split.validation else "train"
