"""A plausible output of the writer's evaluation in the small project: metrics, tables and examples."""

from pathlib import Path
from typing import Any

from heddle.content.lexicon import Lexicon
from heddle.core.csv_file import write_csv
from heddle.core.schemas import write_table
from heddle.core.skipped import write_skipped
from heddle.core.stage import METRICS_FILE, write_json
from tests.support.tiny_writer import TOKENIZER, tiny_writer

Row = dict[str, Any]

NO_WRITER = "data/shards: 0 train listings have an alt text and a title; bring listings with words"
SYSTEMS = {
    "full": 0.9125,
    "image_only": 0.7125,
    "no_scene_graph": 0.8875,
    "nearest_neighbour": 0.4375,
    "template": 0.5625,
    "seller": 1.0,
}
"""Systems and their recall."""
METRICS = (
    "item_recall",
    "relations_recall",
    "item_precision",
    "attributes_recall",
    "bleu",
    "clip_score",
    "valid_rate",
)
WITHOUT_INTERVAL = ("item_precision", "valid_rate")


def write_writer(data: Path, rows: list[Row]) -> None:
    """A writer of random weights, and the lexicon of its listings."""
    folder = data / "writer"
    tiny_writer().save_pretrained(folder)
    TOKENIZER.save(str(folder / "tokenizer.json"))
    Lexicon.fit(rows).write(folder)
    header = ["epoch", "learning_rate", "train_loss", "validation_loss"]
    write_csv(folder / "history.csv", header, [[epoch, 0.01, 3 / epoch, 4 / epoch] for epoch in (1, 2)])
    write_json(folder / METRICS_FILE, {"train_listings": 8, "epochs": 2, "best_epoch": 2, "parameters": 4321})


def write_absent_writer(data: Path) -> None:
    for name in ("writer", "writer_evaluation"):
        (data / name).mkdir()
        write_skipped(data / name, NO_WRITER)
        write_json(data / name / METRICS_FILE, {"test_listings": 8} if "_" in name else {"train_listings": 0})


def write_writer_evaluation(folder: Path, hostile: str) -> None:
    """An evaluation of two listings, one hostile, in both views."""
    # Not while pytest loads conftests: rouge-score's absl would keep their stderr and close it (see tests/conftest.py).
    from assets.writer.evaluate.examples import EXAMPLES

    (folder / "plots").mkdir(parents=True)
    table = []
    for system, value in SYSTEMS.items():
        for name in _metrics(system, value):
            ends = ("", "") if name in WITHOUT_INTERVAL else (f"{value - 0.05:.6f}", f"{value + 0.05:.6f}")
            table.append((system, name, f"{value:.6f}", *ends))
    write_csv(folder / "plots/systems.csv", ("system", "metric", "value", "low", "high"), table)
    compared = [
        ("full", "nearest_neighbour", "attributes_recall", 0.475, 0.4, 0.55),
        ("image_only", "template", "bleu", -0.125, -1.5, 1.25),
    ]
    header = ("system", "baseline", "metric", "difference", "low", "high")
    write_csv(folder / "plots/differences.csv", header, compared)
    bins = [(0.4, 0.466667, 0.43, 0.5, 0.25), (0.866667, 0.933333, 0.9, 0.875, 0.75)]
    for system in ("full", "image_only"):
        path = folder / f"plots/{system}_reliability.csv"
        write_csv(path, ("low", "high", "confidence", "accuracy", "share"), bins)
    detection = [
        ("full", "sellers", "head", "all", 40, 20, 0.8125, 0.75, 0.875),
        ("full", "own", "likelihood", "all", 24, 2, "", "", ""),
    ]
    columns = ("system", "texts", "detector", "kind", "count", "errors", "auroc", "low", "high")
    write_csv(folder / "plots/error_detection.csv", columns, detection)
    texts = [("shop:000", "A jar of oak."), ("shop:003", hostile)]
    rows = [_example(id_, system, text, hostile) for id_, text in texts for system in ("full", "image_only")]
    write_table(folder / "examples.parquet", rows, EXAMPLES)
    write_table(folder / "mistakes.parquet", rows[-1:], EXAMPLES)
    metrics: dict[str, Any] = {
        "test_listings": 8,
        "scene_graph_gain": {"value": 0.3, "low": 0.2, "high": 0.4},
        **{system: _metrics(system, recall) for system, recall in SYSTEMS.items()},
    }
    delta = {"value": 0.475, "low": 0.4, "high": 0.55}
    metrics["full"]["attributes_recall_delta_vs_nearest_neighbour"] = delta
    metrics["full"]["error_detection_auroc"] = {"value": 0.8125, "low": 0.75, "high": 0.875}
    write_json(folder / METRICS_FILE, metrics)
    write_json(folder / "certainty.json", {"without_objects": {"scale": 4.0, "shift": 2.0}})


def _metrics(system: str, value: float) -> dict[str, Any]:
    """The metrics of one system; only recall and text metrics have intervals."""
    interval = {"value": value, "low": value - 0.05, "high": value + 0.05}
    names = [name for name in METRICS if (system, name) != ("no_scene_graph", "valid_rate")]
    return {name: value if name in WITHOUT_INTERVAL else interval for name in names}


def _example(id_: str, system: str, text: str, hostile: str) -> dict[str, Any]:
    claims = [
        {"kind": "item", "claimed": "jar", "actual": "jar", "correct": True},
        {"kind": "material", "claimed": hostile, "actual": "oak", "correct": False},
        {"kind": "colour", "claimed": None, "actual": "green", "correct": False},
        {"kind": "relations", "claimed": "ball behind it", "actual": None, "correct": False},
    ]
    complete = system == "full"
    return {
        "id": id_,
        "system": system,
        "image": b"\xff\xd8image",
        "seller": hostile,
        "alt_text": text,
        "title": "A title" if complete else "",
        "tags": ["first", hostile] if complete else [],
        "certainty": 0.873 if complete else None,
        "clip_score": 0.75,
        "claims": claims,
    }
