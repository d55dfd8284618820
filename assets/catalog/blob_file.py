"""Keep the original bytes of images in one file while the stage runs; one file per image would be slower."""

import tempfile
from pathlib import Path

from heddle.images.originals import Original


class AppendOnlyBlobFile:
    """A temporary file for the bytes of many images. It is not thread-safe.

    Args:
        folder: folder of the file; the caller deletes the folder.
    """

    def __init__(self, folder: Path) -> None:
        self._file = tempfile.NamedTemporaryFile(dir=folder, delete=False, buffering=0)  # noqa: SIM115  open as long as this object exists
        self._end = 0

    def put(self, content: bytes) -> Original:
        """Append an image and return its location.

        Raises:
            OSError: the image cannot be written, for example because the disk is full.
        """
        start, rest = self._end, memoryview(content)
        while rest:
            written = self._file.write(rest)
            self._end += written
            rest = rest[written:]
        return Original(self._file.name, start, len(content))
