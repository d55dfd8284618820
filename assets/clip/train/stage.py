"""Train the CLIP dual encoder on the shards: image and text embeddings in one space."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from tokenizers import Tokenizer

from assets.clip.train.parameters import ClipParameters, FieldShares
from heddle.core.listing_text import caption, drawn_caption, has_caption
from heddle.core.parameters.shared import Compute, read_seed
from heddle.core.stage import Metrics, Stage, read_json
from heddle.training.checkpoint import check_image_size, checkpoint_errors
from heddle.training.training import (
    TooFewListingsError,
    exit_other_processes,
    open_splits,
    skip_training,
    split_metrics,
    training_metrics,
    write_trained,
)
from lightning_modules.clip.clip import Clip
from lightning_modules.clip.config import ClipConfig
from lightning_modules.clip.encoder import TOKENIZER_FILE
from lightning_modules.clip.hub import load_clip
from lightning_modules.clip.pairs import PairCollate
from lightning_modules.clip.retrieval import RetrievalLogger
from lightning_modules.clip.training import ClipModule
from lightning_modules.image.config import CLIP_MEAN, CLIP_STD
from lightning_modules.tokenization.vocabulary import END, PAD, make_framed_tokenizer
from lightning_modules.training.data import ShardData
from lightning_modules.training.shards import Row, ShardSplit
from lightning_modules.training.train import train


def clip(stage: Stage) -> Metrics:
    """Train and write the network of the best epoch, its tokenizer and the history; skip without captions."""
    parameters = stage.parameters(ClipParameters)
    try:
        splits = open_splits(stage.input("shards"), "clip", parameters, has_caption, "text")
    except TooFewListingsError as error:
        return skip_training(stage, str(error))
    return _train(stage, parameters, *splits)


def _train(stage: Stage, parameters: ClipParameters, training: ShardSplit, validation: ShardSplit) -> Metrics:
    build, tokenizer = _initialize(stage, parameters)
    stage.progress(
        f"training on {training.kept} of {training.total} train listings (those with text), "
        f"{validation.kept} validation listings"
    )
    seed = read_seed()
    collate = PairCollate(tokenizer, CaptionSampler(parameters.field_shares, seed), parameters.augmentation, seed)
    trained = train(
        lambda: ClipModule(build(), parameters),
        ShardData(training, validation, collate, seed),
        parameters.trainer,
        seed=seed,
        threads=stage.parameters(Compute, "compute").threads,
        progress=stage.progress,
        callbacks=[RetrievalLogger()],
    )
    exit_other_processes(trained)
    write_trained(stage.output, trained)
    tokenizer.save(str(stage.output / TOKENIZER_FILE))
    return {**training_metrics(trained), **split_metrics(training, validation, "text")}


@dataclass(frozen=True)
class CaptionSampler:
    """Text of a row: sampled from its fields in training (``epoch`` is a number), its plainest text otherwise."""

    field_shares: FieldShares
    seed: int

    def __call__(self, row: Row, epoch: int | None) -> str:
        return caption(row) if epoch is None else drawn_caption(row, self.field_shares, self.seed, epoch)


def _initialize(stage: Stage, parameters: ClipParameters) -> tuple[Callable[[], Clip], Tokenizer]:
    """Return a function that builds the untrained or pretrained network, and the network's tokenizer."""
    images = read_json(stage.input("shards") / "images.json")
    if parameters.pretrained is not None:
        return _load_pretrained(parameters.pretrained, images["size"], images["resize_mode"])
    assert parameters.image is not None  # ClipParameters requires these three
    assert parameters.text is not None
    assert parameters.projection_dim is not None
    tokenizer = Tokenizer.from_file(str(stage.input("tokenizer") / TOKENIZER_FILE))
    ids = tokenizer.get_vocab()
    config = ClipConfig(
        image=parameters.image,
        text=parameters.text,
        projection_dim=parameters.projection_dim,
        image_size=images["size"],
        resize_mode=images["resize_mode"],
        image_mean=CLIP_MEAN,
        image_std=CLIP_STD,
        vocab_size=tokenizer.get_vocab_size(),
        pad_token=ids[PAD],
        end_token=ids[END],
    )
    return partial(Clip, config), make_framed_tokenizer(tokenizer, parameters.text.context_length)


def _load_pretrained(checkpoint: str, size: int, fit: Literal["crop", "pad"]) -> tuple[Callable[[], Clip], Tokenizer]:
    with checkpoint_errors("clip.pretrained", checkpoint):
        network, tokenizer = load_clip(checkpoint, fit)
    check_image_size("clip.pretrained", checkpoint, network.config.image_size, size)
    return partial(copy.deepcopy, network), tokenizer
