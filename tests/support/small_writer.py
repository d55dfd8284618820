"""What an evaluation of the small project's writer might have found: numbers, tables, texts right and wrong."""

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
    "writer": 0.9125,
    "image_alone": 0.7125,
    "without_graph": 0.8875,
    "nearest": 0.4375,
    "template": 0.5625,
    "seller": 1.0,
}
"""Systems and how often they are right."""
MEASURES = ("item_right", "relations_right", "item_precision", "attributes_right", "bleu", "clip_score", "valid_rate")


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
    rows = [
        (system, name, f"{right:.6f}", f"{right - 0.05:.6f}", f"{right + 0.05:.6f}")
        for system, right in SYSTEMS.items()
        for name in MEASURES
        if (system, name) != ("without_graph", "valid_rate")
    ]
    write_csv(folder / "plots/systems.csv", ("system", "measure", "value", "low", "high"), rows)
    compared = [
        ("writer", "nearest", "attributes_right", 0.475, 0.4, 0.55),
        ("image_alone", "template", "bleu", -0.125, -1.5, 1.25),
    ]
    header = ("system", "other", "measure", "difference", "low", "high")
    write_csv(folder / "plots/differences.csv", header, compared)
    bins = [(0.4, 0.466667, 0.43, 0.5, 0.25), (0.866667, 0.933333, 0.9, 0.875, 0.75)]
    for view in ("writer", "image_alone"):
        path = folder / f"plots/{view}_reliability.csv"
        write_csv(path, ("low", "high", "confidence", "accuracy", "share"), bins)
    doubts = [
        ("writer", "sellers", "head", "all", 40, 20, 0.8125, 0.75, 0.875),
        ("writer", "own", "likelihood", "all", 24, 2, "", "", ""),
    ]
    header = ("view", "texts", "by", "kind", "count", "wrong", "auc", "low", "high")
    write_csv(folder / "plots/errors.csv", header, doubts)
    texts = [("shop:000", "A jar of oak."), ("shop:003", hostile)]
    rows = [_example(id_, view, text, hostile) for id_, text in texts for view in ("writer", "image_alone")]
    write_table(folder / "examples.parquet", rows, EXAMPLES)
    write_table(folder / "mistakes.parquet", rows[-1:], EXAMPLES)
    numbers = {"test_listings": 8, "item_right": 0.9125, "item_right_low": 0.8625, "item_right_high": 0.9625}
    numbers |= {"image_alone_item_right": 0.7125, "relations_right": 0.9125, "error_auc": 0.8125, "valid_rate": 1}
    write_json(folder / METRICS_FILE, numbers)
    write_json(folder / "certainty.json", {"without_objects": {"scale": 4.0, "shift": 2.0}})


def _example(id_: str, view: str, text: str, hostile: str) -> dict[str, Any]:
    marks = [
        {"kind": "item", "said": "jar", "actual": "jar", "right": True},
        {"kind": "material", "said": hostile, "actual": "oak", "right": False},
        {"kind": "colour", "said": None, "actual": "green", "right": False},
        {"kind": "relations", "said": "ball behind it", "actual": None, "right": False},
    ]
    whole = view == "writer"
    return {
        "id": id_,
        "system": view,
        "image": b"\xff\xd8image",
        "seller": hostile,
        "alt_text": text,
        "title": "A title" if whole else "",
        "tags": ["first", hostile] if whole else [],
        "certainty": 0.873 if whole else None,
        "clip_score": 0.75,
        "marks": marks,
    }
