"""Locate and read the original images in the tars of ``data/catalog``."""

import tarfile
from pathlib import Path
from typing import NamedTuple, Self


class Original(NamedTuple):
    """Location of an original image: a range of bytes in a file, for example in an uncompressed tar."""

    file: str
    offset: int
    size: int

    @classmethod
    def whole(cls, path: Path) -> Self:
        """Return the location of a whole file."""
        return cls(str(path), 0, path.stat().st_size)

    def read(self) -> bytes:
        """Read the bytes of the image file."""
        with Path(self.file).open("rb", buffering=0) as file:
            file.seek(self.offset)
            return file.read(self.size)


def find_originals(catalog: Path) -> dict[str, Original]:
    """Return the location of each original image by SHA-256."""
    found = {}
    for path in sorted(catalog.glob("images-*.tar")):
        with tarfile.open(path, "r:") as tar:
            for member in tar:
                tar.members.clear()  # type: ignore[attr-defined]  # tarfile would keep a kilobyte for each member
                found[member.name] = Original(str(path), member.offset_data, member.size)
    return found
