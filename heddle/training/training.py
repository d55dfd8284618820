"""Steps that all training stages share: open the splits, write the model's folder, return the metrics."""

import csv
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from heddle.core.skipped import write_skipped
from heddle.core.stage import Metrics, Stage, StageError
from lightning_modules.training.settings import LoadingSettings
from lightning_modules.training.shards import Row, ShardSplit
from lightning_modules.training.train import HistoryRow, Trained

HISTORY_FILE = "history.csv"
NOT_METRICS = ("epoch", "learning_rate")
"""Columns of the history that say nothing about the quality of an epoch."""


@dataclass(frozen=True)
class HasLabel:
    """Predicate of rows: the row has a label whose class occurs in the train split."""

    classes: Mapping[str, tuple[str, ...]]
    """Kind of label -> its classes."""

    def __call__(self, row: Row) -> bool:
        return any(row[label] in classes for label, classes in self.classes.items())


class TooFewListingsError(StageError):
    """Too few listings have the fields that the model is trained on."""


def open_splits(
    shards: Path, section: str, settings: LoadingSettings, keep: Callable[[Row], bool], needed: str
) -> tuple[ShardSplit, ShardSplit]:
    """Open the train and the validation split with the rows that the model can use.

    Args:
        shards: ``data/shards``.
        section: parameter section that the error messages name.
        settings: batch size; cache or stream.
        keep: whether the model can use a row.
        needed: field that a usable row has, without an article: ``text``.

    Raises:
        TooFewListingsError: fewer train listings than one batch, or fewer than two validation listings.
    """
    training, validation = (ShardSplit(shards / name, keep, settings) for name in ("train", "validation"))
    if training.kept < settings.batch_size:
        raise TooFewListingsError(
            f"data/shards/train: {training.kept} of {training.total} listings have {needed}, fewer than one batch of "
            f"{settings.batch_size}; add listings or lower {section}.batch_size"
        )
    if validation.kept < 2:
        raise TooFewListingsError(
            f"data/shards/validation: {validation.kept} of {validation.total} listings have {needed}, at least 2 are "
            "needed; add listings or raise split.validation"
        )
    return training, validation


def skip_training(stage: Stage, reason: str) -> Metrics:
    """Write the reason instead of a model and return the metrics of a stage without a model.

    The pipeline continues without the model.
    """
    stage.progress(f"training skipped: {reason}")
    write_skipped(stage.output, reason)
    return {"train_listings": 0}


def exit_other_processes(trained: Trained) -> None:
    """Exit every process of a distributed run except the first, which writes the files."""
    if not trained.is_first_process:
        sys.exit(0)


def write_trained(folder: Path, trained: Trained) -> None:
    """Write ``config.json``, ``model.safetensors`` and ``history.csv`` into a folder, created if missing."""
    trained.network.save_pretrained(folder)
    write_history(folder / HISTORY_FILE, trained.history)


def write_history(path: Path, history: list[HistoryRow]) -> None:
    """Write one CSV line per epoch, six significant digits per number, with the columns of the first row."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(history[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: f"{value:.6g}" for name, value in row.items()} for row in history)


def training_metrics(trained: Trained) -> Metrics:
    """Number of parameters, number of epochs, the best epoch (from 1) and the numbers logged in that epoch."""
    best = trained.history[trained.best_epoch - 1]
    logged = {name: value for name, value in best.items() if name not in NOT_METRICS}
    return {
        "parameters": trained.network.count_parameters(),
        "epochs": len(trained.history),
        "best_epoch": trained.best_epoch,
        **logged,
    }


def split_metrics(training: ShardSplit, validation: ShardSplit, needed: str) -> Metrics:
    """Numbers of listings in the splits; ``needed`` as in :func:`open_splits`."""
    return {
        "train_listings": training.kept,
        f"train_listings_without_{needed}": training.total - training.kept,
        "validation_listings": validation.kept,
    }
