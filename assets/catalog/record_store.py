"""Store records in a temporary file, so that memory holds only their offsets."""

import json
import os
import tempfile
import threading
from pathlib import Path
from typing import Any

_LENGTH = 8  # bytes of the length prefix of each record


class RecordStore:
    """An unnamed temporary file of records as JSON. It is thread-safe and is deleted with its last reference.

    Args:
        folder: folder of the temporary file.
    """

    def __init__(self, folder: Path) -> None:
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  open as long as this object exists
        self._end = 0
        self._lock = threading.Lock()

    def put(self, record: object) -> int:
        """Append a record, made of JSON's types, and return its offset."""
        content = json.dumps(record).encode()
        with self._lock:
            offset = self._end
            self._file.write(len(content).to_bytes(_LENGTH))
            self._file.write(content)
            self._end += _LENGTH + len(content)
        return offset

    def get(self, offset: int) -> Any:
        """Return the record at an offset."""
        with self._lock:
            self._file.flush()
        length = int.from_bytes(os.pread(self._file.fileno(), _LENGTH, offset))
        return json.loads(os.pread(self._file.fileno(), length, offset + _LENGTH))
