"""Train the image classifier on the shards: one image tower and one linear head per kind of label."""

from collections.abc import Mapping

from torch import Tensor

from assets.vision.train.parameters import VisionParameters
from heddle.core.parameters.shared import Compute, read_seed
from heddle.core.stage import Metrics, Stage, read_json
from heddle.pretrained.image_tower import SkippedInitializationError, read_initialization
from heddle.training.training import (
    HasLabel,
    TooFewListingsError,
    exit_other_processes,
    open_splits,
    skip_training,
    split_metrics,
    training_metrics,
    write_trained,
)
from lightning_modules.training.data import ShardData
from lightning_modules.training.label_accuracy import LabelAccuracy
from lightning_modules.training.shards import ShardSplit
from lightning_modules.training.train import train
from lightning_modules.vision.config import VisionConfig
from lightning_modules.vision.training import LabelledCollate, VisionModule
from lightning_modules.vision.vision import Vision

Heads = Mapping[str, tuple[str, ...]]
"""Kind of label -> its classes."""


def vision(stage: Stage) -> Metrics:
    """Train and write the network of the best epoch and the history; skip without labels of two classes."""
    parameters = stage.parameters(VisionParameters)
    known = read_json(stage.input("shards") / "labels.json")
    counts = {f"{head}_classes": len(known[head]) for head in parameters.heads}
    heads = _select_heads(stage, parameters, known)
    if not heads:
        names = ", ".join(parameters.heads)
        reason = f"data/shards/train: none of {names} has two classes; add labels or change vision.heads"
        return {**counts, **skip_training(stage, reason)}
    try:
        splits = open_splits(stage.input("shards"), "vision", parameters, HasLabel(heads), "labels")
        return {**counts, **_train(stage, parameters, heads, *splits)}
    except (TooFewListingsError, SkippedInitializationError) as error:
        return {**counts, **skip_training(stage, str(error))}


def _select_heads(stage: Stage, parameters: VisionParameters, known: Mapping[str, list[str]]) -> Heads:
    """Heads with at least two classes in the train split."""
    for head in parameters.heads:
        if len(known[head]) < 2:
            stage.progress(f"head {head} skipped: {len(known[head])} classes in the train split, 2 are needed")
    return {head: tuple(known[head]) for head in parameters.heads if len(known[head]) >= 2}


def _train(
    stage: Stage, parameters: VisionParameters, heads: Heads, training: ShardSplit, validation: ShardSplit
) -> Metrics:
    start = read_initialization(stage, "vision.pretrained", parameters.image, parameters.pretrained)
    config = VisionConfig(
        image=start.tower,
        image_size=start.size,
        resize_mode=start.fit,
        image_mean=start.mean,
        image_std=start.std,
        heads=dict(heads),
        dropout=parameters.dropout,
    )
    stage.progress(
        f"training on {training.kept} of {training.total} train listings (those with labels), "
        f"{validation.kept} validation listings"
    )
    seed = read_seed()
    weights: dict[str, float] = dict(parameters.heads.items())
    trained = train(
        lambda: VisionModule(_build(config, start.weights), parameters, weights, parameters.label_smoothing),
        ShardData(training, validation, LabelledCollate(heads, parameters.augmentation, seed), seed),
        parameters.trainer,
        seed=seed,
        threads=stage.parameters(Compute, "compute").threads,
        progress=stage.progress,
        callbacks=[LabelAccuracy(list(heads))],
    )
    exit_other_processes(trained)
    write_trained(stage.output, trained)
    return {**training_metrics(trained), **split_metrics(training, validation, "labels")}


def _build(config: VisionConfig, weights: dict[str, Tensor] | None) -> Vision:
    network = Vision(config)
    if weights is not None:
        network.image.load_state_dict(weights)
    return network
