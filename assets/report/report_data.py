"""Everything that the page shows, read once from the folders under ``data/``."""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from assets.families import FAMILIES
from assets.report.parameters import ReportParameters
from heddle.core.errors import naming
from heddle.core.parameters.section import PARAMS_FILE, read_yaml
from heddle.core.parameters.shared import read_seed
from heddle.core.schemas import TABLES, read_rows
from heddle.core.skipped import skip_reason
from heddle.core.stage import METRICS_FILE, Stage, read_json
from heddle.core.vectors import matrix
from heddle.evaluation.metric_tree import MetricTree
from heddle.evaluation.parameters import BootstrapParameters
from heddle.retrieval.parameters import Bands, RetrievalParameters

TRAINING = tuple(stage.name for family in FAMILIES for stage in family.train)
EVALUATIONS = tuple(family.evaluate.name for family in FAMILIES)
INPUTS = ("catalog", "validated", "shards", "tokenizer", "graph", *TRAINING, *EVALUATIONS, "index")

History = Sequence[Mapping[str, float | None]]
"""Numbers by name, one mapping for each epoch."""


@dataclass(frozen=True)
class ReportData:
    """The outputs of all stages, as far as the page shows them.

    Attributes:
        scale: name of the scale file.
        seed: of every random draw.
        metrics: stage -> the numbers of its metrics file.
        listings: accepted listings as in the index, by id, without embeddings.
        image_embeddings: float32, (listings, dimensions), in the same order.
        text_embeddings: float32, (listings, dimensions), in the same order.
        quarantine: quarantined records of all tables.
        duplicates: listings that repeat another listing's image.
        accepted: table -> number of accepted rows.
        expectations: the expectations and how many rows failed each.
        skipped: stage -> why it made or measured nothing.
        histories: training stage -> one row for each epoch.
        modality_histories: modality -> history of the product classifier that was trained on it alone.
        plots: evaluation -> name of a plot -> its rows.
        examples: evaluation -> some of its examples, with what the model answered.
        mistakes: evaluation -> the mistakes with the highest confidence.
        statistics: of the graph; empty where there is none.
        confidence: of the bootstrap intervals.
        bands: bounds of the bands of retrieval confidence.
        parameters: effective parameters of the released models and of this page, by section.
    """

    scale: str
    seed: int
    metrics: Mapping[str, MetricTree]
    listings: Sequence[Mapping[str, Any]]
    image_embeddings: np.ndarray
    text_embeddings: np.ndarray
    quarantine: Sequence[Mapping[str, Any]]
    duplicates: Sequence[Mapping[str, Any]]
    accepted: Mapping[str, int]
    expectations: Sequence[Mapping[str, Any]]
    skipped: Mapping[str, str]
    histories: Mapping[str, History]
    modality_histories: Mapping[str, History]
    plots: Mapping[str, Mapping[str, Sequence[Mapping[str, str]]]]
    examples: Mapping[str, Sequence[Mapping[str, Any]]]
    mistakes: Mapping[str, Sequence[Mapping[str, Any]]]
    statistics: Mapping[str, Any]
    confidence: float
    bands: Bands
    parameters: Mapping[str, Any]

    @cached_property
    def by_id(self) -> Mapping[str, Mapping[str, Any]]:
        """The accepted listings by id."""
        return {listing["id"]: listing for listing in self.listings}


def read_report_data(stage: Stage) -> ReportData:
    """Read the outputs of all other stages.

    Raises:
        StageError: a stage has not run.
    """
    folders = {name: stage.input(name) for name in INPUTS}
    listings, images, texts = _read_index(folders["index"] / "listings.parquet")
    reasons = {name: skip_reason(folders[name]) for name in ("graph", *TRAINING, *EVALUATIONS)}
    modality_files = sorted((folders["product"] / "alone").glob("*/history.csv"))
    return ReportData(
        scale=str(read_yaml(Path(PARAMS_FILE))["scale"]),
        seed=read_seed(),
        metrics={name: read_json(folder / METRICS_FILE) for name, folder in folders.items()},
        listings=listings,
        image_embeddings=images,
        text_embeddings=texts,
        quarantine=read_rows(folders["validated"] / "quarantine.parquet"),
        duplicates=read_rows(folders["catalog"] / "duplicates.parquet"),
        accepted={name: pq.read_metadata(folders["validated"] / f"{name}.parquet").num_rows for name in TABLES},
        expectations=_read_list(folders["validated"] / "expectations.json"),
        skipped={name: reason for name, reason in reasons.items() if reason},
        histories={name: _read_history(folders[name] / "history.csv") for name in TRAINING},
        modality_histories={file.parent.name: _read_history(file) for file in modality_files},
        plots={name: _read_plots(folders[name] / "plots") for name in ("graph", *EVALUATIONS)},
        examples={name: _read_parquet(folders[name] / "examples.parquet") for name in EVALUATIONS},
        mistakes={name: _read_parquet(folders[name] / "mistakes.parquet") for name in EVALUATIONS},
        statistics=_read_object(folders["graph"] / "statistics.json"),
        confidence=stage.parameters(BootstrapParameters, "bootstrap").confidence,
        bands=stage.parameters(RetrievalParameters, "retrieval").bands,
        parameters=_read_parameters(stage),
    )


def _read_parameters(stage: Stage) -> dict[str, Any]:
    """The parameters in the lineage of every released model, defaults included, and those of this page."""
    found = {"report": stage.parameters(ReportParameters).model_dump(mode="json")}
    for file in sorted(stage.input("release").glob("*/lineage.json")):
        found |= read_json(file)["parameters"]
    return dict(sorted(found.items()))


def _read_index(file: Path) -> tuple[list[dict[str, Any]], np.ndarray, np.ndarray]:
    table = pq.read_table(file)
    images, texts = (matrix(table, name) for name in ("image_embedding", "text_embedding"))
    return table.drop_columns(["image_embedding", "text_embedding"]).to_pylist(), images, texts


def _read_list(file: Path) -> list[dict[str, Any]]:
    with naming(file):
        return list(json.loads(file.read_text()))


def _read_object(file: Path) -> dict[str, Any]:
    return read_json(file) if file.is_file() else {}


def _read_history(file: Path) -> History:
    return [{key: float(value) if value else None for key, value in row.items()} for row in _read_csv(file)]


def _read_plots(folder: Path) -> dict[str, list[dict[str, str]]]:
    return {file.stem: _read_csv(file) for file in sorted(folder.glob("*.csv"))}


def _read_parquet(file: Path) -> list[dict[str, Any]]:
    return read_rows(file) if file.is_file() else []


def _read_csv(file: Path) -> list[dict[str, str]]:
    if not file.is_file():
        return []
    with file.open(newline="") as lines:
        return list(csv.DictReader(lines))
