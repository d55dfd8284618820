"""What the stages that train a model share: their splits, the model's folder and their numbers."""

import csv
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from heddle.core.skipped import write_skipped
from heddle.core.stage import Metrics, Stage, StageError
from lightning_modules.training.data import Row, ShardSplit
from lightning_modules.training.settings import LoadingSettings
from lightning_modules.training.train import HistoryRow, Trained


@dataclass(frozen=True)
class HasLabel:
    """Whether a row has a label of a class that the train split knows."""

    classes: Mapping[str, tuple[str, ...]]
    """Kind of label -> its classes."""

    def __call__(self, row: Row) -> bool:
        return any(row[label] in classes for label, classes in self.classes.items())


class TooFewListingsError(StageError):
    """Too few listings have what the model learns from."""


def open_splits(
    shards: Path, section: str, settings: LoadingSettings, keep: Callable[[Row], bool], needed: str
) -> tuple[ShardSplit, ShardSplit]:
    """The train and the validation split, as far as the model can use their rows.

    Args:
        shards: ``data/shards``.
        section: of the parameters, which the remedy names.
        settings: batch size; cache or stream.
        keep: whether the model can use a row.
        needed: what such a row has, in the plural: ``words``.

    Raises:
        TooFewError: not even one batch to train on, or fewer than two listings to validate with.
    """
    training, validation = (ShardSplit(shards / name, keep, settings) for name in ("train", "validation"))
    if training.kept < settings.batch_size:
        raise TooFewListingsError(
            f"data/shards/train: {training.kept} of {training.total} listings have {needed}, fewer than one batch of "
            f"{settings.batch_size}; bring more listings or lower {section}.batch_size"
        )
    if validation.kept < 2:
        raise TooFewListingsError(
            f"data/shards/validation: {validation.kept} of {validation.total} listings have {needed}, at least 2 must "
            "steer the training; bring more listings or raise split.validation"
        )
    return training, validation


def skip_training(stage: Stage, reason: str) -> Metrics:
    """Say, instead of training, what was missing; the pipeline goes on without the model."""
    stage.progress(f"not trained: {reason}")
    write_skipped(stage.output, reason)
    return {"train_listings": 0}


def exit_other_processes(trained: Trained) -> None:
    """End the other processes of a distributed run: the first one writes for all."""
    if not trained.is_first_process:
        sys.exit(0)


def write_trained(folder: Path, trained: Trained) -> None:
    """``config.json``, ``model.safetensors`` and ``history.csv`` into a folder, which is made if missing."""
    trained.network.save_pretrained(folder)
    write_history(folder / "history.csv", trained.history)


def write_history(path: Path, history: list[HistoryRow]) -> None:
    """One line for each epoch, six digits a number; every row has the columns of the first."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(history[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: f"{value:.6g}" for name, value in row.items()} for row in history)


def training_metrics(trained: Trained, training: ShardSplit, validation: ShardSplit, needed: str) -> Metrics:
    """The sizes of model and splits, and what the best epoch's history says; ``needed`` as in the splits."""
    best = trained.history[trained.best_epoch - 1]
    return {
        "parameters": trained.network.count_parameters(),
        "epochs": len(trained.history),
        "best_epoch": trained.best_epoch,
        "train_listings": training.kept,
        f"train_listings_without_{needed}": training.total - training.kept,
        "validation_listings": validation.kept,
        **{name: value for name, value in best.items() if name not in ("epoch", "learning_rate")},
    }
