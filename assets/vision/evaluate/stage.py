"""Evaluate the image classifier on the test split, each head by itself.

A listing counts for the heads whose label it has. A label that the train split lacks is always a mistake.
"""

from typing import Any

from assets.vision.evaluate.parameters import VisionEvaluationParameters
from heddle.core.parameters.shared import Compute, read_seed
from heddle.core.skipped import skip_reason
from heddle.core.stage import Metrics, Stage, read_json
from heddle.evaluation.classification import classification_metrics, select_labelled, write_mistakes, write_plots
from heddle.evaluation.parameters import BootstrapParameters
from heddle.evaluation.skip import skip_evaluation
from heddle.metrics.bootstrap import ConfidenceInterval
from lightning_modules.training.shards import read_samples
from lightning_modules.vision.classifier import VisionClassifier


def vision_evaluation(stage: Stage) -> Metrics:
    """Classify the test split; write metrics, plots and the most confident mistakes."""
    parameters = stage.parameters(VisionEvaluationParameters)
    samples = list(read_samples(stage.input("shards") / "test"))
    metrics: dict[str, Any] = {"test_listings": len(samples)}
    reason = skip_reason(stage.input("vision"))
    if reason:
        return skip_evaluation(stage, reason, metrics)
    classifier = VisionClassifier.from_pretrained(stage.input("vision"), stage.parameters(Compute, "compute").threads)
    stage.progress("classifying images", len(samples), len(samples))
    probabilities = classifier.probabilities(sample.image for sample in samples)
    upper_bounds = read_json(stage.input("catalog") / "upper_bounds.json")
    interval = ConfidenceInterval(stage.parameters(BootstrapParameters, "bootstrap"), read_seed())
    heads = [
        select_labelled(head, samples, classes, probabilities[head])
        for head, classes in classifier.config.heads.items()
    ]
    (stage.output / "plots").mkdir()
    for predictions in heads:
        label = predictions.label
        write_plots(stage.output / "plots", predictions)
        measured = classification_metrics(predictions, interval)
        upper_bound = upper_bounds.get(f"{label}_accuracy_from_image")
        if not measured:
            stage.progress(f"no test listing has the label {label}: its head is not evaluated")
        elif upper_bound is not None:
            measured["accuracy"]["upper_bound"] = upper_bound
        metrics[label] = {"listings": len(predictions.samples), **measured}
    write_mistakes(stage.output / "mistakes.parquet", heads, parameters.mistakes)
    return metrics
