"""Whether the writer knows when it is wrong: how sure to be of its texts, and whether it sees mistakes."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from assets.writer.evaluate.claims import Claims, Floats
from assets.writer.evaluate.error_detection import ALL, DetectionResult, ErrorScores
from assets.writer.evaluate.prompting import VIEWS, WRITER, WriterPrompter, likelihoods
from assets.writer.evaluate.result import SystemResult, known
from assets.writer.evaluate.tables import write_errors
from heddle.core.stage import Stage
from heddle.description.certainty import FIELD, Certainty, PlattScaling
from heddle.evaluation.classification import write_reliability
from heddle.metrics import compute
from heddle.metrics.expected_calibration_error import ExpectedCalibrationError
from lightning_modules.training.data import ShardSample, read_samples
from lightning_modules.writer.content_writer import GeneratedContent, WriterScores
from lightning_modules.writer.samples import Inputs

OTHERS, OWN = "sellers", "own"
"""Whose texts have the mistakes."""
HEAD, LIKELIHOOD = "head", "likelihood"
"""What tells of them."""


def certainties(
    stage: Stage,
    asker: WriterPrompter,
    trials: Mapping[str, SystemResult],
    written: Mapping[str, Sequence[GeneratedContent]],
) -> tuple[dict[str, Floats], dict[str, float]]:
    """How sure to be of each alt text, learned on the validation split, and how well that holds on the test split.

    Returns:
        View to the certainties, (N,), nan where nothing could be learned; and ``calibration_error`` of each view.
    """
    lines = _learned(stage, asker)
    Certainty({view == WRITER: line for view, line in lines.items()}).save(stage.output)
    found = {view: np.full(len(written[view]), np.nan) for view in VIEWS}
    numbers: dict[str, float] = {}
    for view, line in lines.items():
        found[view] = line(likelihoods(written[view]))
        right = trials[view].statements.sound
        sure = found[view][~np.isnan(right)]
        if len(sure):
            write_reliability(stage.output / "plots" / f"{view}_reliability.csv", sure, known(right))
            labels = known(right).astype(int)
            error = compute(ExpectedCalibrationError, predictions=sure, references=labels)["expected_calibration_error"]
            numbers[f"{_prefix(view)}calibration_error"] = error
    return found, numbers


def errors(
    plots: Path,
    asker: WriterPrompter,
    samples: Sequence[ShardSample],
    asked: Mapping[str, Sequence[Inputs]],
    trials: Mapping[str, SystemResult],
    written: Mapping[str, Sequence[GeneratedContent]],
    confidence: float,
) -> dict[str, float]:
    """How well mistakes are seen: those put into sellers' texts, and the writer's own."""
    places = [place for place, sample in enumerate(samples) if sample.row["alt_text"]]
    texts, kinds = asker.spoilt([samples[place] for place in places])
    told: list[DetectionResult] = []
    for view in VIEWS:
        judged = asker.judged([asked[view][place] for place in places], texts)
        told += _told(view, OTHERS, kinds, judged, confidence)
        sound = trials[view].statements.sound
        own = [one for one, right in zip(written[view], sound, strict=True) if not np.isnan(right)]
        told += _told(view, OWN, [None if right else OWN for right in known(sound)], own, confidence)
    write_errors(plots, told)
    numbers: dict[str, float] = {}
    for one in told:
        kind = "" if one.kind == ALL else f"{one.kind}_"
        of, by = "own_" if one.texts == OWN else "", "" if one.by == HEAD else f"{one.by}_"
        numbers |= {f"{_prefix(one.view)}{of}{by}{kind}error_{name}": value for name, value in one.numbers.items()}
    return numbers


def _told(
    view: str, texts: str, kinds: Sequence[str | None], judged: Sequence[WriterScores], confidence: float
) -> Iterator[DetectionResult]:
    """By the head that is there for it, and by how unlikely the words are."""
    heads = np.array([one.wrong[FIELD] for one in judged], dtype=np.float64)
    yield from ErrorScores(view, texts, HEAD, kinds, heads).told(confidence)
    yield from ErrorScores(view, texts, LIKELIHOOD, kinds, -likelihoods(judged)).told(confidence)


def _learned(stage: Stage, asker: WriterPrompter) -> dict[str, PlattScaling]:
    """Of each view, from what the writer writes for the validation split; none where nothing of it can be judged."""
    samples = list(read_samples(stage.input("shards") / "validation"))
    asked = asker.views(samples)
    lines = {}
    for view in VIEWS:
        written = asker.writer.write(asked[view], until=FIELD)
        texts = [one.fields[FIELD] for one in written]
        sound = Claims.of(texts, [sample.row for sample in samples], asker.lexicon).sound
        if len(right := known(sound)):
            lines[view] = PlattScaling.learn(likelihoods(written)[~np.isnan(sound)], right)
    return lines


def _prefix(view: str) -> str:
    return "" if view == WRITER else f"{view}_"
