"""The stage `writer_evaluation`: evaluate the writer on the test split, beside two baselines and the seller.

The writer is prompted with all inputs, with the image only, and without the scene graph. The claims of its alt texts
are read with the lexicon of the train split. The certainty of its texts is fitted on the validation split.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from assets.writer.evaluate.calibration import fit_certainty, measure_calibration, predict_certainties
from assets.writer.evaluate.error_detection import DetectionResult, measure_error_detection
from assets.writer.evaluate.examples import most_certain_mistakes, write_examples
from assets.writer.evaluate.parameters import WriterEvaluationParameters
from assets.writer.evaluate.prompting import CALIBRATED, FULL, IMAGE_ONLY, NO_SCENE_GRAPH, WriterOutput, WriterPrompter
from assets.writer.evaluate.result import MetricLeaf
from assets.writer.evaluate.scoring import validity
from assets.writer.evaluate.systems import SystemDifference, compare_systems, score_systems
from assets.writer.evaluate.tables import write_differences, write_error_detection, write_systems
from heddle.content.lexicon import Lexicon
from heddle.core.parameters.shared import Compute, read_seed
from heddle.core.skipped import skip_reason, write_skipped
from heddle.core.stage import Metrics, Stage
from heddle.evaluation.parameters import BootstrapParameters
from heddle.images.aspect_ratios import image_ratios
from heddle.metrics.bootstrap import ConfidenceInterval
from lightning_modules.training.shards import ShardSample, read_samples
from lightning_modules.writer.content_writer import ContentWriter


def writer_evaluation(stage: Stage) -> Metrics:
    """Evaluate the writer; write metrics, tables, examples and the fitted certainty."""
    samples = list(read_samples(stage.input("shards") / "test"))
    counts = {"test_listings": len(samples)}
    reason = skip_reason(stage.input("writer"))
    if not reason and not samples:
        reason = "data/shards/test contains no listings: add listings or raise split.test"
    if reason:
        stage.progress(f"skipped: {reason}")
        write_skipped(stage.output, reason)
        return counts
    return {**counts, **_evaluate(stage, samples)}


def _evaluate(stage: Stage, samples: Sequence[ShardSample]) -> Metrics:
    parameters = stage.parameters(WriterEvaluationParameters)
    interval = ConfidenceInterval(stage.parameters(BootstrapParameters, "bootstrap"), read_seed())
    folder, threads = stage.input("writer"), stage.parameters(Compute, "compute").threads
    plots = stage.output / "plots"
    plots.mkdir()
    prompter = WriterPrompter(
        ContentWriter.from_folder(folder, threads),
        Lexicon.from_folder(folder),
        image_ratios(stage.input("catalog")),
        read_seed(),
    )
    outputs = _write(stage, prompter, samples, parameters.full_content_samples)
    results = score_systems(stage, parameters, threads, samples, prompter.lexicon, outputs)
    differences = list(compare_systems(results, interval))
    stage.progress("sampling")
    sampled = prompter.sample(outputs[IMAGE_ONLY].inputs[: parameters.full_content_samples], parameters.top_p)
    stage.progress("calibration")
    certainties = predict_certainties(fit_certainty(stage, prompter), outputs)
    calibration_errors = measure_calibration(plots, certainties, results)
    stage.progress("error detection")
    detection = list(measure_error_detection(prompter, samples, outputs, results, interval.bootstrap.confidence))

    metrics: dict[str, Any] = {name: result.metrics(interval) for name, result in results.items()}
    write_systems(plots, metrics)
    write_differences(plots, differences)
    write_error_detection(plots, detection)
    first = [(results[system], index) for index in range(len(samples))[: parameters.examples] for system in CALIBRATED]
    write_examples(stage.output / "examples.parquet", samples, first, certainties)
    mistakes = [
        (results[system], index)
        for system in CALIBRATED
        for index in most_certain_mistakes(results[system], certainties[system], parameters.mistakes)
    ]
    write_examples(stage.output / "mistakes.parquet", samples, mistakes, certainties)

    metrics[IMAGE_ONLY]["sampled_valid_rate"] = float(validity(sampled).mean())
    for system, error in calibration_errors.items():
        metrics[system]["calibration_error"] = error
    return _metric_tree(metrics, differences, detection)


def _write(
    stage: Stage, prompter: WriterPrompter, samples: Sequence[ShardSample], complete: int
) -> dict[str, WriterOutput]:
    """The writer's texts from each kind of inputs: complete content of some listings from all inputs."""
    outputs: dict[str, WriterOutput] = {}
    inputs = prompter.inputs(samples)
    for name, known in inputs.items():
        stage.progress(f"writing: {name.replace('_', ' ')}", len(outputs), len(inputs))
        outputs[name] = prompter.write(known, complete if name == FULL else 0)
    return outputs


def _metric_tree(
    metrics: Mapping[str, dict[str, MetricLeaf]],
    differences: Iterable[SystemDifference],
    detection: Iterable[DetectionResult],
) -> Metrics:
    """The metrics of each system with its differences and error detection, and the gain by the scene graph."""
    tree: dict[str, Any] = {name: dict(measured) for name, measured in metrics.items()}
    for one in detection:
        if one.auroc is not None:
            tree[one.system][one.metric] = one.auroc
    for difference in differences:
        if difference.baseline == NO_SCENE_GRAPH:
            tree["scene_graph_gain"] = difference.interval
        else:
            key = f"{difference.metric}_delta_vs_{difference.baseline}"
            tree[difference.system][key] = difference.interval
    return tree
