"""Render blocks of text as sanitised HTML, and parse any HTML to blocks."""

import html
from collections.abc import Iterable
from html.parser import HTMLParser
from itertools import groupby

from heddle.core.html_text import safe_html
from lightning_modules.writer.content_fields import Block, BlockKind, one_line

_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_PARTS = frozenset(
    {"p", "div", "li", "ul", "ol", "dl", "dt", "dd", "table", "thead", "tbody", "tfoot", "tr", "td", "th"}
)
_PARTS |= {"caption", "blockquote", "pre", "article", "aside", "header", "footer", "nav", "section", "figure", "hr"}
_PARTS |= {"figcaption", "details", "summary", "center", "hgroup", "map", *_HEADINGS}


def render_html(blocks: Iterable[Block]) -> str:
    """Render blocks as HTML that a sanitiser does not change. Adjacent list items share one ``ul``.

    Each text becomes one line (:func:`one_line`) and is escaped; empty blocks are skipped.
    """
    lines = [(kind, html.escape(line, quote=False)) for kind, text in blocks if (line := one_line(text))]
    parts: list[str] = []
    for kind, group in groupby(lines, key=lambda block: block[0]):
        elements = [f"<{kind}>{line}</{kind}>" for _, line in group]
        if kind == "li":
            parts.append(f"<ul>{''.join(elements)}</ul>")
        else:
            parts += elements
    return "\n".join(parts)


def parse_blocks(markup: str) -> list[Block]:
    """Parse HTML, possibly malicious, to blocks of one line each, in document order.

    A text in a list item becomes ``li``, in a heading of any level ``h2``, else ``p``. Inline tags, scripts and styles
    are removed.
    """
    reader = _Blocks()
    reader.feed(safe_html(markup))
    reader.close()
    reader.finish()
    return reader.blocks


class _Blocks(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.blocks: list[Block] = []
        self._open: list[str] = []
        self._words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br":
            self._words.append(" ")
        elif tag in _PARTS:
            self.finish()
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open:
            self.finish()
            while self._open.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        self._words.append(data)

    def finish(self) -> None:
        """Close the open block."""
        if line := one_line("".join(self._words)):
            self.blocks.append((self._kind(), line))
        self._words = []

    def _kind(self) -> BlockKind:
        for tag in reversed(self._open):
            if tag == "li":
                return "li"
            if tag in _HEADINGS:
                return "h2"
        return "p"
