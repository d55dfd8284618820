"""The retriever that a stage asks: over the index that it reads, with the reranker if there is one."""

from heddle.core.parameters.shared import Compute
from heddle.core.stage import Stage, StageError
from heddle.retrieval.parameters import RetrievalParameters
from heddle.retrieval.reranking import open_reranker
from heddle.retrieval.retriever import RetrievalError, Retriever


def opened(stage: Stage) -> Retriever:
    """Open ``data/index`` as section `retrieval` says.

    Raises:
        StageError: there is no index or no output of stage `reranker`, or not all of it.
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
