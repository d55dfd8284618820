"""Judge the product classifier on the test split: all modalities, each alone, and with each of them missing.

Alone means a model that was trained on one modality only; without means the whole model, asked as if every listing
lacked that modality. A class that the train split never showed is a miss.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from assets.product.evaluate.parameters import ProductEvaluationParameters
from heddle.core.csv_file import write_csv
from heddle.core.parameters.shared import Compute, read_seed
from heddle.core.skipped import skip_reason, write_skipped
from heddle.core.stage import Metrics, Stage, read_json
from heddle.evaluation.classification import Answers, answers, numbers, write_mistakes, write_plots
from heddle.evaluation.parameters import BootstrapParameters
from heddle.metrics.bootstrap import ConfidenceInterval
from lightning_modules.product.classifier import ProductClassifier
from lightning_modules.training.data import ShardSample, read_samples

LABEL = "product_class"
ALONE = "alone"
"""Folder of the models that `product` trained on one modality each."""
ABLATION = ("accuracy", "macro_f1", "weighted_f1", "calibration_error")
SEEN = {frozenset({"words"}): "words", frozenset({"image"}): "image", frozenset({"words", "image"}): "both"}
"""Modalities -> what the shop's known ceilings call seeing these and nothing else."""


@dataclass(frozen=True)
class Trial:
    """One way of asking.

    Attributes:
        prefix: of its numbers; empty for the whole model with everything that a listing has.
        name: for a person.
        modalities: what the model saw.
        answers: what it said.
    """

    prefix: str
    name: str
    modalities: frozenset[str]
    answers: Answers


def product_evaluation(stage: Stage) -> Metrics:
    """Classify the test split in every way, measure, and write plots and the surest mistakes."""
    parameters = stage.parameters(ProductEvaluationParameters)
    samples = list(read_samples(stage.input("shards") / "test"))
    labelled = [sample for sample in samples if sample.row[LABEL]]
    found: dict[str, float] = {"test_listings": len(samples), f"{LABEL}_listings": len(labelled)}
    if reason := skip_reason(stage.input("product")):
        stage.progress(f"nothing to judge: {reason}")
        write_skipped(stage.output, reason)
        return found
    if not labelled:
        stage.progress(f"no test listing has the label {LABEL}: nothing is measured")
        return found
    sure = ConfidenceInterval(stage.parameters(BootstrapParameters, "bootstrap"), read_seed())
    ceilings = read_json(stage.input("catalog") / "upper_bounds.json")
    measured: dict[str, Mapping[str, float]] = {}
    (stage.output / "plots").mkdir()
    for trial in _trials(stage, labelled):
        measured[trial.name] = numbers(trial.answers, sure)
        found |= _named(trial, measured[trial.name], ceilings)
        if not trial.prefix:
            write_plots(stage.output / "plots", trial.answers)
            write_mistakes(stage.output / "mistakes.parquet", [trial.answers], parameters.mistakes)
    rows = [(name, *(f"{row[key]:.6f}" for key in ABLATION)) for name, row in measured.items()]
    write_csv(stage.output / "plots" / "ablation.csv", ("seen", *ABLATION), rows)
    return found


def _trials(stage: Stage, samples: list[ShardSample]) -> Iterator[Trial]:
    """Each modality that has a model of its own, all of them together, and all but one."""
    folder, threads = stage.input("product"), stage.parameters(Compute, "compute").threads
    whole = ProductClassifier.from_pretrained(folder, threads)
    every = tuple(whole.config.modalities)

    def judged(model: ProductClassifier, without: tuple[str, ...] = ()) -> Answers:
        asked = ((sample.image, sample.row) for sample in samples)
        return answers(LABEL, samples, model.config.classes, model.probabilities(asked, without=without))

    for one in every:
        if (folder / ALONE / one).is_dir():
            stage.progress(f"{one} alone")
            alone = ProductClassifier.from_pretrained(folder / ALONE / one, threads)
            yield Trial(f"{one}_alone_", f"{one} alone", frozenset({one}), judged(alone))
    stage.progress("all modalities")
    yield Trial("", "all modalities", frozenset(every), judged(whole))
    for one in every if len(every) > 1 else ():
        stage.progress(f"without {one}")
        yield Trial(f"without_{one}_", f"without {one}", frozenset(every) - {one}, judged(whole, (one,)))


def _named(trial: Trial, measured: Mapping[str, float], ceilings: Mapping[str, float]) -> dict[str, float]:
    """The trial's numbers under their names in the metrics file; of a part only the most telling."""
    told = ("accuracy", "accuracy_low", "accuracy_high", "macro_f1")
    kept = {name: value for name, value in measured.items() if not trial.prefix or name in told}
    ceiling = ceilings.get(f"{LABEL}_accuracy_from_{SEEN.get(trial.modalities)}")
    if ceiling is not None:
        kept["accuracy_ceiling"] = ceiling
    return {f"{trial.prefix}{name}": value for name, value in kept.items()}
