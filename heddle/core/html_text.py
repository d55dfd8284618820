"""Sanitise HTML, or convert it to plain text."""

import html
import re

import nh3

_BREAK = re.compile(r"<(?:br|/p|/div|/li|/h[1-6]|/tr|/blockquote|/figcaption)\b[^<>]*>", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
_MARKED = re.compile(r"[<&\0]")
_SPACE = re.compile(r"\s+")
MAX_TAGS = 20_000
"""A field with more tags loses them all, because nh3 takes quadratic time on nested elements (50,000: 5 s)."""


def safe_html(markup: str) -> str:
    """Remove scripts, event handlers, styles and dangerous links (allow-list of nh3, which is ammonia's)."""
    if markup.count("<") > MAX_TAGS:
        return html.escape(plain_text(markup))
    return nh3.clean(markup).strip()


def plain_text(markup: str) -> str:
    """Convert markup to text: no tags, no scripts, entities as characters, one space between words."""
    if not _MARKED.search(
        markup
    ):  # true for most titles; parsing them would take a quarter of the time of reading a listing
        return one_line(markup)
    if markup.count("<") > MAX_TAGS:
        return one_line(html.unescape(_TAG.sub(" ", markup)))
    return one_line(html.unescape(nh3.clean(_BREAK.sub(r"\g<0> ", markup), tags=set())))


def one_line(text: str) -> str:
    """Replace each run of white space by one space, and strip the text."""
    return _SPACE.sub(" ", text).strip()
