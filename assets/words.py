"""The words of a listing, as models and queries take them."""

import hashlib
import html
import re
from collections.abc import Iterator, Mapping
from typing import Any

Listing = Mapping[str, Any]

SPOKEN_FIELDS = ("alt_text", "caption", "title", "description")
"""Fields that say in words what the picture shows, the plainest first."""


def captions(listing: Listing) -> list[str]:
    """Every different text that may stand for the listing's picture, the plainest first; empty if there is none.

    A listing without any such text is told by its tags, its categories or, failing these, its labels.
    """
    texts = [_plain(listing.get(field)) for field in SPOKEN_FIELDS]
    if not any(texts):
        texts = [_plain(", ".join(listing.get(field) or ())) for field in ("tags", "categories")]
    if not any(texts):
        texts = [_plain(" ".join(listing[label] for label in ("material", "item") if listing.get(label)))]
    if not any(texts):
        texts = [_plain(listing.get("product_class"))]
    return list(dict.fromkeys(text for text in texts if text))


def has_caption(listing: Listing) -> bool:
    """Whether :func:`caption` has something to say."""
    return bool(captions(listing))


def caption(listing: Listing, epoch: int | None, seed: int) -> str:
    """One text for the listing: the plainest, or with an epoch one drawn by seed, epoch and id.

    Raises:
        IndexError: the listing has no words (see :func:`has_caption`).
    """
    texts = captions(listing)
    if epoch is None:
        return texts[0]
    digest = hashlib.sha256(f"{seed} {epoch} {listing['id']}".encode()).digest()
    return texts[int.from_bytes(digest[:8]) % len(texts)]


def all_texts(listing: Listing) -> Iterator[str]:
    """Everything that was written about the listing, markup taken off, for learning a vocabulary."""
    for field in (*SPOKEN_FIELDS, "seo_title", "seo_description"):
        if text := _plain(listing.get(field)):
            yield text
    if text := without_markup(listing.get("body") or ""):
        yield text
    for field in ("tags", "categories"):
        if text := _plain(", ".join(listing.get(field) or ())):
            yield text


def without_markup(body: str) -> str:
    """The text of sanitised HTML: tags become spaces, entities characters."""
    return _plain(html.unescape(re.sub(r"<[^>]*>", " ", body)))


def _plain(text: str | None) -> str:
    return " ".join((text or "").split())
