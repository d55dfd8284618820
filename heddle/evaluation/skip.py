"""Skip an evaluation that has nothing to evaluate."""

from heddle.core.skipped import write_skipped
from heddle.core.stage import Metrics, Stage


def skip_evaluation(stage: Stage, reason: str, counts: Metrics) -> Metrics:
    """Write why the stage evaluates nothing, and return its counts, which are then all its metrics.

    Args:
        stage: the evaluation.
        reason: a sentence that names what is missing and what to do.
        counts: numbers of test examples.
    """
    stage.progress(f"nothing to evaluate: {reason}")
    write_skipped(stage.output, reason)
    return counts
