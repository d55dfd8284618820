"""Images' original bytes on disk while the stage runs, one behind the other: files of their own cost more to make."""

import tempfile
from pathlib import Path

from heddle.images.originals import Original


class AppendOnlyBlobFile:
    """A file in a folder that others may write to as well. One thread may use it.

    Args:
        folder: who deletes it deletes all.
    """

    def __init__(self, folder: Path) -> None:
        self._file = tempfile.NamedTemporaryFile(dir=folder, delete=False, buffering=0)  # noqa: SIM115  while this lives
        self._end = 0

    def put(self, content: bytes) -> Original:
        """Keep an image; the answer is where.

        Raises:
            OSError: it cannot be written, as the disk is full.
        """
        start, left = self._end, memoryview(content)
        while left:
            written = self._file.write(left)
            self._end += written
            left = left[written:]
        return Original(self._file.name, start, len(content))
