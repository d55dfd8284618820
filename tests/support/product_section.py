"""The parameters of a small product classifier, and a project whose listings get other product classes."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from assets.shards.stage import shards
from heddle.core.parameters.section import read_yaml
from heddle.core.parameters.shared import Split
from heddle.core.schemas import TABLES, read_rows, write_table
from heddle.core.splits import split_of
from tests.support.small_project import run

WORDS = {
    "kind": "text_cnn",
    "fields": ["title", "description"],
    "context_length": 12,
    "embedding_dim": 8,
    "kernel_sizes": [2, 3],
}
WORDS |= {"num_filters": 4, "features": 8, "dropout": 0.1}
RESNET = {"kind": "resnet", "layer_type": "basic", "embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 1]}
IMAGE = {"kind": "image", "image": RESNET, "features": 8, "dropout": 0.1}
SECTION: dict[str, Any] = {
    "modalities": {"text": WORDS, "image": IMAGE},
    "fusion": {"hidden_dims": [8], "dropout": [0.1]},
    "baselines": ["text", "image"],
    "modality_dropout": 0.5,
    "label_smoothing": 0.1,
    "learning_rate": 1e-2,
    "frozen_epochs": 1,
    "fine_tuning_rate": 1e-3,
    "schedule": {"kind": "cosine", "warmup_epochs": 0.5, "min_lr_ratio": 0.01},
    "weight_decay": 0.05,
    "beta1": 0.9,
    "beta2": 0.999,
    "batch_size": 4,
    "num_workers": 0,
    "cache": True,
    "shuffle_buffer": 8,
    "augmentation": {"translate": 0.06, "jitter": 0.1, "horizontal_flip": True, "word_dropout": 0.1},
    "trainer": {
        "max_epochs": 2,
        "accelerator": "cpu",
        "devices": 1,
        "num_nodes": 1,
        "strategy": "auto",
        "precision": "32-true",
        "accumulate_grad_batches": 1,
        "gradient_clip_val": 1.0,
        "patience": 3,
    },
}
SPLIT = Split(validation=0.2, test=0.4)  # as in the small project's params.yaml
ALONE = {"baselines": []}
UNMOVED = {"learning_rate": 1e-12, "fine_tuning_rate": 1e-12, "weight_decay": 0}
"""What is saved is what training began with, the batch norms' statistics aside."""

Row = dict[str, Any]


def write_section(project: Path, section: dict[str, Any]) -> None:
    """Set section `product` of the scale file."""
    scale = project / "scales/smoke.yaml"
    content = read_yaml(scale) | {"product": section}
    with scale.open("w") as file:
        YAML().dump(json.loads(json.dumps(content)), file)


def relabel(project: Path, change: Callable[[Row, str], None]) -> list[Row]:
    """Change listings by what split they are in, and write the shards anew."""
    path = project / "data/validated/listings.parquet"
    rows = read_rows(path)
    for row in rows:
        change(row, split_of(row["id"], SPLIT))
    write_table(path, rows, TABLES["listings"])
    shutil.rmtree(project / "data/shards")
    run(shards, project)
    return rows


def rows_of(split: str, rows: list[Row]) -> list[Row]:
    """The rows of a split."""
    return [row for row in rows if split_of(row["id"], SPLIT) == split]


def listings_of(project: Path) -> list[Row]:
    """The accepted listings."""
    return read_rows(project / "data/validated/listings.parquet")
