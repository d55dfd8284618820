"""The untrained alignment of the small project, and a made-up evaluation."""

from itertools import permutations
from pathlib import Path
from typing import Any

from assets.alignment.evaluate.cross_modal_retrieval import METRICS
from assets.alignment.evaluate.stage import COLUMNS
from heddle.core.csv_file import write_csv
from heddle.core.skipped import write_skipped
from heddle.core.stage import METRICS_FILE, write_json
from lightning_modules.alignment.alignment import Alignment
from lightning_modules.alignment.config import AlignmentConfig

NO_SPACE = "no graph embeddings: a table of nodes is missing"
VALUE, CHANCE = 0.6543, 0.0321
SECTION = """
alignment:
  spaces: [image, text, graph]
  hidden_dim: null
  projection_dim: 6
  dropout: 0.0
  batch_size: 4
  learning_rate: 1e-2
  schedule: {kind: cosine, warmup_epochs: 0, min_lr_ratio: 0.1}
  weight_decay: 0.0
  beta1: 0.9
  beta2: 0.98
  trainer:
    max_epochs: 2
    accelerator: cpu
    devices: 1
    num_nodes: 1
    strategy: auto
    precision: 32-true
    accumulate_grad_batches: 1
    gradient_clip_val: 1.0
    patience: 2
"""


def write_alignment(data: Path) -> None:
    network = Alignment(AlignmentConfig({"image": 16, "text": 384, "graph": 4}, None, 6, 0.0))
    network.save_pretrained(data / "alignment")
    history = [(epoch, 3 / epoch, 4 / epoch) for epoch in (1, 2, 3)]
    write_csv(data / "alignment/history.csv", ("epoch", "train_loss", "validation_loss"), history)
    counts = {"parameters": network.count_parameters(), "epochs": 3, "best_epoch": 3, "train_listings": 8}
    write_json(data / "alignment" / METRICS_FILE, counts)
    (data / "alignment_evaluation/plots").mkdir(parents=True)
    methods = [(method, *ends) for ends in permutations(("graph", "image", "text"), 2) for method in _methods(ends)]
    methods += [(method, "image", "products") for method in ("aligned", "classes", "labels")]
    rows = [(*method, metric, VALUE, VALUE - 0.1, VALUE + 0.1, CHANCE) for method in methods for metric in METRICS]
    write_csv(data / "alignment_evaluation/plots/retrieval.csv", COLUMNS, rows)
    write_json(data / "alignment_evaluation" / METRICS_FILE, _metrics())


def _metrics() -> dict[str, Any]:
    """The metrics of every direction, with those of the other methods where the evaluation writes them."""
    interval = {"value": VALUE, "low": VALUE - 0.1, "high": VALUE + 0.1}
    found: dict[str, Any] = {"test_listings": 8, "test_listings_skipped": 2}
    for query, target in permutations(("graph", "image", "text"), 2):
        metrics = {metric: {**interval, "chance": CHANCE} for metric in METRICS}
        found[f"{query}_to_{target}"] = {"candidates": 8, "queries": 8, **metrics}
    found["image_to_graph"]["image_classifier"] = dict.fromkeys(METRICS, interval)
    headline = {"ndcg_at_10": interval}
    found["image_to_products"] = {"queries": 8, "ndcg_at_10": {**interval, "chance": CHANCE}}
    found["image_to_products"] |= {"image_classifier": headline, "true_labels": headline}
    return found


def _methods(ends: tuple[str, str]) -> tuple[str, ...]:
    return ("aligned", "random projections", *(["classes"] if ends == ("image", "graph") else []))


def write_absent_alignment(data: Path) -> None:
    """Write the same stages for a catalogue without a graph."""
    for name, numbers in (("alignment", {"train_listings": 0}), ("alignment_evaluation", {"test_listings": 0})):
        (data / name).mkdir()
        write_skipped(data / name, NO_SPACE)
        write_json(data / name / METRICS_FILE, numbers)
