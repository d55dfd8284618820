"""Judge the image classifier on the test split, each head for itself.

A listing counts for the heads whose label it has. A label that the train split never showed is a miss.
"""

from assets.vision.evaluate.parameters import VisionEvaluationParameters
from heddle.core.parameters.shared import Compute, read_seed
from heddle.core.skipped import skip_reason, write_skipped
from heddle.core.stage import Metrics, Stage, read_json
from heddle.evaluation.classification import answers, numbers, write_mistakes, write_plots
from heddle.evaluation.parameters import BootstrapParameters
from heddle.metrics.bootstrap import ConfidenceInterval
from lightning_modules.training.data import read_samples
from lightning_modules.vision.classifier import VisionClassifier


def vision_evaluation(stage: Stage) -> Metrics:
    """Classify the test split, measure, and write plots and the surest mistakes."""
    parameters = stage.parameters(VisionEvaluationParameters)
    samples = list(read_samples(stage.input("shards") / "test"))
    found: dict[str, float] = {"test_listings": len(samples)}
    if reason := skip_reason(stage.input("vision")):
        stage.progress(f"nothing to judge: {reason}")
        write_skipped(stage.output, reason)
        return found
    classifier = VisionClassifier.from_pretrained(stage.input("vision"), stage.parameters(Compute, "compute").threads)
    stage.progress("classifying images", len(samples), len(samples))
    probabilities = classifier.probabilities(sample.image for sample in samples)
    ceilings = read_json(stage.input("catalog") / "upper_bounds.json")
    sure = ConfidenceInterval(stage.parameters(BootstrapParameters, "bootstrap"), read_seed())
    heads = [answers(head, samples, classes, probabilities[head]) for head, classes in classifier.config.heads.items()]
    (stage.output / "plots").mkdir()
    for given in heads:
        write_plots(stage.output / "plots", given)
        measured = numbers(given, sure)
        if measured and (ceiling := ceilings.get(f"{given.label}_accuracy_from_image")) is not None:
            measured["accuracy_ceiling"] = ceiling
        if not measured:
            stage.progress(f"no test listing has the label {given.label}: it is not measured")
        found[f"{given.label}_listings"] = len(given.samples)
        found |= {f"{given.label}_{name}": value for name, value in measured.items()}
    write_mistakes(stage.output / "mistakes.parquet", heads, parameters.mistakes)
    return found
