"""Everything the page tells, read once from the folders under ``data/``."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from heddle.core.parameters.section import PARAMS_FILE, read_yaml
from heddle.core.parameters.shared import read_seed
from heddle.core.schemas import TABLES, read_rows
from heddle.core.skipped import skip_reason
from heddle.core.stage import METRICS_FILE, Metrics, Stage, read_json
from heddle.core.vectors import matrix
from heddle.evaluation.parameters import BootstrapParameters
from heddle.retrieval.parameters import Bands, RetrievalParameters

MODELS = ("clip", "vision", "product", "reranker", "base_language", "assistant", "recommender", "alignment", "writer")
EVALUATIONS = (
    "clip_evaluation",
    "vision_evaluation",
    "product_evaluation",
    "retrieval_evaluation",
    "assistant_evaluation",
    "recommender_evaluation",
    "writer_evaluation",
    "alignment_evaluation",
)
INPUTS = ("catalog", "validated", "shards", "tokenizer", "graph", *MODELS, *EVALUATIONS, "index")

History = Sequence[Mapping[str, float | None]]
"""Numbers by name, one mapping for each epoch."""


@dataclass(frozen=True)
class Facts:
    """What the stages left behind.

    Attributes:
        scale: name of the scale file.
        seed: of every random draw.
        metrics: stage to its numbers.
        listings: the accepted listings as the index holds them, by id, without embeddings.
        image_embeddings: float32 (listings, dimensions), in the same order.
        text_embeddings: float32 (listings, dimensions), in the same order.
        quarantine: refused records of all tables.
        duplicates: listings left out for another's image.
        accepted: table to rows accepted.
        expectations: what was asked of the rows, and how many failed.
        absent: model, evaluation or graph to why there is none.
        histories: model to one row for each epoch of its training.
        alone: modality to one row for each epoch of the training of the product classifier that sees nothing else.
        plots: evaluation to its plots, name to rows.
        examples: evaluation to some of what was asked in it, with what was answered.
        mistakes: evaluation to the surest mistakes.
        statistics: of the graph; empty where there is none.
        confidence: evaluation to that of its intervals.
        bands: bounds of the bands of confidence in the first guide found.
    """

    scale: str
    seed: int
    metrics: Mapping[str, Metrics]
    listings: Sequence[Mapping[str, Any]]
    image_embeddings: np.ndarray
    text_embeddings: np.ndarray
    quarantine: Sequence[Mapping[str, Any]]
    duplicates: Sequence[Mapping[str, Any]]
    accepted: Mapping[str, int]
    expectations: Sequence[Mapping[str, Any]]
    absent: Mapping[str, str]
    histories: Mapping[str, History]
    alone: Mapping[str, History]
    plots: Mapping[str, Mapping[str, Sequence[Mapping[str, str]]]]
    examples: Mapping[str, Sequence[Mapping[str, Any]]]
    mistakes: Mapping[str, Sequence[Mapping[str, Any]]]
    statistics: Mapping[str, Any]
    confidence: Mapping[str, float]
    bands: Bands

    @cached_property
    def by_id(self) -> Mapping[str, Mapping[str, Any]]:
        """The accepted listings by id."""
        return {listing["id"]: listing for listing in self.listings}


def read_facts(stage: Stage) -> Facts:
    """Read the outputs of all stages but `release`.

    Raises:
        StageError: a stage has not run.
    """
    folders = {name: stage.input(name) for name in INPUTS}
    listings, images, texts = _indexed(folders["index"] / "listings.parquet")
    return Facts(
        scale=str(read_yaml(Path(PARAMS_FILE))["scale"]),
        seed=read_seed(),
        metrics={name: read_json(folder / METRICS_FILE) for name, folder in folders.items()},
        listings=listings,
        image_embeddings=images,
        text_embeddings=texts,
        quarantine=read_rows(folders["validated"] / "quarantine.parquet"),
        duplicates=read_rows(folders["catalog"] / "duplicates.parquet"),
        accepted={name: pq.read_metadata(folders["validated"] / f"{name}.parquet").num_rows for name in TABLES},
        expectations=_expectations(folders["validated"] / "expectations.json"),
        absent={name: reason for name in ("graph", *MODELS, *EVALUATIONS) if (reason := skip_reason(folders[name]))},
        histories={name: _history(folders[name] / "history.csv") for name in MODELS},
        alone={
            file.parent.name: _history(file) for file in sorted((folders["product"] / "alone").glob("*/history.csv"))
        },
        plots={name: _plots(folders[name] / "plots") for name in ("graph", *EVALUATIONS)},
        examples={name: _rows(folders[name] / "examples.parquet") for name in EVALUATIONS},
        mistakes={name: _rows(folders[name] / "mistakes.parquet") for name in EVALUATIONS},
        statistics=_object(folders["graph"] / "statistics.json"),
        confidence=dict.fromkeys(EVALUATIONS, stage.parameters(BootstrapParameters, "bootstrap").confidence),
        bands=stage.parameters(RetrievalParameters, "retrieval").bands,
    )


def _indexed(file: Path) -> tuple[list[dict[str, Any]], np.ndarray, np.ndarray]:
    table = pq.read_table(file)
    embeddings = [matrix(table, name) for name in ("image_embedding", "text_embedding")]
    rest = table.drop_columns(["image_embedding", "text_embedding"])
    return rest.to_pylist(), *embeddings


def _expectations(file: Path) -> list[dict[str, Any]]:
    content: Any = read_json(file)
    return list(content)


def _object(file: Path) -> dict[str, Any]:
    return read_json(file) if file.is_file() else {}


def _history(file: Path) -> History:
    return [{key: float(value) if value else None for key, value in row.items()} for row in _table(file)]


def _plots(folder: Path) -> dict[str, list[dict[str, str]]]:
    return {file.stem: _table(file) for file in sorted(folder.glob("*.csv"))}


def _rows(file: Path) -> list[dict[str, Any]]:
    return read_rows(file) if file.is_file() else []


def _table(file: Path) -> list[dict[str, str]]:
    if not file.is_file():
        return []
    with file.open(newline="") as lines:
        return list(csv.DictReader(lines))
