"""Where original images lie, in the tars of ``data/catalog`` in the end, and how to read one."""

import tarfile
from pathlib import Path
from typing import NamedTuple, Self


class Original(NamedTuple):
    """Where the bytes of an original image lie: a stretch of a file, such as an uncompressed tar."""

    file: str
    offset: int
    size: int

    @classmethod
    def whole(cls, path: Path) -> Self:
        """All of a file."""
        return cls(str(path), 0, path.stat().st_size)

    def read(self) -> bytes:
        """The image file's bytes."""
        with Path(self.file).open("rb", buffering=0) as file:
            file.seek(self.offset)
            return file.read(self.size)


def find_originals(catalog: Path) -> dict[str, Original]:
    """Where each original image lies, by its SHA-256."""
    found = {}
    for path in sorted(catalog.glob("images-*.tar")):
        with tarfile.open(path, "r:") as tar:
            for member in tar:
                tar.members.clear()  # type: ignore[attr-defined]  # a kilobyte for each
                found[member.name] = Original(str(path), member.offset_data, member.size)
    return found
