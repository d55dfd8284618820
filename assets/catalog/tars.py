"""The original pictures as tar files whose bytes follow from the pictures alone."""

import hashlib
import io
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from assets.catalog.pictures import Picture
from assets.stage import StageError

TAR_BYTES = 256_000_000  # a new file is begun when one holds so many


def write_pictures(folder: Path, pictures: Iterable[Picture]) -> list[dict[str, Any]]:
    """Write `images-00000.tar`, … and return the rows of the table `images`, sorted by sha256.

    Raises:
        StageError: a picture that lies outside the stage changed while the stage ran.
    """
    distinct = {picture.sha256: picture for picture in pictures}
    rows: list[dict[str, Any]] = []
    for number, batch in enumerate(_batches([distinct[sha256] for sha256 in sorted(distinct)])):
        name = f"images-{number:05d}.tar"
        with tarfile.open(folder / name, "w", format=tarfile.USTAR_FORMAT) as tar:
            for picture in batch:
                _add(tar, picture)
                rows.append(_row(picture, name))
    return rows


def _batches(pictures: list[Picture]) -> Iterable[list[Picture]]:
    batch: list[Picture] = []
    size = 0
    for picture in pictures:
        if batch and size + picture.bytes > TAR_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(picture)
        size += picture.bytes
    if batch:
        yield batch


def _add(tar: tarfile.TarFile, picture: Picture) -> None:
    content = Path(picture.path).read_bytes()
    if hashlib.sha256(content).hexdigest() != picture.sha256:
        raise StageError(f"{picture.path} changed while it was read: run `dvc repro catalog` again")
    member = tarfile.TarInfo(picture.sha256)  # mtime, uid and gid are 0, the owners' names empty, by default
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))


def _row(picture: Picture, tar: str) -> dict[str, Any]:
    return {
        "sha256": picture.sha256,
        "tar": tar,
        "format": picture.format,
        "width": picture.width,
        "height": picture.height,
        "bytes": picture.bytes,
        "perceptual_hash": picture.perceptual_hash.hex(),
    }
