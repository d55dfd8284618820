"""Which split a listing belongs to: a function of its id alone, so that growth never moves a listing."""

import hashlib
from typing import Literal

from heddle.core.parameters.shared import Split

SplitName = Literal["train", "validation", "test"]
SPLITS: tuple[SplitName, ...] = ("train", "validation", "test")


def split_of(listing_id: str, split: Split) -> SplitName:
    """The split of a listing: its id's SHA-256, read as a number in [0, 1), against the shares."""
    position = int.from_bytes(hashlib.sha256(listing_id.encode()).digest()[:8]) / 2**64
    if position < split.test:
        return "test"
    return "validation" if position < split.test + split.validation else "train"
