"""Descriptions of images as JSON Lines: appended batch by batch, and resumed after an interruption.

A line has ``path`` (within the folder), ``sha256`` (of the image; null if the file could not be read), ``request`` (a
hash of everything else that the description depends on), and ``content`` with ``scores``, or ``error``.
"""

import fcntl
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from heddle.core.errors import UserError

KEYS = frozenset({"path", "sha256", "request"})
LINE_START = b'{"path": "'
"""Start of each line. It distinguishes a line that a kill cut off from a file of another program."""

JsonLine = Mapping[str, Any]


class ResumableJsonlError(UserError):
    """The file cannot be continued. The message contains the file and what to do."""


class ResumableJsonlWriter:
    """A file of descriptions that one process at a time writes.

    An incomplete last line, left by a kill, is removed. Of several lines with one path the last one counts; closing
    the file removes the others.

    Args:
        path: path of the file, which is created if it is missing.

    Raises:
        ResumableJsonlError: the file cannot be written, another process is writing it, or it has other content.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = self._open()
        try:
            self._lines, self._line_count = self._read()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def find(self, header: JsonLine) -> JsonLine | None:
        """The line of this image if it has the same hash and the same request.

        Args:
            header: path, sha256 and request. An image that could not be read (no hash) is never found.
        """
        line = self._lines.get(header["path"])
        if line is None or not header["sha256"]:
            return None
        return line if all(line[key] == header[key] for key in KEYS) else None

    def append(self, lines: Iterable[JsonLine]) -> None:
        """Write lines and sync them to the disk."""
        new = list(lines)
        self._file.write("".join(map(_text, new)))
        self._file.flush()
        os.fsync(self._file.fileno())
        self._lines |= {line["path"]: line for line in new}
        self._line_count += len(new)

    def close(self) -> None:
        """Remove superseded lines and unlock the file."""
        try:
            if self._line_count != len(self._lines):
                self._rewrite()
        finally:
            self._file.close()

    def _open(self) -> IO[str]:
        try:
            file = self.path.open("a+", encoding="utf-8", newline="\n")
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ResumableJsonlError(
                f"{self.path} is being written by another process: wait for it or choose another file"
            ) from error
        except OSError as error:
            raise ResumableJsonlError(f"{self.path}: {error.strerror}: choose another file with --output") from error
        return file

    def _read(self) -> tuple[dict[str, JsonLine], int]:
        """The lines by path and their number. Truncates an incomplete last line."""
        self._file.seek(0)
        content = self._file.buffer.read()  # type: ignore[attr-defined]
        complete = content.rfind(b"\n") + 1
        lines = content[:complete].split(b"\n")[:-1]
        found = [self._line(number, line) for number, line in enumerate(lines, start=1)]
        if rest := content[complete:]:
            if rest[: len(LINE_START)] != LINE_START[: len(rest)]:
                raise self._foreign_line(len(lines) + 1)
            self._file.truncate(complete)
        return {line["path"]: line for line in found}, len(found)

    def _line(self, number: int, text: bytes) -> JsonLine:
        try:
            line = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise self._foreign_line(number) from error
        if not isinstance(line, dict) or not line.keys() >= KEYS:
            raise self._foreign_line(number)
        return line

    def _foreign_line(self, number: int) -> ResumableJsonlError:
        return ResumableJsonlError(
            f"{self.path}: line {number} was not written by `heddle describe`: move the file away or choose another "
            "with --output"
        )

    def _rewrite(self) -> None:
        """Replace the file atomically by one with one line for each path."""
        unfinished = self.path.with_name(f".{self.path.name}.unfinished")
        unfinished.write_text("".join(map(_text, self._lines.values())), encoding="utf-8", newline="\n")
        unfinished.replace(self.path)


def _text(line: JsonLine) -> str:
    text = json.dumps(line, ensure_ascii=False, allow_nan=False)
    try:
        text.encode()
    except UnicodeEncodeError:  # a file name that is not UTF-8: ASCII escapes can be written and read back
        text = json.dumps(line, allow_nan=False)
    return text + "\n"
