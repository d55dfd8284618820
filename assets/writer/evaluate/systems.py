"""The writer in every view, its baselines and the seller, measured alike and beside each other."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from assets.writer.evaluate.baselines import filled, likest, sentence, within_limits
from assets.writer.evaluate.parameters import WriterEvaluationParameters, gaps
from assets.writer.evaluate.prompting import IMAGE_ALONE, VIEWS, WITHOUT_GRAPH, WRITER
from assets.writer.evaluate.result import RIGHT, SystemResult, SystemScorer, bert_scored
from assets.writer.evaluate.tables import differences, write_differences, write_systems
from heddle.content.content import Content
from heddle.content.lexicon import Lexicon
from heddle.core.skipped import skip_reason
from heddle.core.stage import Stage
from heddle.metrics.bootstrap import ConfidenceInterval
from lightning_modules.clip.encoder import ClipEncoder
from lightning_modules.training.data import ShardSample
from lightning_modules.vision.classifier import VisionClassifier
from lightning_modules.writer.content_writer import GeneratedContent

NEAREST, TEMPLATE, SELLER = "nearest", "template", "seller"
BRIEF = (*RIGHT, "attributes_right", "bleu", "clip_score")
"""Numbers of the other systems that stand in the metrics file; all of them stand in the table."""
PAIRS = (
    *((one, other, name) for one in VIEWS for other in (NEAREST, TEMPLATE) for name in ("attributes_right", "bleu")),
    (WRITER, WITHOUT_GRAPH, "relations_right"),
)
"""What is compared listing by listing."""


def systems(
    stage: Stage,
    parameters: WriterEvaluationParameters,
    threads: int,
    samples: Sequence[ShardSample],
    lexicon: Lexicon,
    written: Mapping[str, Sequence[GeneratedContent]],
) -> dict[str, SystemResult]:
    """All systems by name, their texts cut to the same lengths and judged alike."""
    clip = None if skip_reason(stage.input("clip")) else ClipEncoder.from_pretrained(stage.input("clip"), threads)
    images = None if clip is None else clip.images(sample.image for sample in samples)
    contents = {view: [Content.from_fields(one.fields) for one in texts] for view, texts in written.items()}
    stage.progress("the baselines")
    if clip is not None and images is not None and (rows := likest(stage, clip, images)):
        contents[NEAREST] = [within_limits(Content.from_listing(row)) for row in rows]
    if sentences := _sentences(stage, samples, parameters.template, threads):
        contents[TEMPLATE] = [within_limits(sentence(text)) for text in sentences]
    contents[SELLER] = [within_limits(Content.from_listing(sample.row)) for sample in samples]
    judge = SystemScorer([sample.row for sample in samples], lexicon, clip, images)
    wholes = {IMAGE_ALONE: 0, WITHOUT_GRAPH: 0}
    trials = [judge(name, texts, wholes.get(name, parameters.full_content_samples)) for name, texts in contents.items()]
    if parameters.bert_score is not None:
        trials = bert_scored(trials, judge.rows, parameters.bert_score)
    return {trial.name: trial for trial in trials}


def told_of(plots: Path, trials: Mapping[str, SystemResult], sure: ConfidenceInterval) -> dict[str, float]:
    """Write the tables of all systems and of their differences; the writer's numbers, and the others' most telling."""
    told = {name: trial.numbers(sure) for name, trial in trials.items()}
    write_systems(plots, told)
    compared = differences(trials, PAIRS, sure)
    write_differences(plots, compared)
    numbers = dict(told.pop(WRITER))
    for name, found in told.items():
        numbers |= {f"{name}_{key}": found[key] for key in BRIEF if key in found}
    for system, other, measure, difference in compared:
        key = "relations_gain" if other == WITHOUT_GRAPH else f"{measure}_over_{other}"
        names = [f"{'' if system == WRITER else f'{system}_'}{key}{part}" for part in ("", "_low", "_high")]
        numbers |= dict(zip(names, difference.values(), strict=True))
    return numbers


def _sentences(stage: Stage, samples: Sequence[ShardSample], template: str, threads: int) -> list[str]:
    """The template's, image by image; none without a classifier that names what stands in its gaps."""
    folder = stage.input("vision")
    if skip_reason(folder):
        return []
    classifier = VisionClassifier.from_pretrained(folder, threads)
    if missing := sorted({*gaps(template)} - {*classifier.config.heads}):
        stage.progress(f"stage vision names no {', '.join(missing)}: the template is not compared")
        return []
    probabilities = classifier.probabilities(sample.image for sample in samples)
    return list(filled(template, classifier.config.heads, probabilities))
