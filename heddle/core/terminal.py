"""Print to terminals, pipes and files: whole lines in pipes, and text from outside without control characters."""

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


def visible(text: str) -> str:
    r"""Replace control, bidi and unassigned characters by their escape: ``\x1b``, ``\u202e``."""
    if text.isprintable():
        return text
    return "".join(_escape(character) for character in text)


def untrusted(text: str, style: str = "") -> Text:
    """Return text from outside for a table or a line: no markup is interpreted, no control character is printed."""
    return Text(visible(text), style)


def _escape(character: str) -> str:
    if character in _ALLOWED or unicodedata.category(character) not in _HIDDEN:
        return character
    return character.encode("unicode_escape").decode()
