"""Posts that Heddle itself wrote: no listings of the seller's, even where a person has published them since.

To take them for listings would train the next writer on the words of the last.
"""

from collections.abc import Mapping
from typing import Any

LISTING_KEY = "heddle_listing"
"""Custom field of such a post: the id of the listing that it was written for."""


def is_written_back(post: Mapping[str, Any]) -> bool:
    """Whether a post of the REST API is one that Heddle wrote."""
    meta = post.get("meta")
    return isinstance(meta, dict) and bool(meta.get(LISTING_KEY))
