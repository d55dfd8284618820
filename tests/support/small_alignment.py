"""The alignment of the small project, which has learned nothing, and what its evaluation would say of guesses."""

from itertools import permutations
from pathlib import Path

from assets.alignment.evaluate.cross_modal_retrieval import METRICS
from assets.alignment.evaluate.stage import COLUMNS
from heddle.core.csv_file import write_csv
from heddle.core.skipped import write_skipped
from heddle.core.stage import METRICS_FILE, write_json
from lightning_modules.alignment.alignment import Alignment
from lightning_modules.alignment.config import AlignmentConfig

NO_SPACE = "there is no space graph: a table of nodes is missing"
VALUE = 0.6543
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
    rows = [(*method, metric, VALUE, VALUE - 0.1, VALUE + 0.1, 0.0321) for method in methods for metric in METRICS]
    write_csv(data / "alignment_evaluation/plots/retrieval.csv", COLUMNS, rows)
    write_json(data / "alignment_evaluation" / METRICS_FILE, {"test_listings": 8, "test_listings_skipped": 2})


def _methods(ends: tuple[str, str]) -> tuple[str, ...]:
    return ("aligned", "random projections", *(["classes"] if ends == ("image", "graph") else []))


def write_absent_alignment(data: Path) -> None:
    """The same of a catalogue that brought no graph."""
    for name, numbers in (("alignment", {"train_listings": 0}), ("alignment_evaluation", {"test_listings": 0})):
        (data / name).mkdir()
        write_skipped(data / name, NO_SPACE)
        write_json(data / name / METRICS_FILE, numbers)
