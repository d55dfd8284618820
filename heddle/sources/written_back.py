"""Recognise posts that Heddle wrote, which are not used as listings even if a person has published them.

Otherwise the next writer would be trained on texts of the last one.
"""

from collections.abc import Mapping
from typing import Any

LISTING_KEY = "heddle_listing"
"""Custom field of these posts: the id of the listing that the post was written for."""


def is_written_back(post: Mapping[str, Any]) -> bool:
    """Return whether Heddle wrote a post of the REST API."""
    meta = post.get("meta")
    return isinstance(meta, dict) and bool(meta.get(LISTING_KEY))
