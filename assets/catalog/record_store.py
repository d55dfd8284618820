"""Records on disk, as many as there are: memory holds only where each lies."""

import os
import pickle
import tempfile
import threading
from pathlib import Path
from typing import Any

_LENGTH = 8  # bytes before each record that say how long it is


class Shelf:
    """A file without a name, which is gone when nobody holds it any more. Threads may use it.

    Args:
        folder: on whose disk it lies.
    """

    def __init__(self, folder: Path) -> None:
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  open as long as this lives
        self._end = 0
        self._lock = threading.Lock()

    def put(self, record: object) -> int:
        """Keep a record; the answer is its place."""
        content = pickle.dumps(record, pickle.HIGHEST_PROTOCOL)
        with self._lock:
            place = self._end
            self._file.write(len(content).to_bytes(_LENGTH))
            self._file.write(content)
            self._end += _LENGTH + len(content)
        return place

    def get(self, place: int) -> Any:
        """The record at a place."""
        with self._lock:
            self._file.flush()
        length = int.from_bytes(os.pread(self._file.fileno(), _LENGTH, place))
        return pickle.loads(os.pread(self._file.fileno(), length, place + _LENGTH))
