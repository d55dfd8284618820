"""The reranker that stage `reranker` left, if it left one."""

from pathlib import Path

from heddle.core.skipped import skip_reason
from heddle.retrieval.retriever import Reranker, RetrievalError


def open_reranker(folder: Path, threads: int) -> Reranker | None:
    """The model in ``data/reranker``; None if there was nothing to train it on.

    Raises:
        RetrievalError: the folder is missing, or does not hold all of a model.
    """
    if skip_reason(folder) is not None:
        return None
    from lightning_modules.reranker.reranker import Reranker as Trained  # torch takes seconds to import

    try:
        return Trained.from_pretrained(folder, threads)
    except (OSError, ValueError) as error:
        raise RetrievalError(
            f"{folder} holds no reranker ({error}): run `heddle run` or `dvc repro reranker` first"
        ) from error
