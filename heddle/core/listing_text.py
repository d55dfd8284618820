"""Texts of a listing for models and queries."""

import hashlib
import html
import re
from collections.abc import Iterator, Mapping
from itertools import accumulate
from typing import Any

Listing = Mapping[str, Any]

IMAGE_TEXT_FIELDS = ("alt_text", "caption", "title", "description")
"""Fields that describe the image, the most literal first."""


def captions(listing: Listing) -> dict[str, str]:
    """Return field -> text for each distinct text that describes the listing's image, the most literal first.

    A listing without these texts is described by its tags and categories, else by its labels. The result is empty if it
    has none of them.
    """
    texts = {field: _plain(listing.get(field)) for field in IMAGE_TEXT_FIELDS}
    if not any(texts.values()):
        texts = {field: _plain(", ".join(listing.get(field) or ())) for field in ("tags", "categories")}
    if not any(texts.values()):
        texts = {"item": _plain(" ".join(listing[label] for label in ("material", "item") if listing.get(label)))}
    if not any(texts.values()):
        texts = {"product_class": _plain(listing.get("product_class"))}
    first_fields = {text: field for field, text in reversed(texts.items()) if text}
    return {field: text for field, text in texts.items() if text and first_fields[text] == field}


def has_caption(listing: Listing) -> bool:
    """Return whether the listing has any caption."""
    return bool(captions(listing))


def caption(listing: Listing) -> str:
    """Return the most literal text for the listing's image.

    Raises:
        StopIteration: the listing has no caption (see :func:`has_caption`).
    """
    return next(iter(captions(listing).values()))


def drawn_caption(listing: Listing, shares: Mapping[Any, float], seed: int, epoch: int) -> str:
    """Draw one text for the listing's image; the draw depends on seed, epoch and id only.

    Args:
        listing: a listing with a caption (see :func:`has_caption`).
        shares: relative frequency of each field; the default is 1.
        seed: random seed.
        epoch: another epoch gives another draw.
    """
    texts = captions(listing)
    cumulative = list(accumulate(shares.get(field, 1.0) for field in texts))
    digest = hashlib.sha256(f"{seed} {epoch} {listing['id']}".encode()).digest()
    position = int.from_bytes(digest[:8]) / 2**64 * cumulative[-1]
    return next(
        (text for text, end in zip(texts.values(), cumulative, strict=True) if position < end), caption(listing)
    )


def all_texts(listing: Listing) -> Iterator[str]:
    """Iterate over all texts of the listing, without markup, to train a tokenizer."""
    for field in (*IMAGE_TEXT_FIELDS, "seo_title", "seo_description"):
        if text := _plain(listing.get(field)):
            yield text
    if text := without_markup(listing.get("body") or ""):
        yield text
    for field in ("tags", "categories"):
        if text := _plain(", ".join(listing.get(field) or ())):
            yield text


def without_markup(body: str) -> str:
    """Convert sanitised HTML to text: tags become spaces, entities become characters."""
    return _plain(html.unescape(re.sub(r"<[^<>]*>", " ", body)))


def _plain(text: str | None) -> str:
    return " ".join((text or "").split())
