"""Words out of HTML: what a site renders, made safe or made plain."""

import html
import re

import nh3

_BREAK = re.compile(r"<(?:br|/p|/div|/li|/h[1-6]|/tr|/blockquote|/figcaption)\b[^>]*>", re.IGNORECASE)
_MARKED = re.compile(r"[<&\0]")
_SPACE = re.compile(r"\s+")


def safe_html(markup: str) -> str:
    """The markup without scripts, event handlers, styles and dangerous links (nh3's allow-list, ammonia's)."""
    return nh3.clean(markup).strip()


def plain_text(markup: str) -> str:
    """The words of the markup: no tags, no scripts, entities as characters, one space between words."""
    if not _MARKED.search(markup):  # most titles; parsing them takes a quarter of the time of reading a listing
        return one_line(markup)
    return one_line(html.unescape(nh3.clean(_BREAK.sub(r"\g<0> ", markup), tags=set())))


def one_line(text: str) -> str:
    """The text with each run of white space as one space, none at its ends."""
    return _SPACE.sub(" ", text).strip()
