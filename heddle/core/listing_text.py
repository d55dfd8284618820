"""The words of a listing, as models and queries take them."""

import hashlib
import html
import re
from collections.abc import Iterator, Mapping
from itertools import accumulate
from typing import Any

Listing = Mapping[str, Any]

SPOKEN_FIELDS = ("alt_text", "caption", "title", "description")
"""Fields that say in words what the image shows, the plainest first."""


def captions(listing: Listing) -> dict[str, str]:
    """Field -> text, for each different text that may stand for the listing's image, the plainest first.

    A listing without any such text is told by its tags, its categories or, failing these, its labels; the result is
    empty if it has none of these either.
    """
    texts = {field: _plain(listing.get(field)) for field in SPOKEN_FIELDS}
    if not any(texts.values()):
        texts = {field: _plain(", ".join(listing.get(field) or ())) for field in ("tags", "categories")}
    if not any(texts.values()):
        texts = {"item": _plain(" ".join(listing[label] for label in ("material", "item") if listing.get(label)))}
    if not any(texts.values()):
        texts = {"product_class": _plain(listing.get("product_class"))}
    first_fields = {text: field for field, text in reversed(texts.items()) if text}
    return {field: text for field, text in texts.items() if text and first_fields[text] == field}


def has_caption(listing: Listing) -> bool:
    """Whether :func:`caption` has something to say."""
    return bool(captions(listing))


def caption(listing: Listing) -> str:
    """The plainest text for the listing's image.

    Raises:
        StopIteration: the listing has no words (see :func:`has_caption`).
    """
    return next(iter(captions(listing).values()))


def drawn_caption(listing: Listing, shares: Mapping[Any, float], seed: int, epoch: int) -> str:
    """One text for the listing's image, drawn by seed, epoch and id alone.

    Args:
        listing: has words (see :func:`has_caption`).
        shares: how often a field is drawn in comparison with the others; 1 for fields that are not named.
        seed: of the drawing.
        epoch: draws anew.
    """
    texts = captions(listing)
    reached = list(accumulate(shares.get(field, 1.0) for field in texts))
    digest = hashlib.sha256(f"{seed} {epoch} {listing['id']}".encode()).digest()
    place = int.from_bytes(digest[:8]) / 2**64 * reached[-1]
    return next((text for text, end in zip(texts.values(), reached, strict=True) if place < end), caption(listing))


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
