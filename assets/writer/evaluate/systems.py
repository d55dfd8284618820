"""All systems of the comparison: the writer with different inputs, the baselines and the seller."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from assets.writer.evaluate.baselines import nearest_contents, template_contents, within_limits
from assets.writer.evaluate.parameters import WriterEvaluationParameters
from assets.writer.evaluate.prompting import CALIBRATED, FULL, IMAGE_ONLY, NO_SCENE_GRAPH, WriterOutput
from assets.writer.evaluate.result import WriterResult
from assets.writer.evaluate.scoring import SystemScorer, add_bert_scores
from heddle.content.content import Content
from heddle.content.lexicon import Lexicon
from heddle.core.skipped import skip_reason
from heddle.core.stage import Stage
from heddle.metrics.bootstrap import ConfidenceInterval, Interval
from lightning_modules.clip.encoder import ClipEncoder
from lightning_modules.training.shards import ShardSample

NEAREST_NEIGHBOUR, TEMPLATE, SELLER = "nearest_neighbour", "template", "seller"
COMPARISONS = (
    *(
        (system, baseline, metric)
        for system in CALIBRATED
        for baseline in (NEAREST_NEIGHBOUR, TEMPLATE)
        for metric in ("attributes_recall", "bleu")
    ),
    (FULL, NO_SCENE_GRAPH, "relations_recall"),
)
"""System, baseline and metric of each paired comparison."""


@dataclass(frozen=True)
class SystemDifference:
    """How much higher a metric is for a system than for a baseline."""

    system: str
    baseline: str
    metric: str
    interval: Interval


def score_systems(
    stage: Stage,
    parameters: WriterEvaluationParameters,
    threads: int,
    samples: Sequence[ShardSample],
    lexicon: Lexicon,
    outputs: Mapping[str, WriterOutput],
) -> dict[str, WriterResult]:
    """Name to result of every system. All texts are cut to the same limits and scored in the same way."""
    clip = None if skip_reason(stage.input("clip")) else ClipEncoder.from_pretrained(stage.input("clip"), threads)
    images = None if clip is None else clip.images(sample.image for sample in samples)
    contents: dict[str, list[Content]] = {name: output.contents for name, output in outputs.items()}
    stage.progress("baselines")
    if clip is not None and images is not None and (nearest := nearest_contents(stage, clip, images)):
        contents[NEAREST_NEIGHBOUR] = nearest
    if filled := template_contents(stage, samples, parameters.template, threads):
        contents[TEMPLATE] = filled
    contents[SELLER] = [within_limits(Content.from_listing(sample.row)) for sample in samples]
    scorer = SystemScorer([sample.row for sample in samples], lexicon, clip, images)
    only_alt_text = (IMAGE_ONLY, NO_SCENE_GRAPH)
    results = [
        scorer(name, texts, 0 if name in only_alt_text else parameters.full_content_samples)
        for name, texts in contents.items()
    ]
    if parameters.bert_score is not None:
        results = add_bert_scores(results, scorer.rows, parameters.bert_score)
    return {result.name: result for result in results}


def compare_systems(results: Mapping[str, WriterResult], interval: ConfidenceInterval) -> Iterator[SystemDifference]:
    """The differences of COMPARISONS that can be measured."""
    for system, baseline, metric in COMPARISONS:
        if system in results and baseline in results:
            difference = results[system].difference(results[baseline], metric, interval)
            if difference is not None:
                yield SystemDifference(system, baseline, metric, difference)
