"""Write content for images and score it.

Reads ``data/writer`` and, if they exist, ``data/clip``, ``data/vision``, the calibration in ``data/writer_evaluation``
and the titles in ``data/validated``.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from heddle.core.errors import UserError
from heddle.core.skipped import skip_reason
from heddle.core.stage import DATA
from heddle.description.resumable_jsonl import JsonLine, ResumableJsonlWriter
from heddle.description.user_inputs import UserInputs
from heddle.images.formats import FORMATS
from heddle.images.image_file import read_image
from heddle.images.resize import ImageDecodeError

if TYPE_CHECKING:
    from heddle.description.describer import Describer, PendingImage

WRITER_FILES = ("config.json", "model.safetensors", "tokenizer.json", "lexicon.json")
DESCRIPTIONS_FILE = "descriptions.jsonl"
"""Default output file, in the folder of the images."""
BATCH = 16
"""Images that are described together. An interruption loses at most one batch."""


class DescribeError(UserError):
    """The images or the writer are missing. The message contains the reason and what to do."""


@dataclass(frozen=True)
class Tally:
    """Progress in a folder, as numbers of images.

    Attributes:
        total: images in the folder.
        kept: described by an earlier call.
        written: described by this call.
        failed: unreadable, in this or an earlier call.
    """

    total: int
    kept: int = 0
    written: int = 0
    failed: int = 0

    @property
    def done(self) -> int:
        """Images that have a line."""
        return self.kept + self.written + self.failed


def open_describer(data: Path = DATA, seed: int | None = None) -> "Describer":
    """Load the models.

    Args:
        data: folder of the stages' outputs.
        seed: seed of sampling; None decodes greedily.

    Raises:
        DescribeError: the writer was skipped or its files are missing.
    """
    folder = data / "writer"
    if reason := skip_reason(folder):
        raise DescribeError(f"no trained writer: {reason}")
    if missing := [name for name in WRITER_FILES if not (folder / name).is_file()]:
        raise DescribeError(f"{folder}: no file {', '.join(missing)}: run `heddle run` or `dvc repro writer` first")
    from heddle.description.describer import Describer  # torch takes seconds to import; the errors above come first

    return Describer.from_folders(data, os.cpu_count() or 1, seed)


def check_image(image: Path) -> None:
    """Check that a file is an image, before models are loaded.

    Raises:
        DescribeError: the file is missing or not an image.
    """
    try:
        read_image(image, 1, "pad")
    except ImageDecodeError as error:
        raise DescribeError(str(error)) from error


def describe(image: Path, inputs: UserInputs, describer: "Describer") -> JsonLine:
    """Write and score the content of one image.

    Args:
        image: path of an image in a format that Pillow reads.
        inputs: context, and the scene by the same path.
        describer: the loaded models.

    Raises:
        DescribeError: the file is missing or not an image.
    """
    (line,) = describer.describe([describer.read(image, str(image), inputs)])
    if "error" in line:
        raise DescribeError(f"{image}: {line['error']}")
    return line


def describe_folder(
    folder: Path, names: Sequence[str], inputs: UserInputs, describer: "Describer", output: Path
) -> Iterator[Tally]:
    """Write and score the content of a folder's images, batch by batch, to ``output``.

    Lines of ``output`` with the same image and the same request are kept. An unreadable image gets a line with the
    reason.

    Args:
        folder: the folder.
        names: names of the images, as :func:`find_images` returns them.
        inputs: context, and scenes by these names.
        describer: the loaded models.
        output: path of the JSON Lines.

    Returns:
        The progress after each image.

    Raises:
        ResumableJsonlError: ``output`` cannot be continued.
    """
    tally = Tally(len(names))
    with ResumableJsonlWriter(output) as writer:
        batch: list[PendingImage] = []
        for name in names:
            pending = describer.read(folder / name, name, inputs)
            kept = writer.find(pending.header)
            if kept is None:
                batch.append(pending.decode(describer.shapes))
            elif "error" in kept:
                tally = replace(tally, failed=tally.failed + 1)
            else:
                tally = replace(tally, kept=tally.kept + 1)
            if len(batch) == BATCH:
                tally, batch = _write_batch(tally, batch, describer, writer), []
            yield tally
        yield _write_batch(tally, batch, describer, writer)


def find_images(folder: Path) -> list[str]:
    """Relative paths of the image files in a folder and its subfolders, sorted, without hidden ones.

    A file is an image if it has an image format's file extension.

    Raises:
        DescribeError: the folder contains no image.
    """
    endings = {ending for ending, form in Image.registered_extensions().items() if form in FORMATS}
    found: list[str] = []
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        paths = [Path(parent, name).relative_to(folder) for name in files if not name.startswith(".")]
        found += [path.as_posix() for path in paths if path.suffix.lower() in endings]
    if not found:
        raise DescribeError(f"{folder}: no image found; file extensions of images: {', '.join(sorted(endings))}")
    return sorted(found)


def _write_batch(
    tally: Tally, batch: Sequence["PendingImage"], describer: "Describer", writer: ResumableJsonlWriter
) -> Tally:
    lines = describer.describe(batch)
    writer.append(lines)
    failed = sum("error" in line for line in lines)
    return replace(tally, failed=tally.failed + failed, written=tally.written + len(lines) - failed)
