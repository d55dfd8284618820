"""Write the original images as tar files whose bytes depend only on the images."""

import hashlib
import io
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from assets.catalog.images import ImageInfo
from heddle.core.stage import StageError

MAX_TAR_BYTES = 256_000_000  # of images in one tar


def write_images(folder: Path, images: Iterable[ImageInfo]) -> Iterator[dict[str, Any]]:
    """Write `images-00000.tar`, … and yield the rows of the table `images`, sorted by sha256.

    Raises:
        StageError: a local image changed while the stage ran.
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
        if batch and size + image.original.size > MAX_TAR_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(image)
        size += image.original.size
    if batch:
        yield batch


def _add(tar: tarfile.TarFile, image: ImageInfo) -> None:
    content = image.original.read()
    if hashlib.sha256(content).hexdigest() != image.sha256:
        raise StageError(f"{image.original.file} changed during the run; run `dvc repro catalog` again")
    member = tarfile.TarInfo(image.sha256)  # by default mtime, uid and gid are 0 and the owners' names are empty
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
