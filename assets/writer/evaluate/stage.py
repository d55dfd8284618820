"""The stage `writer_evaluation`: judge the writer on the test split, beside two baselines.

It is asked with all that a listing tells, from the image alone, and without the objects and how they stand. What its
alt texts state is read by the lexicon that the train split taught; how sure to be of them is learned on the validation
split.
"""

from collections.abc import Sequence

from assets.writer.evaluate.calibration import certainties, errors
from assets.writer.evaluate.examples import surest_mistakes, write_examples
from assets.writer.evaluate.parameters import WriterEvaluationParameters
from assets.writer.evaluate.prompting import IMAGE_ALONE, VIEWS, WRITER, WriterPrompter
from assets.writer.evaluate.result import valid
from assets.writer.evaluate.systems import systems, told_of
from heddle.content.lexicon import Lexicon
from heddle.core.parameters.shared import Compute, read_seed
from heddle.core.skipped import skip_reason, write_skipped
from heddle.core.stage import Metrics, Stage
from heddle.description.certainty import FIELD
from heddle.evaluation.parameters import BootstrapParameters
from heddle.images.aspect_ratios import image_ratios
from heddle.metrics.bootstrap import ConfidenceInterval
from lightning_modules.training.data import ShardSample, read_samples
from lightning_modules.writer.content_writer import ContentWriter, GeneratedContent


def writer_evaluation(stage: Stage) -> Metrics:
    """Write, measure beside the baselines, and keep tables, examples and how sure to be."""
    samples = list(read_samples(stage.input("shards") / "test"))
    counts = {"test_listings": len(samples)}
    reason = skip_reason(stage.input("writer"))
    if not reason and not samples:
        reason = "data/shards/test: there are no listings; bring more or raise split.test"
    if reason:
        stage.progress(f"nothing to judge: {reason}")
        write_skipped(stage.output, reason)
        return counts
    return {**counts, **_judged(stage, samples)}


def _judged(stage: Stage, samples: Sequence[ShardSample]) -> dict[str, float]:
    parameters = stage.parameters(WriterEvaluationParameters)
    sure = ConfidenceInterval(stage.parameters(BootstrapParameters, "bootstrap"), read_seed())
    folder, threads = stage.input("writer"), stage.parameters(Compute, "compute").threads
    ratios = image_ratios(stage.input("catalog"))
    asker = WriterPrompter(ContentWriter.from_folder(folder, threads), Lexicon.from_folder(folder), ratios, read_seed())
    asked = asker.views(samples)
    written: dict[str, list[GeneratedContent]] = {}
    for view, inputs in asked.items():
        stage.progress(view.replace("_", " "), len(written), len(asked))
        whole = parameters.full_content_samples if view == WRITER else 0
        written[view] = asker.writer.write(inputs[:whole]) + asker.writer.write(inputs[whole:], until=FIELD)
    trials = systems(stage, parameters, threads, samples, asker.lexicon, written)
    (stage.output / "plots").mkdir()
    numbers = told_of(stage.output / "plots", trials, sure)
    stage.progress("drawing words")
    drawn = asker.sampled(asked[IMAGE_ALONE][: parameters.full_content_samples], parameters.top_p)
    numbers["sampled_valid_rate"] = float(valid(drawn).mean())
    stage.progress("how sure it is, and what it doubts")
    sureness, measured = certainties(stage, asker, trials, written)
    numbers |= measured
    numbers |= errors(stage.output / "plots", asker, samples, asked, trials, written, sure.bootstrap.confidence)
    first = [(trials[view], place) for place in range(len(samples))[: parameters.examples] for view in VIEWS]
    write_examples(stage.output / "examples.parquet", samples, first, sureness)
    worst = [(trials[view], surest_mistakes(trials[view], sureness[view], parameters.mistakes)) for view in VIEWS]
    shown = [(trial, place) for trial, places in worst for place in places]
    write_examples(stage.output / "mistakes.parquet", samples, shown, sureness)
    return numbers
