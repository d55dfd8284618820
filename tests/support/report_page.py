"""The page of the report, as its tests read it."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from assets.index.stage import index
from assets.release.stage import release
from assets.report.stage import report
from tests.support.small_project import run

VOID = {"meta", "img", "br", "link", "hr", "input"}
HEAD = "head"
"""Name of the part before the sections."""


class Page(HTMLParser):
    """Checks that tags nest, and keeps elements and text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self._part = ""
        self._text: list[tuple[str, str]] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag == "header":
            self._part = HEAD
        elif tag == "section":
            self._part = dict(attrs)["id"] or ""
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag
        if tag in {"header", "section"}:
            self._part = ""

    def handle_data(self, data: str) -> None:
        if not self._open or self._open[-1] != "style":
            self._text.append((self._part, data))

    @property
    def words(self) -> str:
        """All words of the page."""
        return _join(text for _, text in self._text)

    @property
    def head(self) -> str:
        """The words before the sections: title, counts, gates and headline metrics."""
        return self.section(HEAD)

    def section(self, name: str) -> str:
        """The words of the section with this anchor."""
        words = [text for part, text in self._text if part == name]
        assert words, f"the page has no section {name}"
        return _join(words)

    def attributes(self, tag: str) -> Iterator[dict[str, str | None]]:
        return (attributes for name, attributes in self.elements if name == tag)


def _join(texts: Iterator[str] | list[str]) -> str:
    return re.sub(r"\s+", " ", " ".join(texts))


def read_page(folder: Path) -> Page:
    """The page that a project's `report` has written."""
    return Page((folder / "data" / "report" / "index.html").read_text())


def write_page(folder: Path) -> Page:
    """Run `index`, `release` and `report` in a project; return the page."""
    run(index, folder)
    run(release, folder)
    run(report, folder)
    return read_page(folder)
