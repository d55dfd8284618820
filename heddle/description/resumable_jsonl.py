"""Descriptions of a folder's images as JSON Lines: appended as they are made, taken up again after any stop.

A line has ``path`` (within the folder), ``sha256`` (of the image; null where it could not be read), ``asked`` (what a
description depends on besides the image) and ``content`` with ``scores``, or ``error`` with the reason.
"""

import fcntl
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from heddle.core.errors import UserError

KEYS = frozenset({"path", "sha256", "asked"})
BEGINS = b'{"path": "'
"""Of each line; what a kill left of one can be told from a file of somebody else's by it."""

Line = Mapping[str, Any]


class ResumableJsonlError(UserError):
    """The file cannot be written on; the message names it and says what to do."""


class ResumableJsonlWriter:
    """An open file of descriptions, held by one process at a time.

    What a kill tore off at its end is removed. Of several lines with one path the last one counts; the others go when
    the file is closed or opened again.

    Args:
        path: of the file; it is made if there is none.

    Raises:
        ResumableJsonlError: the file cannot be written, belongs to a running process, or holds something else.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = self._opened()
        try:
            self._lines, self._all = self._read()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def find(self, head: Line) -> Line | None:
        """The line that stands already for this image, if it was asked the same.

        Args:
            head: path, hash and what was asked; an image that could not be read (no hash) is never found.
        """
        line = self._lines.get(head["path"])
        same = line is not None and head["sha256"] and all(line[key] == head[key] for key in KEYS)
        return line if same else None

    def append(self, lines: Iterable[Line]) -> None:
        """Write lines so that they stay whatever happens next."""
        new = list(lines)
        self._file.write("".join(map(_text, new)))
        self._file.flush()
        os.fsync(self._file.fileno())
        self._lines |= {line["path"]: line for line in new}
        self._all += len(new)

    def close(self) -> None:
        """Leave one line for each path, and let others write."""
        try:
            if self._all != len(self._lines):
                self._rewrite()
        finally:
            self._file.close()

    def _opened(self) -> IO[str]:
        try:
            file = self.path.open("a+", encoding="utf-8", newline="\n")
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ResumableJsonlError(
                f"{self.path} is being written by another process: wait for it or take another file"
            ) from error
        except OSError as error:
            raise ResumableJsonlError(f"{self.path}: {error.strerror}: choose another file with --output") from error
        return file

    def _read(self) -> tuple[dict[str, Line], int]:
        """The lines by their paths, and how many there are; cuts off an end that is no whole line."""
        self._file.seek(0)
        content = self._file.buffer.read()  # type: ignore[attr-defined]
        whole = content.rfind(b"\n") + 1
        lines = content[:whole].split(b"\n")[:-1]
        found = [self._line(number, line) for number, line in enumerate(lines, start=1)]
        if torn := content[whole:]:
            if torn[: len(BEGINS)] != BEGINS[: len(torn)]:
                raise self._foreign(len(lines) + 1)
            self._file.truncate(whole)
        return {line["path"]: line for line in found}, len(found)

    def _line(self, number: int, text: bytes) -> Line:
        try:
            line = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise self._foreign(number) from error
        if not isinstance(line, dict) or not line.keys() >= KEYS:
            raise self._foreign(number)
        return line

    def _foreign(self, number: int) -> ResumableJsonlError:
        return ResumableJsonlError(
            f"{self.path}: line {number} was not written by `heddle describe`: move the file away, or choose another "
            "with --output"
        )

    def _rewrite(self) -> None:
        """Put a file with one line for each path in the place of this one, whole or not at all."""
        unfinished = self.path.with_name(f".{self.path.name}.unfinished")
        unfinished.write_text("".join(map(_text, self._lines.values())), encoding="utf-8", newline="\n")
        unfinished.replace(self.path)


def _text(line: Line) -> str:
    text = json.dumps(line, ensure_ascii=False, allow_nan=False)
    try:
        text.encode()
    except UnicodeEncodeError:  # a file's name that is no UTF-8: escaped it can be written, and read back
        text = json.dumps(line, allow_nan=False)
    return text + "\n"
