"""Train the image classifier on the shards: one image tower, one head for each kind of label."""

from collections.abc import Mapping

from torch import Tensor

from assets.vision.train.parameters import VisionParameters
from heddle.core.parameters.shared import Compute, read_seed
from heddle.core.stage import Metrics, Stage, read_json
from heddle.pretrained.image_tower import NoStartError, image_start
from heddle.training.training import (
    Labelled,
    TooFewError,
    not_trained,
    only_first_process,
    training_metrics,
    training_splits,
    write_trained,
)
from lightning_modules.training.data import ShardData, Split
from lightning_modules.training.labels import LabelAccuracy
from lightning_modules.training.train import train
from lightning_modules.vision.config import VisionConfig
from lightning_modules.vision.vision import LabelledCollate, Vision, VisionModule

Heads = Mapping[str, tuple[str, ...]]
"""Kind of label -> its classes."""


def vision(stage: Stage) -> Metrics:
    """Train, and write the best epoch's network and the history; say so if there are no labels to learn."""
    parameters = stage.parameters(VisionParameters)
    known = read_json(stage.input("shards") / "labels.json")
    counts = {f"{head}_classes": len(known[head]) for head in parameters.heads}
    heads = _heads(stage, parameters, known)
    if not heads:
        named = ", ".join(parameters.heads)
        reason = f"data/shards/train: none of {named} has two classes; bring labels or name other vision.heads"
        return {**counts, **not_trained(stage, reason)}
    try:
        splits = training_splits(stage.input("shards"), "vision", parameters, Labelled(heads), "labels")
        return {**counts, **_train(stage, parameters, heads, *splits)}
    except (TooFewError, NoStartError) as error:
        return {**counts, **not_trained(stage, str(error))}


def _heads(stage: Stage, parameters: VisionParameters, known: Mapping[str, list[str]]) -> Heads:
    """The heads that there is something to learn for: two classes at least in the train split."""
    for head in parameters.heads:
        if len(known[head]) < 2:
            stage.progress(f"left out: the train listings name {len(known[head])} classes of {head}, two are needed")
    return {head: tuple(known[head]) for head in parameters.heads if len(known[head]) >= 2}


def _train(stage: Stage, parameters: VisionParameters, heads: Heads, training: Split, validation: Split) -> Metrics:
    start = image_start(stage, "vision.pretrained", parameters.image, parameters.pretrained)
    config = VisionConfig(
        image=start.tower,
        image_size=start.size,
        resize_mode=start.fit,
        image_mean=start.mean,
        image_std=start.std,
        heads=dict(heads),
        dropout=parameters.dropout,
    )
    stage.progress(f"{training.kept} of {training.total} train listings have labels, {validation.kept} validate")
    seed = read_seed()
    weights: dict[str, float] = dict(parameters.heads.items())
    trained = train(
        lambda: VisionModule(_network(config, start.weights), parameters, weights, parameters.label_smoothing),
        ShardData(training, validation, LabelledCollate(heads, parameters.augmentation, seed), seed),
        parameters.trainer,
        seed=seed,
        threads=stage.parameters(Compute, "compute").threads,
        progress=stage.progress,
        callbacks=[LabelAccuracy(list(heads))],
    )
    only_first_process(trained)
    write_trained(stage.output, trained)
    return training_metrics(trained, training, validation, "labels")


def _network(config: VisionConfig, weights: dict[str, Tensor] | None) -> Vision:
    network = Vision(config)
    if weights is not None:
        network.image.load_state_dict(weights)
    return network
