"""The writer and those who judge it, opened: image files to lines of content with scores."""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import pyarrow.parquet as pq

from heddle.content.content import Content
from heddle.content.lexicon import Lexicon
from heddle.content.rubric import Titles
from heddle.core.parameters.section import load
from heddle.core.parameters.shared import Split
from heddle.core.skipped import skip_reason
from heddle.core.splits import split_of
from heddle.description.certainty import CERTAINTY_FILE, Certainty
from heddle.description.inputs import ImageFile, Shape, image_file_of, shape_of
from heddle.description.quality import Case, Judges
from heddle.description.resumable_jsonl import Line
from heddle.description.user_inputs import UserInputs
from heddle.images.resize import ImageDecodeError
from lightning_modules.clip.encoder import ClipEncoder
from lightning_modules.layers.generation import Pick, greedy
from lightning_modules.vision.classifier import VisionClassifier
from lightning_modules.writer.content_writer import ContentWriter
from lightning_modules.writer.row_sampler import RowSampler

TOP_P = 0.9
"""Where words are drawn: from the fewest likeliest that have this probability together."""
MODELS = ("writer", "clip", "vision", "writer_evaluation")
MODEL_FILES = ("config.json", "model.safetensors", "tokenizer.json", "lexicon.json", CERTAINTY_FILE)

LOST = {"clip": "No relevance", "vision": "No accuracy but as --objects tells"}
"""What scores lack without a model."""


@dataclass(frozen=True)
class Known:
    """An image whose turn it is.

    Attributes:
        head: what its line begins with.
        told: columns `context`, `objects` and `relations` of a listing.
        image: a file's bytes, then the image; or why there is none.
    """

    head: Line
    told: Mapping[str, Any]
    image: bytes | ImageFile | str

    def decoded(self, shapes: Collection[Shape]) -> Self:
        """With the image in place of its bytes."""
        if not isinstance(self.image, bytes):
            return self
        try:
            return replace(self, image=image_file_of(self.image, shapes))
        except ImageDecodeError as error:
            return replace(self, image=f"not an image that can be read: {error}")


class Describer:
    """Opened once for any number of images.

    Args:
        made_with: a hash of the models.
        seed: of the words' drawing; None takes the likeliest.
        remarks: which scores there cannot be, and why.
    """

    def __init__(
        self,
        writer: ContentWriter,
        judges: Judges,
        made_with: str = "",
        seed: int | None = None,
        remarks: Sequence[str] = (),
    ) -> None:
        self.writer, self.judges, self.made_with, self.seed, self.remarks = writer, judges, made_with, seed, remarks
        self.shape = shape_of(writer.network.config)
        self.shapes = [self.shape, *judges.shapes]

    @classmethod
    def from_folders(cls, data: Path, threads: int, seed: int | None = None) -> Self:
        """The models in the folders of the stages' outputs, of which that of `writer` must be whole."""
        writer = ContentWriter.from_folder(data / "writer", threads)
        missing = {model: reason for model in ("clip", "vision") if (reason := _why_missing(data / model))}
        certainty, titles = Certainty.from_folder(data / "writer_evaluation"), _titles(data)
        judges = Judges(
            Lexicon.from_folder(data / "writer"),
            Titles(titles),
            certainty,
            None if "clip" in missing else ClipEncoder.from_pretrained(data / "clip", threads),
            None if "vision" in missing else VisionClassifier.from_pretrained(data / "vision", threads),
        )
        return cls(writer, judges, _hash_of(data), seed, _remarks(missing, certainty, titles))

    def read(self, path: Path, name: str, told: UserInputs) -> Known:
        """A file's bytes; in its line and in what is told it is called ``name``."""
        try:
            return self.known(name, told.row(name), path.read_bytes())
        except OSError as error:
            return self.known(name, told.row(name), str(error.strerror))

    def known(self, name: str, row: Mapping[str, Any], image: bytes | str) -> Known:
        """An image file's bytes, or why there are none, with columns `context`, `objects` and `relations`."""
        asked = json.dumps([self.made_with, self.seed, row], sort_keys=True)
        sha256 = None if isinstance(image, str) else hashlib.sha256(image).hexdigest()
        head = {"path": name, "sha256": sha256, "asked": hashlib.sha256(asked.encode()).hexdigest()[:12]}
        return Known(head, row, image)

    def lines(self, batch: Sequence[Known]) -> list[Line]:
        """Describe images together; each line is as if its image were described alone."""
        batch = [known.decoded(self.shapes) for known in batch]
        cases = iter(self._cases([(one.image, one.told) for one in batch if isinstance(one.image, ImageFile)]))
        return [
            {**one.head, **(next(cases) if isinstance(one.image, ImageFile) else {"error": one.image})} for one in batch
        ]

    def _cases(self, known: Sequence[tuple[ImageFile, Mapping[str, Any]]]) -> list[dict[str, Any]]:
        if not known:
            return []
        inputs = [image.inputs(self.shape, told) for image, told in known]
        written = self.writer.write(inputs, self._pick([image.sha256 for image, _ in known]))
        cases = [
            Case(image, told, one, Content.from_fields(one.fields))
            for (image, told), one in zip(known, written, strict=True)
        ]
        return [
            {"content": case.content.as_json(), "scores": scores.as_json()}
            for case, scores in zip(cases, self.judges.scores(cases), strict=True)
        ]

    def _pick(self, keys: Sequence[str]) -> Pick:
        return greedy if self.seed is None else RowSampler(keys, self.seed, TOP_P)


def _why_missing(folder: Path) -> str | None:
    if reason := skip_reason(folder):
        return reason
    return None if (folder / "model.safetensors").is_file() else f"{folder} is not there: run `dvc repro {folder.name}`"


def _titles(data: Path) -> dict[str, str]:
    """The titles of the train split, by id; none where the listings are not there."""
    file = data / "validated" / "listings.parquet"
    if not file.is_file():
        return {}
    split = load("split", Split, data.parent)
    rows = pq.read_table(file, columns=["id", "title"]).to_pylist()
    return {row["id"]: row["title"] for row in rows if row["title"] and split_of(row["id"], split) == "train"}


def _hash_of(data: Path) -> str:
    """Of all that content and scores are made with."""
    made_with = hashlib.sha256()
    for file in (data / model / name for model in MODELS for name in MODEL_FILES):
        if file.is_file():
            with file.open("rb") as content:
                made_with.update(
                    f"{file.relative_to(data)} {hashlib.file_digest(content, 'sha256').hexdigest()}".encode()
                )
    return made_with.hexdigest()


def _remarks(missing: Mapping[str, str], certainty: Certainty | None, titles: Mapping[str, str]) -> list[str]:
    found = [f"{LOST[model]}, as there is no model {model}: {reason}" for model, reason in missing.items()]
    if certainty is None:
        found.append(f"No certainty, as data/writer_evaluation has no {CERTAINTY_FILE}.")
    if not titles:
        found.append("No title counts as repeated, as data/validated/listings.parquet is not there.")
    return found
