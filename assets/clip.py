"""Train the dual encoder on the shards: a picture and what is said about it come to lie close together."""

import copy
import csv
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from tokenizers import Tokenizer

from assets.parameters.clip import ClipParameters, FieldShares
from assets.parameters.shared import Compute, read_seed
from assets.stage import Metrics, Stage, StageError, main, read_json
from assets.words import caption, drawn_caption, has_caption
from lightning_modules.clip import Clip, ClipModule
from lightning_modules.clip_config import CLIP_MEAN, CLIP_STD, ClipConfig
from lightning_modules.clip_encoder import TOKENIZER_FILE
from lightning_modules.clip_hub import load
from lightning_modules.data import Row, ShardData, Split
from lightning_modules.pairs import PairCollate
from lightning_modules.retrieval import RetrievalProgress
from lightning_modules.train import HistoryRow, Trained, train
from lightning_modules.vocabulary import END, PAD, framed


def clip(stage: Stage) -> Metrics:
    """Train, and write the best epoch's network, its tokenizer and the history."""
    parameters = stage.parameters(ClipParameters)
    build, tokenizer = _beginning(stage, parameters)
    training, validation = _splits(stage.input("shards"), parameters)
    stage.progress(f"{training.kept} of {training.total} train listings have words, {validation.kept} validate")
    seed = read_seed()
    collate = PairCollate(tokenizer, Words(parameters.field_shares, seed), parameters.augmentation, seed)
    trained = train(
        lambda: ClipModule(build(), parameters),
        ShardData(training, validation, collate, seed),
        parameters.trainer,
        seed=seed,
        threads=stage.parameters(Compute, "compute").threads,
        progress=stage.progress,
        callbacks=[RetrievalProgress()],
    )
    if not trained.is_first_process:
        sys.exit(0)  # the first process of a distributed run writes for all
    trained.network.save_pretrained(stage.output)
    tokenizer.save(str(stage.output / TOKENIZER_FILE))
    _write_history(stage.output / "history.csv", trained.history)
    return _metrics(trained, training, validation)


@dataclass(frozen=True)
class Words:
    """The text of a row: a drawn one in training, the plainest otherwise."""

    field_shares: FieldShares
    seed: int

    def __call__(self, row: Row, epoch: int | None) -> str:
        return caption(row) if epoch is None else drawn_caption(row, self.field_shares, self.seed, epoch)


def _beginning(stage: Stage, parameters: ClipParameters) -> tuple[Callable[[], Clip], Tokenizer]:
    """How to make the first network, and the tokenizer that goes with it."""
    pictures = read_json(stage.input("shards") / "pictures.json")
    if parameters.pretrained is not None:
        return _pretrained(parameters.pretrained, pictures["size"], pictures["fit"])
    assert parameters.image is not None  # as ClipParameters made sure
    assert parameters.text is not None
    assert parameters.embedding is not None
    learned = Tokenizer.from_file(str(stage.input("tokenizer") / TOKENIZER_FILE))
    ids = learned.get_vocab()
    config = ClipConfig(
        image=parameters.image,
        text=parameters.text,
        embedding=parameters.embedding,
        image_size=pictures["size"],
        image_fit=pictures["fit"],
        image_mean=CLIP_MEAN,
        image_std=CLIP_STD,
        vocabulary=learned.get_vocab_size(),
        pad_token=ids[PAD],
        end_token=ids[END],
    )
    return partial(Clip, config), framed(learned, parameters.text.context)


def _pretrained(checkpoint: str, size: int, fit: Literal["crop", "pad"]) -> tuple[Callable[[], Clip], Tokenizer]:
    try:
        network, tokenizer = load(checkpoint, fit)
    except OSError as error:
        raise StageError(f"clip.pretrained: {checkpoint!r} is no checkpoint that can be read: {error}") from error
    if network.config.image_size != size:
        raise StageError(
            f"clip.pretrained: {checkpoint!r} takes pictures of {network.config.image_size} pixels, data/shards has "
            f"{size}; set shards.image_size to {network.config.image_size}"
        )
    return (lambda: copy.deepcopy(network)), tokenizer


def _splits(shards: Path, parameters: ClipParameters) -> tuple[Split, Split]:
    training, validation = (Split(shards / name, has_caption, parameters) for name in ("train", "validation"))
    if training.kept < parameters.batch_size:
        raise StageError(
            f"data/shards/train: {training.kept} of {training.total} listings have words, fewer than one batch of "
            f"{parameters.batch_size}; bring more listings or lower clip.batch_size"
        )
    if validation.kept < 2:
        raise StageError(
            f"data/shards/validation: {validation.kept} of {validation.total} listings have words, at least 2 must "
            "steer the training; bring more listings or raise split.validation"
        )
    return training, validation


def _write_history(path: Path, history: list[HistoryRow]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(history[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: f"{value:.6g}" for name, value in row.items()} for row in history)


def _metrics(trained: Trained, training: Split, validation: Split) -> Metrics:
    best = trained.history[trained.best_epoch - 1]
    return {
        "parameters": trained.network.count_parameters(),
        "epochs": len(trained.history),
        "best_epoch": trained.best_epoch,
        "train_listings": training.kept,
        "train_listings_without_words": training.total - training.kept,
        "validation_listings": validation.kept,
        **{name: value for name, value in best.items() if name not in ("epoch", "learning_rate")},
    }


if __name__ == "__main__":
    main(clip)
