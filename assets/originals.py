"""Where the original pictures lie in the tars of ``data/catalog``, and how to read one."""

import tarfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Original:
    """Where the bytes of an original picture lie: a stretch of an uncompressed tar."""

    tar: Path
    offset: int
    size: int

    def read(self) -> bytes:
        """The picture file's bytes."""
        with self.tar.open("rb") as file:
            file.seek(self.offset)
            return file.read(self.size)


def find_originals(catalog: Path) -> dict[str, Original]:
    """Where each original picture lies, by its SHA-256."""
    found = {}
    for path in sorted(catalog.glob("images-*.tar")):
        with tarfile.open(path, "r:") as tar:
            for member in tar:
                tar.members.clear()  # type: ignore[attr-defined]  # a kilobyte for each
                found[member.name] = Original(path, member.offset_data, member.size)
    return found
