"""Write content for images, and say how good it is.

Reads ``data/writer`` and, as far as they are there, ``data/clip``, ``data/vision``, the calibration in
``data/writer_evaluation`` and the titles in ``data/validated``; needs no server.
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
from heddle.description.resumable_jsonl import Line, ResumableJsonlWriter
from heddle.description.user_inputs import UserInputs
from heddle.images.formats import FORMATS
from heddle.images.image_file import read_image
from heddle.images.resize import ImageDecodeError

if TYPE_CHECKING:
    from heddle.description.describer import Describer, Known

WRITER_FILES = ("config.json", "model.safetensors", "tokenizer.json", "lexicon.json")
JOURNAL_FILE = "descriptions.jsonl"
"""In the folder of the images, unless another file is named."""
BATCH = 16
"""Images that are described together: what a stop can cost."""


class DescribeError(UserError):
    """There is nothing to describe, or nothing to describe it with; the message says why and what to do."""


@dataclass(frozen=True)
class Tally:
    """How far a folder is described.

    Attributes:
        total: images in it.
        kept: were described before.
        made: were described now.
        failed: are no images that can be read, now or before.
    """

    total: int
    kept: int = 0
    made: int = 0
    failed: int = 0

    @property
    def done(self) -> int:
        """Images whose line stands."""
        return self.kept + self.made + self.failed


def open_describer(data: Path = DATA, seed: int | None = None) -> "Describer":
    """The models in the folder of the stages' outputs.

    Args:
        data: that folder.
        seed: of the words' drawing; None takes the likeliest.

    Raises:
        DescribeError: there is no writer.
    """
    folder = data / "writer"
    if reason := skip_reason(folder):
        raise DescribeError(f"there is no writer: {reason}")
    if lacking := [name for name in WRITER_FILES if not (folder / name).is_file()]:
        raise DescribeError(f"{folder} lacks {', '.join(lacking)}: run `heddle run` or `dvc repro writer` first")
    from heddle.description.describer import Describer  # torch takes seconds to import; errors do not

    return Describer.from_folders(data, os.cpu_count() or 1, seed)


def check_image(image: Path) -> None:
    """Whether a file is an image, before models are loaded.

    Raises:
        DescribeError: it is missing, or no image.
    """
    try:
        read_image(image, 1, "pad")
    except ImageDecodeError as error:
        raise DescribeError(str(error)) from error


def describe(image: Path, told: UserInputs, describer: "Describer") -> Line:
    """Content for one image, with scores.

    Args:
        image: an image file of any format that Pillow reads.
        told: the scene, if there is any, by the path as it is given here.

    Raises:
        DescribeError: the file is missing or no image.
    """
    (line,) = describer.lines([describer.read(image, str(image), told)])
    if "error" in line:
        raise DescribeError(f"{image}: {line['error']}")
    return line


def describe_folder(
    folder: Path, names: Sequence[str], told: UserInputs, describer: "Describer", output: Path
) -> Iterator[Tally]:
    """Content for images of a folder, written to ``output`` as it is made.

    What stands there already, of the same image and asked the same, stays. An image that cannot be read gets a line
    with the reason.

    Args:
        names: of the images, as :func:`images_in` finds them.
        told: scenes by these names.

    Raises:
        ResumableJsonlError: ``output`` cannot be written on.
    """
    tally = Tally(len(names))
    with ResumableJsonlWriter(output) as journal:
        batch: list[Known] = []
        for name in names:
            known = describer.read(folder / name, name, told)
            if before := journal.find(known.head):
                tally = _counted(tally, [before], kept=True)
            else:
                batch.append(known.decoded(describer.shapes))
            if len(batch) == BATCH:
                tally, batch = _write(tally, batch, describer, journal), []
            yield tally
        yield _write(tally, batch, describer, journal)


def images_in(folder: Path) -> list[str]:
    """Paths of the image files within a folder and its folders, by their names' endings, sorted; no hidden ones.

    Raises:
        DescribeError: there are none.
    """

    endings = {ending for ending, form in Image.registered_extensions().items() if form in FORMATS}
    found: list[str] = []
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        paths = [Path(place, name).relative_to(folder) for name in files if not name.startswith(".")]
        found += [path.as_posix() for path in paths if path.suffix.lower() in endings]
    if not found:
        raise DescribeError(f"{folder}: no file in it ends as those of images do: {', '.join(sorted(endings))}")
    return sorted(found)


def _write(tally: Tally, batch: Sequence["Known"], describer: "Describer", journal: ResumableJsonlWriter) -> Tally:
    lines = describer.lines(batch)
    journal.append(lines)
    return _counted(tally, lines, kept=False)


def _counted(tally: Tally, lines: Sequence[Line], *, kept: bool) -> Tally:
    failed = sum("error" in line for line in lines)
    sound = len(lines) - failed
    return replace(
        tally,
        failed=tally.failed + failed,
        kept=tally.kept + sound * kept,
        made=tally.made + sound * (not kept),
    )
