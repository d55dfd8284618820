"""Read the files of a model, and name a file that cannot be read."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from tokenizers import Tokenizer

Content = TypeVar("Content")


def read_file(file: Path, parse: Callable[[Path], Content]) -> Content:
    """Read a file. Its path becomes a note of the parser's exceptions, which contain positions only.

    Args:
        file: path of the file.
        parse: returns the content.

    Raises:
        Exception: any exception of ``parse``, with the note that ``heddle.core.errors`` translates.
    """
    try:
        return parse(file)
    except Exception as error:
        error.add_note(f"file: {file}")
        raise


def read_tokenizer(file: Path) -> Tokenizer:
    """Read a tokenizer of the library tokenizers from its JSON file."""
    return read_file(file, lambda path: Tokenizer.from_file(str(path)))
