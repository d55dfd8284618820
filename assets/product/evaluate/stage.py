"""Evaluate the product classifier on the test split: all modalities, each alone, and all but one.

System `<modality>_only` is a model that was trained on this modality alone. System `without_<modality>` is the full
model on listings whose modality is removed. A class that the train split lacks is always a mistake.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from assets.product.evaluate.parameters import ProductEvaluationParameters
from heddle.core.csv_file import write_csv
from heddle.core.parameters.shared import Compute, read_seed
from heddle.core.skipped import skip_reason
from heddle.core.stage import Metrics, Stage, read_json
from heddle.evaluation.classification import (
    Predictions,
    classification_metrics,
    select_labelled,
    write_mistakes,
    write_plots,
)
from heddle.evaluation.metric_tree import flat_values
from heddle.evaluation.parameters import BootstrapParameters
from heddle.evaluation.skip import skip_evaluation
from heddle.metrics.bootstrap import ConfidenceInterval
from lightning_modules.product.classifier import ProductClassifier
from lightning_modules.training.shards import ShardSample, read_samples

LABEL = "product_class"
FULL = "full"
"""The system with all modalities."""
ALONE = "alone"
"""Folder of the models that stage `product` trained on one modality each."""
METRICS = ("accuracy", "macro_f1", "weighted_f1", "calibration_error")
ABLATION_METRICS = ("accuracy", "macro_f1")
"""Metrics of the systems other than ``full`` in ``metrics.json``; the table has all of them."""
UPPER_BOUNDS = {frozenset({"text"}): "words", frozenset({"image"}): "image", frozenset({"text", "image"}): "both"}
"""Modalities -> the name of their upper bound in the demo shop's ``upper_bounds.json``."""


@dataclass(frozen=True)
class SystemPredictions:
    """The predictions of one system.

    Attributes:
        name: of the system: ``full``, ``text_only``, ``without_image``.
        modalities: those that the system gets.
        predictions: for the labelled test listings.
    """

    name: str
    modalities: frozenset[str]
    predictions: Predictions


def product_evaluation(stage: Stage) -> Metrics:
    """Classify the test split with every system; write metrics, plots and the most confident mistakes."""
    parameters = stage.parameters(ProductEvaluationParameters)
    samples = list(read_samples(stage.input("shards") / "test"))
    labelled = [sample for sample in samples if sample.row[LABEL]]
    metrics: dict[str, Any] = {"test_listings": len(samples), f"{LABEL}_listings": len(labelled)}
    reason = skip_reason(stage.input("product"))
    if reason:
        return skip_evaluation(stage, reason, metrics)
    if not labelled:
        stage.progress(f"no test listing has the label {LABEL}: no metric is measured")
        return metrics
    interval = ConfidenceInterval(stage.parameters(BootstrapParameters, "bootstrap"), read_seed())
    upper_bounds = read_json(stage.input("catalog") / "upper_bounds.json")
    rows = []
    (stage.output / "plots").mkdir()
    for system in _systems(stage, labelled):
        measured = classification_metrics(system.predictions, interval)
        values = flat_values(measured)
        rows.append((system.name, *(f"{values[name]:.6f}" for name in METRICS)))
        metrics[system.name] = _system_metrics(system, measured, upper_bounds)
        if system.name == FULL:
            write_plots(stage.output / "plots", system.predictions)
            write_mistakes(stage.output / "mistakes.parquet", [system.predictions], parameters.mistakes)
    write_csv(stage.output / "plots" / "ablation.csv", ("system", *METRICS), rows)
    return metrics


def _systems(stage: Stage, samples: list[ShardSample]) -> Iterator[SystemPredictions]:
    """Each modality that has a model of its own, all modalities together, and all but one."""
    folder, threads = stage.input("product"), stage.parameters(Compute, "compute").threads
    full = ProductClassifier.from_pretrained(folder, threads)
    modalities = tuple(full.config.modalities)

    def predict(model: ProductClassifier, without: tuple[str, ...] = ()) -> Predictions:
        inputs = ((sample.image, sample.row) for sample in samples)
        return select_labelled(LABEL, samples, model.config.classes, model.probabilities(inputs, without=without))

    for modality in modalities:
        if (folder / ALONE / modality).is_dir():
            name = f"{modality}_only"
            stage.progress(name)
            single = ProductClassifier.from_pretrained(folder / ALONE / modality, threads)
            yield SystemPredictions(name, frozenset({modality}), predict(single))
    stage.progress(FULL)
    yield SystemPredictions(FULL, frozenset(modalities), predict(full))
    if len(modalities) == 1:
        return
    for modality in modalities:
        name = f"without_{modality}"
        stage.progress(name)
        yield SystemPredictions(name, frozenset(modalities) - {modality}, predict(full, (modality,)))


def _system_metrics(
    system: SystemPredictions, measured: Mapping[str, Any], upper_bounds: Mapping[str, float]
) -> dict[str, Any]:
    """What ``metrics.json`` contains of a system."""
    names = METRICS if system.name == FULL else ABLATION_METRICS
    kept = {name: measured[name] for name in names}
    upper_bound = upper_bounds.get(f"{LABEL}_accuracy_from_{UPPER_BOUNDS.get(system.modalities)}")
    if upper_bound is not None:
        kept["accuracy"] = {**kept["accuracy"], "upper_bound": upper_bound}
    return kept
