"""Assign records to splits by their ids alone, so that new records never move existing ones."""

import hashlib
from collections.abc import Mapping
from typing import Any, Literal

from heddle.core.parameters.shared import Split

SplitName = Literal["train", "validation", "test"]
SPLITS: tuple[SplitName, ...] = ("train", "validation", "test")


def split_of(record_id: str, split: Split) -> SplitName:
    """Return the split of a record: the SHA-256 of its id, as a number in [0, 1), compared with the shares."""
    position = int.from_bytes(hashlib.sha256(record_id.encode()).digest()[:8]) / 2**64
    if position < split.test:
        return "test"
    return "validation" if position < split.test + split.validation else "train"


def split_of_listing(listing: Mapping[str, Any], split: Split) -> SplitName:
    """Return the split of a listing. Listings that show the same image share it, or the test split would leak.

    Args:
        listing: with the columns ``id`` and ``same_image_as``.
        split: shares of the splits.
    """
    return split_of(listing["same_image_as"] or listing["id"], split)
