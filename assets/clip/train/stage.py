"""Train the dual encoder on the shards: an image and what is said about it come to lie close together."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from tokenizers import Tokenizer

from assets.clip.train.parameters import ClipParameters, FieldShares
from heddle.core.listing_text import caption, drawn_caption, has_caption
from heddle.core.parameters.shared import Compute, read_seed
from heddle.core.stage import Metrics, Stage, StageError, read_json
from heddle.training.training import (
    TooFewError,
    not_trained,
    only_first_process,
    training_metrics,
    training_splits,
    write_trained,
)
from lightning_modules.clip.clip import Clip, ClipModule
from lightning_modules.clip.config import ClipConfig
from lightning_modules.clip.encoder import TOKENIZER_FILE
from lightning_modules.clip.hub import load
from lightning_modules.clip.pairs import PairCollate
from lightning_modules.clip.retrieval import RetrievalProgress
from lightning_modules.image.config import CLIP_MEAN, CLIP_STD
from lightning_modules.tokenization.vocabulary import END, PAD, framed
from lightning_modules.training.data import Row, ShardData, Split
from lightning_modules.training.train import train


def clip(stage: Stage) -> Metrics:
    """Train, and write the best epoch's network, its tokenizer and the history; say so if there is nothing to learn."""
    parameters = stage.parameters(ClipParameters)
    try:
        splits = training_splits(stage.input("shards"), "clip", parameters, has_caption, "words")
    except TooFewError as error:
        return not_trained(stage, str(error))
    return _train(stage, parameters, *splits)


def _train(stage: Stage, parameters: ClipParameters, training: Split, validation: Split) -> Metrics:
    build, tokenizer = _beginning(stage, parameters)
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
    only_first_process(trained)
    write_trained(stage.output, trained)
    tokenizer.save(str(stage.output / TOKENIZER_FILE))
    return training_metrics(trained, training, validation, "words")


@dataclass(frozen=True)
class Words:
    """The text of a row: a drawn one in training, the plainest otherwise."""

    field_shares: FieldShares
    seed: int

    def __call__(self, row: Row, epoch: int | None) -> str:
        return caption(row) if epoch is None else drawn_caption(row, self.field_shares, self.seed, epoch)


def _beginning(stage: Stage, parameters: ClipParameters) -> tuple[Callable[[], Clip], Tokenizer]:
    """How to make the first network, and the tokenizer that goes with it."""
    images = read_json(stage.input("shards") / "images.json")
    if parameters.pretrained is not None:
        return _pretrained(parameters.pretrained, images["size"], images["fit"])
    assert parameters.image is not None  # as ClipParameters made sure
    assert parameters.text is not None
    assert parameters.projection_dim is not None
    learned = Tokenizer.from_file(str(stage.input("tokenizer") / TOKENIZER_FILE))
    ids = learned.get_vocab()
    config = ClipConfig(
        image=parameters.image,
        text=parameters.text,
        projection_dim=parameters.projection_dim,
        image_size=images["size"],
        resize_mode=images["fit"],
        image_mean=CLIP_MEAN,
        image_std=CLIP_STD,
        vocab_size=learned.get_vocab_size(),
        pad_token=ids[PAD],
        end_token=ids[END],
    )
    return partial(Clip, config), framed(learned, parameters.text.context_length)


def _pretrained(checkpoint: str, size: int, fit: Literal["crop", "pad"]) -> tuple[Callable[[], Clip], Tokenizer]:
    try:
        network, tokenizer = load(checkpoint, fit)
    except (OSError, ValueError) as error:
        raise StageError(f"clip.pretrained: {checkpoint!r} is no checkpoint that can be used: {error}") from error
    if network.config.image_size != size:
        raise StageError(
            f"clip.pretrained: {checkpoint!r} takes images of {network.config.image_size} pixels, data/shards has "
            f"{size}; set shards.image_size to {network.config.image_size}"
        )
    return (lambda: copy.deepcopy(network)), tokenizer
