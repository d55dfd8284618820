"""The loaded writer and the models that score its content: image files to lines of JSON."""

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
from heddle.core.parameters.section import PARAMS_FILE, load
from heddle.core.parameters.shared import Split
from heddle.core.skipped import skip_reason
from heddle.core.splits import split_of_listing
from heddle.description.certainty import CERTAINTY_FILE, Certainty
from heddle.description.grounding import ground
from heddle.description.inputs import ImageFile, Shape, decode_image_file, shape_of
from heddle.description.parameters import DescribeParameters
from heddle.description.quality import ContentScorer, DescribedImage, QualityScores
from heddle.description.resumable_jsonl import JsonLine
from heddle.description.user_inputs import UserInputs
from heddle.images.resize import ImageDecodeError
from lightning_modules.clip.encoder import ClipEncoder
from lightning_modules.layers.generation import Pick, greedy
from lightning_modules.vision.classifier import VisionClassifier
from lightning_modules.writer.content_writer import ContentWriter, GeneratedContent
from lightning_modules.writer.row_sampler import RowSampler
from lightning_modules.writer.samples import Inputs

TOP_P = 0.9
"""Nucleus of sampling with a seed (Holtzman et al. 2020)."""
MODELS = ("writer", "clip", "vision", "writer_evaluation")
MODEL_FILES = ("config.json", "model.safetensors", "tokenizer.json", "lexicon.json", CERTAINTY_FILE)

MISSING_SCORES = {"clip": "No relevance", "vision": "No accuracy except from --objects"}
"""Optional model to the scores that are missing without it."""


@dataclass(frozen=True)
class PendingImage:
    """An image that is to be described.

    Attributes:
        header: first keys of its line.
        columns: columns `context`, `objects` and `relations` of a listing.
        image: the file's bytes, then the decoded image; or the reason why it cannot be read.
    """

    header: JsonLine
    columns: Mapping[str, Any]
    image: bytes | ImageFile | str

    def decode(self, shapes: Collection[Shape]) -> Self:
        """The same with the decoded image instead of its bytes."""
        if not isinstance(self.image, bytes):
            return self
        try:
            return replace(self, image=decode_image_file(self.image, shapes))
        except ImageDecodeError as error:
            return replace(self, image=f"not a readable image: {error}")


class Describer:
    """Describes any number of images with models that are loaded once.

    Args:
        writer: writes the content.
        scorer: scores it.
        models_hash: hash of the models' files.
        seed: seed of sampling; None decodes greedily.
        remarks: which scores are missing, and why.
        min_certainty: content with a smaller certainty is marked as not certain.
    """

    def __init__(
        self,
        writer: ContentWriter,
        scorer: ContentScorer,
        models_hash: str = "",
        seed: int | None = None,
        remarks: Sequence[str] = (),
        min_certainty: float = DescribeParameters().min_certainty,
    ) -> None:
        self.writer, self.scorer, self.models_hash, self.seed, self.remarks = writer, scorer, models_hash, seed, remarks
        self.min_certainty = min_certainty
        self.shape = shape_of(writer.network.config)
        self.shapes = [self.shape, *scorer.shapes]

    @classmethod
    def from_folders(cls, data: Path, threads: int, seed: int | None = None) -> Self:
        """Load the models from the stages' output folders. Only `writer` is required."""
        writer = ContentWriter.from_folder(data / "writer", threads)
        missing = {model: reason for model in ("clip", "vision") if (reason := _missing_reason(data / model))}
        certainty, titles = Certainty.from_folder(data / "writer_evaluation"), _train_titles(data)
        scorer = ContentScorer(
            Lexicon.from_folder(data / "writer"),
            Titles(titles),
            certainty,
            None if "clip" in missing else ClipEncoder.from_pretrained(data / "clip", threads),
            None if "vision" in missing else VisionClassifier.from_pretrained(data / "vision", threads),
        )
        remarks = _remarks(missing, certainty, titles)
        has_parameters = (data.parent / PARAMS_FILE).is_file()  # a released writer works without a project
        settings = load("describe", DescribeParameters, data.parent) if has_parameters else DescribeParameters()
        return cls(writer, scorer, _hash_models(data), seed, remarks, settings.min_certainty)

    def read(self, path: Path, name: str, inputs: UserInputs) -> PendingImage:
        """Read a file.

        Args:
            path: path of the file.
            name: its name in its line and in ``inputs``.
            inputs: context and scenes.
        """
        try:
            return self.prepare(name, inputs.row(name), path.read_bytes())
        except OSError as error:
            return self.prepare(name, inputs.row(name), str(error.strerror))

    def prepare(self, name: str, columns: Mapping[str, Any], image: bytes | str) -> PendingImage:
        """An image to describe.

        Args:
            name: its name in its line.
            columns: columns `context`, `objects` and `relations` of a listing.
            image: the file's bytes, or the reason why there are none.
        """
        request = json.dumps([self.models_hash, self.seed, self.min_certainty, columns], sort_keys=True)
        sha256 = None if isinstance(image, str) else hashlib.sha256(image).hexdigest()
        header = {"path": name, "sha256": sha256, "request": hashlib.sha256(request.encode()).hexdigest()[:12]}
        return PendingImage(header, columns, image)

    def describe(self, batch: Sequence[PendingImage]) -> list[JsonLine]:
        """The line of each image. A line does not depend on the other images of the batch."""
        batch = [pending.decode(self.shapes) for pending in batch]
        descriptions = iter(self._descriptions([pending for pending in batch if isinstance(pending.image, ImageFile)]))
        lines: list[JsonLine] = []
        for pending in batch:
            result = next(descriptions) if isinstance(pending.image, ImageFile) else {"error": pending.image}
            lines.append({**pending.header, **result})
        return lines

    def _descriptions(self, batch: Sequence[PendingImage]) -> list[dict[str, Any]]:
        """Content and scores of each decoded image."""
        if not batch:
            return []
        images = [pending.image for pending in batch if isinstance(pending.image, ImageFile)]
        columns = [pending.columns for pending in batch]
        inputs = [image.writer_inputs(self.shape, row) for image, row in zip(images, columns, strict=True)]
        written = self._ground(
            inputs, columns, self.writer.write(inputs, self._pick([image.sha256 for image in images]))
        )
        described = [
            DescribedImage(image, row, one, Content.from_fields(one.fields))
            for image, row, one in zip(images, columns, written, strict=True)
        ]
        return [
            {"content": image.content.as_json(), "certain": self._is_certain(scores), "scores": scores.as_json()}
            for image, scores in zip(described, self.scorer.score(described), strict=True)
        ]

    def _ground(
        self, inputs: Sequence[Inputs], columns: Sequence[Mapping[str, Any]], written: Sequence[GeneratedContent]
    ) -> list[GeneratedContent]:
        """The written content without unsupported facts; content that changes is scored again."""
        contents = list(written)
        grounded = [ground(one.fields, row, self.scorer.lexicon) for one, row in zip(written, columns, strict=True)]
        changed = [index for index, fields in enumerate(grounded) if fields != written[index].fields]
        if changed:
            scores = self.writer.score([inputs[index] for index in changed], [grounded[index] for index in changed])
            for index, score in zip(changed, scores, strict=True):
                contents[index] = GeneratedContent(**vars(score), fields=grounded[index])
        return contents

    def _is_certain(self, scores: QualityScores) -> bool | None:
        """Whether the certainty reaches the bound; None without a certainty."""
        return None if scores.certainty is None else scores.certainty >= self.min_certainty

    def _pick(self, keys: Sequence[str]) -> Pick:
        return greedy if self.seed is None else RowSampler(keys, self.seed, TOP_P)


def _missing_reason(folder: Path) -> str | None:
    if reason := skip_reason(folder):
        return reason
    return None if (folder / "model.safetensors").is_file() else f"{folder} is missing: run `dvc repro {folder.name}`"


def _train_titles(data: Path) -> dict[str, str]:
    """Ids of the train split's listings to their titles; empty if there is no table of listings."""
    file = data / "validated" / "listings.parquet"
    if not file.is_file():
        return {}
    split = load("split", Split, data.parent)
    rows = pq.read_table(file, columns=["id", "title", "same_image_as"]).to_pylist()
    return {row["id"]: row["title"] for row in rows if row["title"] and split_of_listing(row, split) == "train"}


def _hash_models(data: Path) -> str:
    """Hash of all files that content and scores depend on."""
    digest = hashlib.sha256()
    for file in (data / model / name for model in MODELS for name in MODEL_FILES):
        if file.is_file():
            with file.open("rb") as content:
                file_hash = hashlib.file_digest(content, "sha256").hexdigest()
            digest.update(f"{file.relative_to(data)} {file_hash}".encode())
    return digest.hexdigest()


def _remarks(missing: Mapping[str, str], certainty: Certainty | None, titles: Mapping[str, str]) -> list[str]:
    remarks = [f"{MISSING_SCORES[model]}: no model {model}: {reason}" for model, reason in missing.items()]
    if certainty is None:
        remarks.append(f"No certainty: data/writer_evaluation/{CERTAINTY_FILE} is missing.")
    if not titles:
        remarks.append("Titles are not checked for repetition: data/validated/listings.parquet is missing.")
    return remarks
