"""Train the product classifier on the shards: words, image and what else the parameters name, joined.

Beside it a network is trained on each baseline's modality alone, so that what joining them gains can be measured.
"""

from dataclasses import dataclass, replace
from statistics import fmean, pstdev

from tokenizers import Tokenizer
from torch import Tensor

from assets.product.train.parameters import ProductParameters
from heddle.core.parameters.shared import Compute, read_seed
from heddle.core.stage import Metrics, Stage, StageError, read_json
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
from lightning_modules.product.product import Product, ProductModule
from lightning_modules.product.samples import ProductCollate, ProductReader, lacks, size_of
from lightning_modules.tokenization.vocabulary import PAD, lowered
from lightning_modules.training.data import ShardData, Split
from lightning_modules.training.labels import LabelAccuracy
from lightning_modules.training.phases import FINDS_UNUSED, PhaseError, TwoPhases
from lightning_modules.training.train import Trained, train


def product(stage: Stage) -> Metrics:
    """Train, and write the best epochs' networks, the tokenizer and the histories; say so if there are no labels."""
    parameters = stage.parameters(ProductParameters)
    classes = tuple(read_json(stage.input("shards") / "labels.json")[LABEL])
    counts = {f"{LABEL}_classes": len(classes)}
    if len(classes) < 2:
        reason = f"data/shards/train: {len(classes)} classes of {LABEL}, two are needed; bring labels"
        return {**counts, **not_trained(stage, reason)}
    try:
        splits = training_splits(stage.input("shards"), "product", parameters, Labelled({LABEL: classes}), "labels")
        return {**counts, **_train(stage, parameters, classes, *splits)}
    except (TooFewError, NoStartError) as error:
        return {**counts, **not_trained(stage, str(error))}


def _train(
    stage: Stage, parameters: ProductParameters, classes: tuple[str, ...], training: Split, validation: Split
) -> Metrics:
    stage.progress(f"{training.kept} of {training.total} train listings have labels, {validation.kept} validate")
    tokenizer = lowered(Tokenizer.from_file(str(stage.input("tokenizer") / TOKENIZER_FILE)))
    config, weights = _beginning(stage, parameters, classes, training, tokenizer)
    lesson = Lesson(stage, parameters, training, validation, tokenizer, weights)
    whole = lesson.learned_by(config, "")
    alone = {
        name: lesson.learned_by(replace(config, modalities={name: config.modalities[name]}), f"{name} alone: ")
        for name in parameters.baselines
    }
    only_first_process(whole)
    found = dict(training_metrics(whole, training, validation, "labels"))
    found |= _lacking(parameters.modalities, training)
    for folder, trained in {"": whole, **{f"alone/{name}": one for name, one in alone.items()}}.items():
        write_trained(stage.output / folder, trained)
        if trained.network.config.reads_words:
            tokenizer.save(str(stage.output / folder / TOKENIZER_FILE))
    for name, one in alone.items():
        told = training_metrics(one, training, validation, "labels")
        found |= {f"{name}_alone_{key}": value for key, value in told.items() if "listings" not in key}
    return found


@dataclass(frozen=True)
class Lesson:
    """What networks of different modalities learn: the same listings with the same settings."""

    stage: Stage
    parameters: ProductParameters
    training: Split
    validation: Split
    tokenizer: Tokenizer
    weights: dict[str, Tensor] | None
    """Of the image tower, where it starts from a checkpoint."""

    def learned_by(self, config: ProductConfig, said: str) -> Trained:
        """Train one network; ``said`` begins its lines of progress."""
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
                lambda: ProductModule(self._network(config), parameters, parameters.label_smoothing),
                ShardData(self.training, self.validation, collate, seed),
                parameters.trainer,
                seed=seed,
                threads=self.stage.parameters(Compute, "compute").threads,
                progress=lambda message, done, total: self.stage.progress(f"{said}{message}", done, total),
                callbacks=[LabelAccuracy([LABEL]), phases],
            )
        except PhaseError as error:
            raise StageError(f"set product.trainer.strategy: {FINDS_UNUSED}; {error}") from error

    def _network(self, config: ProductConfig) -> Product:
        network = Product(config)
        if self.weights is not None:
            for encoder in network.image_encoders():
                encoder.load_state_dict(self.weights)
        return network


def _beginning(
    stage: Stage, parameters: ProductParameters, classes: tuple[str, ...], training: Split, tokenizer: Tokenizer
) -> tuple[ProductConfig, dict[str, Tensor] | None]:
    """The whole network's config and, where there is a checkpoint, the weights of its image tower."""
    modalities = dict(parameters.modalities)
    mean, std, weights = HALF, HALF, None  # of no use without images
    for name, branch in parameters.modalities.items():
        if isinstance(branch, ImageBranch):  # there is one at most
            start = image_start(stage, "product.pretrained", branch.image, parameters.pretrained)
            modalities[name] = replace(branch, image=start.tower)
            mean, std, weights = start.mean, start.std, start.weights
    images = read_json(stage.input("shards") / "images.json")
    ids = tokenizer.get_vocab()
    config = ProductConfig(
        modalities=modalities,
        fusion=parameters.fusion,
        classes=classes,
        image_size=images["size"],
        resize_mode=images["fit"],
        image_mean=mean,
        image_std=std,
        vocab_size=len(ids),
        pad_token=ids[PAD],
        scaling=_scaling(modalities, training),
    )
    return config, weights


def _scaling(modalities: Modalities, training: Split) -> Scaling:
    """Mean and deviation of the numbers that the modalities read, over the train split."""
    branches = [branch for branch in modalities.values() if isinstance(branch, NumbersBranch)]
    sizes: dict[NumbersField, list[float]] = {field: [] for branch in branches for field in branch.fields}
    for row in training.rows() if sizes else ():
        for field, known in sizes.items():
            size = size_of(row, field)
            known += [] if size is None else [size]
    return {field: (fmean(known), pstdev(known) or 1.0) if known else (0.0, 1.0) for field, known in sizes.items()}


def _lacking(modalities: Modalities, training: Split) -> Metrics:
    """How many of the listings that are trained on lack which modality."""
    counts = {f"train_listings_without_{name}": 0 for name in modalities}
    for row in training.rows():
        for name, branch in modalities.items():
            counts[f"train_listings_without_{name}"] += lacks(branch, row)
    return counts
