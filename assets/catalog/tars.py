"""The original images as tar files whose bytes follow from the images alone."""

import hashlib
import io
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from assets.catalog.images import ImageInfo
from heddle.core.stage import StageError

TAR_BYTES = 256_000_000  # a new file is begun when one holds so many


def write_images(folder: Path, images: Iterable[ImageInfo]) -> Iterator[dict[str, Any]]:
    """Write `images-00000.tar`, … while the rows of the table `images` are taken, sorted by sha256.

    Raises:
        StageError: an image that lies outside the stage changed while the stage ran.
    """
    distinct = {image.sha256: image for image in images}
    for number, batch in enumerate(_batches([distinct[sha256] for sha256 in sorted(distinct)])):
        name = f"images-{number:05d}.tar"
        with tarfile.open(folder / name, "w", format=tarfile.USTAR_FORMAT) as tar:
            for image in batch:
                _add(tar, image)
                yield _row(image, name)


def _batches(images: list[ImageInfo]) -> Iterator[list[ImageInfo]]:
    batch: list[ImageInfo] = []
    size = 0
    for image in images:
        if batch and size + image.original.size > TAR_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(image)
        size += image.original.size
    if batch:
        yield batch


def _add(tar: tarfile.TarFile, image: ImageInfo) -> None:
    content = image.original.read()
    if hashlib.sha256(content).hexdigest() != image.sha256:
        raise StageError(f"{image.original.file} changed while it was read: run `dvc repro catalog` again")
    member = tarfile.TarInfo(image.sha256)  # mtime, uid and gid are 0, the owners' names empty, by default
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))


def _row(image: ImageInfo, tar: str) -> dict[str, Any]:
    return {
        "sha256": image.sha256,
        "tar": tar,
        "format": image.format,
        "width": image.width,
        "height": image.height,
        "bytes": image.original.size,
        "perceptual_hash": image.perceptual_hash.hex(),
    }
