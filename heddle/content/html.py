"""Blocks of text to HTML that needs no cleaning, and any HTML to blocks."""

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


def html_of(blocks: Iterable[Block]) -> str:
    """HTML of the blocks, items of a list that follow each other in one ``ul``; a sanitiser finds nothing to change.

    Texts are made one line each (:func:`one_line`) and escaped; empty blocks are left out.
    """
    lines = [(kind, html.escape(line, quote=False)) for kind, text in blocks if (line := one_line(text))]
    parts: list[str] = []
    for kind, group in groupby(lines, key=lambda block: block[0]):
        elements = [f"<{kind}>{line}</{kind}>" for _, line in group]
        parts += [f"<ul>{''.join(elements)}</ul>"] if kind == "li" else elements
    return "\n".join(parts)


def blocks_of(markup: str) -> list[Block]:
    """The texts of HTML, hostile HTML included, in the order in which they stand, one line each.

    Within a list's item a text is of kind ``li``, within a heading of any level ``h2``, else ``p``; tags within a line,
    scripts and styles go.
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
        """Close the block that stands open."""
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
