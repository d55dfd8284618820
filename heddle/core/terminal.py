"""Print to terminals, pipes and files: whole lines in pipes, and text from outside without control characters."""

import json
import unicodedata

from rich.console import Console, ConsoleDimensions
from rich.text import Text

PIPE_WIDTH = 100_000
"""Columns of a line that no terminal folds."""
_ALLOWED = frozenset("\n\t\u200c\u200d")
"""Line breaks, and the joiners that Persian, Indic scripts and emoji need."""
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories of characters that a terminal obeys or does not show: escape codes, bidi controls and others."""


class PipeConsole(Console):
    """A console that folds lines to the width of a terminal only if it prints to one."""

    @property
    def size(self) -> ConsoleDimensions:
        """Columns and lines."""
        found = super().size
        return found if self.is_terminal else ConsoleDimensions(PIPE_WIDTH, found.height)

    @size.setter
    def size(self, new_size: tuple[int, int]) -> None:
        self._width, self._height = new_size

    def print_line(self, text: str, style: str = "") -> None:
        """Print a line of text from outside. No line break is added, so that a path can be copied from a terminal."""
        self.print(untrusted(text, style), soft_wrap=True)


def visible(text: str) -> str:
    r"""Replace control, bidi and unassigned characters by their escape: ``\x1b``, ``\u202e``."""
    if text.isprintable():
        return text
    return "".join(_escape(character) for character in text)


def json_text(content: object, indent: int | None = None) -> str:
    r"""Convert to JSON, on one line unless there is an indent, with hidden characters as ``\uXXXX``.

    The text is safe on a terminal, and a JSON parser returns the content unchanged.
    """
    text = json.dumps(content, ensure_ascii=False, indent=indent)
    if text.isprintable():
        return text
    return "".join(json.dumps(character)[1:-1] if _is_hidden(character) else character for character in text)


def untrusted(text: str, style: str = "") -> Text:
    """Return text from outside for a table or a line: no markup is interpreted, no control character is printed."""
    return Text(visible(text), style)


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode() if _is_hidden(character) else character


def _is_hidden(character: str) -> bool:
    return character not in _ALLOWED and unicodedata.category(character) in _HIDDEN
