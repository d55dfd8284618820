"""Print to terminals, pipes and files: whole lines in pipes, and text from outside without control characters."""

import json
import unicodedata

from rich.console import Console, ConsoleDimensions
from rich.text import Text

PIPE_WIDTH = 100_000
"""Columns of a line that no terminal folds."""
INDENT = "  "
"""Before every further line of a message, so that a line break in a text from outside imitates no line of its own."""
_ALLOWED = frozenset("\t\u200c\u200d")
"""Tabs, and the joiners that Persian, Indic scripts and emoji need."""
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

    def print_message(self, text: str) -> None:
        """Print a message of one or several lines; the further ones are indented."""
        for number, line in enumerate(text.split("\n")):
            self.print_line(f"{INDENT if number else ''}{line}")


def print_progress(stage: str, message: str) -> None:
    """Print one line of progress of a stage on standard output: ``[stage] message``."""
    print(f"[{stage}] {visible(message)}", flush=True)


def visible(text: str) -> str:
    r"""Replace line breaks, control, bidi and unassigned characters by escapes: ``\x1b``, ``\u202e``, ``\n``."""
    if text.isprintable():
        return text
    return "".join(_escape(character) for character in text)


def json_text(content: object, indent: int | None = None) -> str:
    r"""Convert to JSON, on one line unless there is an indent, with hidden characters as ``\uXXXX``.

    The text is safe on a terminal, and a JSON parser returns the content unchanged.
    """
    lines = json.dumps(content, ensure_ascii=False, indent=indent).split("\n")
    return "\n".join(line if line.isprintable() else "".join(map(_json_escape, line)) for line in lines)


def untrusted(text: str, style: str = "") -> Text:
    """Return text from outside for a table or a line: no markup is interpreted, no control character is printed.

    The text stays on its line: a line break is an escape, so that a title cannot imitate a row of a table.
    """
    return Text(visible(text), style)


def untrusted_lines(text: str) -> Text:
    """Return a text from outside that may have several lines, such as an answer, for a place of its own."""
    return Text("\n").join(map(untrusted, text.split("\n")))


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode() if _is_hidden(character) else character


def _json_escape(character: str) -> str:
    return json.dumps(character)[1:-1] if _is_hidden(character) else character


def _is_hidden(character: str) -> bool:
    return character not in _ALLOWED and unicodedata.category(character) in _HIDDEN
