"""The reranker that stage `reranker` trained."""

from pathlib import Path

from heddle.core.errors import naming
from heddle.core.skipped import skip_reason
from heddle.retrieval.config import RetrievalError
from heddle.retrieval.steps import PairScorer


def open_reranker(folder: Path, threads: int) -> PairScorer | None:
    """Load the model in ``data/reranker``; None if the training was skipped.

    Args:
        folder: output of stage `reranker`.
        threads: CPU threads of this process, from now on.

    Raises:
        RetrievalError: the folder is missing or does not contain a complete model.
    """
    if skip_reason(folder) is not None:
        return None
    from lightning_modules.reranker.reranker import Reranker  # torch takes seconds to import

    try:
        with naming(folder):
            return Reranker.from_pretrained(folder, threads)
    except (OSError, ValueError) as error:
        raise RetrievalError(
            f"cannot load the reranker in {folder} ({error}): run `heddle run` or `dvc repro reranker` first"
        ) from error
