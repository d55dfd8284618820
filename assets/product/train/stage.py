"""Train the product classifier on the shards, on all modalities that the parameters name.

A further network is trained on the modality of each baseline alone, so that the evaluation can measure the gain of
combining them.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean, pstdev

from tokenizers import Tokenizer
from torch import Tensor

from assets.product.train.parameters import ProductParameters
from heddle.core.parameters.shared import Compute, read_seed
from heddle.core.stage import Metrics, Stage, StageError, read_json
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
from lightning_modules.image.config import HALF
from lightning_modules.product.classifier import TOKENIZER_FILE
from lightning_modules.product.config import (
    LABEL,
    ImageBranch,
    Modalities,
    NumbersBranch,
    NumbersField,
    ProductConfig,
    Scaling,
)
from lightning_modules.product.product import Product
from lightning_modules.product.samples import ProductCollate, ProductReader, is_missing, signed_log
from lightning_modules.product.training import ProductModule
from lightning_modules.tokenization.vocabulary import PAD, make_lowercase_tokenizer
from lightning_modules.training.data import ShardData
from lightning_modules.training.label_accuracy import LabelAccuracy
from lightning_modules.training.phases import FINDS_UNUSED, PhaseError, TwoPhases
from lightning_modules.training.shards import ShardSplit
from lightning_modules.training.train import Trained, train


def product(stage: Stage) -> Metrics:
    """Train and write the networks of the best epochs, the tokenizer and the histories; skip without two classes."""
    parameters = stage.parameters(ProductParameters)
    classes = tuple(read_json(stage.input("shards") / "labels.json")[LABEL])
    counts = {f"{LABEL}_classes": len(classes)}
    if len(classes) < 2:
        reason = f"data/shards/train: {len(classes)} classes of {LABEL}, two are needed; add labels"
        return {**counts, **skip_training(stage, reason)}
    try:
        splits = open_splits(stage.input("shards"), "product", parameters, HasLabel({LABEL: classes}), "labels")
        return {**counts, **_train(stage, parameters, classes, *splits)}
    except (TooFewListingsError, SkippedInitializationError) as error:
        return {**counts, **skip_training(stage, str(error))}


def _train(
    stage: Stage, parameters: ProductParameters, classes: tuple[str, ...], training: ShardSplit, validation: ShardSplit
) -> Metrics:
    stage.progress(
        f"training on {training.kept} of {training.total} train listings (those with labels), "
        f"{validation.kept} validation listings"
    )
    tokenizer = make_lowercase_tokenizer(Tokenizer.from_file(str(stage.input("tokenizer") / TOKENIZER_FILE)))
    config, weights = _initialize(stage, parameters, classes, training, tokenizer)
    run = ProductTraining(stage, parameters, training, validation, tokenizer, weights)
    full = run.train_network(config, "")
    baselines = {
        name: run.train_network(replace(config, modalities={name: config.modalities[name]}), f"{name} alone: ")
        for name in parameters.baselines
    }
    exit_other_processes(full)
    run.write(full, stage.output)
    metrics = {**training_metrics(full), **split_metrics(training, validation, "labels")}
    metrics |= _count_missing(parameters.modalities, training)
    for name, trained in baselines.items():
        run.write(trained, stage.output / "alone" / name)
        metrics |= {f"{name}_alone_{key}": value for key, value in training_metrics(trained).items()}
    return metrics


@dataclass(frozen=True)
class ProductTraining:
    """Trainings of networks with different modalities on the same listings and with the same settings."""

    stage: Stage
    parameters: ProductParameters
    training: ShardSplit
    validation: ShardSplit
    tokenizer: Tokenizer
    weights: dict[str, Tensor] | None
    """State of the image tower's checkpoint; None for random weights."""

    def train_network(self, config: ProductConfig, prefix: str) -> Trained:
        """Train one network; its progress lines start with ``prefix``.

        Raises:
            StageError: the trainer's strategy cannot freeze a part of the network.
        """
        parameters, seed = self.parameters, read_seed()
        reader = ProductReader(config, self.tokenizer)
        collate = ProductCollate(reader, parameters.augmentation, parameters.modality_dropout, seed)
        phases = TwoPhases(
            lambda module: module.network.image_encoders(),
            parameters.frozen_epochs,
            parameters.fine_tuning_rate / parameters.learning_rate,
        )
        try:
            return train(
                lambda: ProductModule(self._build(config), parameters, parameters.label_smoothing),
                ShardData(self.training, self.validation, collate, seed),
                parameters.trainer,
                seed=seed,
                threads=self.stage.parameters(Compute, "compute").threads,
                progress=lambda message, done, total: self.stage.progress(f"{prefix}{message}", done, total),
                callbacks=[LabelAccuracy([LABEL]), phases],
            )
        except PhaseError as error:
            raise StageError(f"set product.trainer.strategy: {FINDS_UNUSED}; {error}") from error

    def write(self, trained: Trained, folder: Path) -> None:
        """Write network, history and, for a network that reads text, the tokenizer."""
        write_trained(folder, trained)
        if trained.network.config.reads_words:
            self.tokenizer.save(str(folder / TOKENIZER_FILE))

    def _build(self, config: ProductConfig) -> Product:
        network = Product(config)
        if self.weights is not None:
            for encoder in network.image_encoders():
                encoder.load_state_dict(self.weights)
        return network


def _initialize(
    stage: Stage,
    parameters: ProductParameters,
    classes: tuple[str, ...],
    training: ShardSplit,
    tokenizer: Tokenizer,
) -> tuple[ProductConfig, dict[str, Tensor] | None]:
    """Return the config of the full network and, with a checkpoint, the weights of its image tower."""
    modalities = dict(parameters.modalities)
    mean, std, weights = HALF, HALF, None  # unused without images
    for name, branch in parameters.modalities.items():
        if isinstance(branch, ImageBranch):  # at most one branch
            start = read_initialization(stage, "product.pretrained", branch.image, parameters.pretrained)
            modalities[name] = replace(branch, image=start.tower)
            mean, std, weights = start.mean, start.std, start.weights
    images = read_json(stage.input("shards") / "images.json")
    ids = tokenizer.get_vocab()
    config = ProductConfig(
        modalities=modalities,
        fusion=parameters.fusion,
        classes=classes,
        image_size=images["size"],
        resize_mode=images["resize_mode"],
        image_mean=mean,
        image_std=std,
        vocab_size=len(ids),
        pad_token=ids[PAD],
        scaling=_fit_scaling(modalities, training),
    )
    return config, weights


def _fit_scaling(modalities: Modalities, training: ShardSplit) -> Scaling:
    """Mean and standard deviation of the signed logarithm of each numeric field, over the train split."""
    branches = [branch for branch in modalities.values() if isinstance(branch, NumbersBranch)]
    values: dict[NumbersField, list[float]] = {field: [] for branch in branches for field in branch.fields}
    if not values:
        return {}
    for row in training.rows():
        for field, known in values.items():
            value = signed_log(row, field)
            if value is not None:
                known.append(value)
    return {field: (fmean(known), pstdev(known) or 1.0) if known else (0.0, 1.0) for field, known in values.items()}


def _count_missing(modalities: Modalities, training: ShardSplit) -> Metrics:
    """Number of train listings without each modality."""
    counts = {f"train_listings_without_{name}": 0 for name in modalities}
    for row in training.rows():
        for name, branch in modalities.items():
            counts[f"train_listings_without_{name}"] += is_missing(branch, row)
    return counts
