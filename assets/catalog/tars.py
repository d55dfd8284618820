"""The original pictures as tar files whose bytes follow from the pictures alone."""

import hashlib
import io
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from assets.catalog.images import Picture
from heddle.core.stage import StageError

TAR_BYTES = 256_000_000  # a new file is begun when one holds so many


def write_pictures(folder: Path, pictures: Iterable[Picture]) -> Iterator[dict[str, Any]]:
    """Write `images-00000.tar`, … while the rows of the table `images` are taken, sorted by sha256.

    Raises:
        StageError: a picture that lies outside the stage changed while the stage ran.
    """
    distinct = {picture.sha256: picture for picture in pictures}
    for number, batch in enumerate(_batches([distinct[sha256] for sha256 in sorted(distinct)])):
        name = f"images-{number:05d}.tar"
        with tarfile.open(folder / name, "w", format=tarfile.USTAR_FORMAT) as tar:
            for picture in batch:
                _add(tar, picture)
                yield _row(picture, name)


def _batches(pictures: list[Picture]) -> Iterator[list[Picture]]:
    batch: list[Picture] = []
    size = 0
    for picture in pictures:
        if batch and size + picture.original.size > TAR_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(picture)
        size += picture.original.size
    if batch:
        yield batch


def _add(tar: tarfile.TarFile, picture: Picture) -> None:
    content = picture.original.read()
    if hashlib.sha256(content).hexdigest() != picture.sha256:
        raise StageError(f"{picture.original.file} changed while it was read: run `dvc repro catalog` again")
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
        "bytes": picture.original.size,
        "perceptual_hash": picture.perceptual_hash.hex(),
    }
