"""The retriever of a stage."""

from heddle.core.parameters.shared import Compute
from heddle.core.stage import Stage, StageError
from heddle.retrieval.config import RetrievalError
from heddle.retrieval.open_reranker import open_reranker
from heddle.retrieval.parameters import RetrievalParameters
from heddle.retrieval.retriever import Retriever


def open_retriever(stage: Stage) -> Retriever:
    """Open ``data/index`` and, if it contains a model, ``data/reranker``, with section `retrieval` of the parameters.

    Raises:
        StageError: the index or the output of stage `reranker` is missing or incomplete.
    """
    stage.input("index")
    threads = stage.parameters(Compute, "compute").threads
    try:
        return Retriever.open(
            parameters=stage.parameters(RetrievalParameters, "retrieval"),
            reranker=open_reranker(stage.input("reranker"), threads),
            threads=threads,
        )
    except RetrievalError as error:
        raise StageError(str(error)) from error
