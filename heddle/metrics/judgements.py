"""What the measures of ranked lists share: their one input form, and how a query is handed to torchmetrics.

A document is relevant if its grade is at least 1; one that was not judged is not relevant. A query without relevant
documents counts as 0, as in trec_eval; which queries to ask about is the caller's choice.
"""

from collections.abc import Callable, Mapping
from typing import TypedDict

import datasets
import numpy as np
import torch
from numpy.typing import NDArray


class Judged(TypedDict):
    """The documents that were judged for one query, and their grades, side by side."""

    ids: list[str]
    grades: list[int]


FEATURES = datasets.Features(
    {
        "predictions": datasets.Sequence(datasets.Value("string")),
        "references": {
            "ids": datasets.Sequence(datasets.Value("string")),
            "grades": datasets.Sequence(datasets.Value("int32")),
        },
    }
)

INPUTS = """
Args:
    predictions: for each query the ids of documents, best first, no id twice; at least k of them or all there are.
    references: for each query the ids of its judged documents and their grades, as `judged` makes them.
    k: length of the head of the list, at least 1.
"""


def judged(grades: Mapping[str, int]) -> Judged:
    """A query's relevance judgements, id -> grade, in the form of a reference."""
    return {"ids": list(grades), "grades": list(grades.values())}


def each_query(
    measure: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    predictions: list[list[str]],
    references: list[Judged],
    k: int,
) -> NDArray[np.float64]:
    """``measure`` of scores and grades, as torchmetrics takes them, query by query.

    Returns:
        One value a query, (N,). torchmetrics computes in single precision; these are the shortest decimals that say
        the same, so that nine of ten is not less than 0.9.

    Raises:
        ValueError: there are no queries, so there is no mean; or see :func:`_by_rank`.
    """
    if not predictions:
        raise ValueError("no queries: a mean needs at least one query")
    values = [
        measure(*_by_rank(ranked, judged, k)).numpy() for ranked, judged in zip(predictions, references, strict=True)
    ]
    return np.array([float(str(value)) for value in values])


def _by_rank(ranked: list[str], judged: Judged, k: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Scores that fall with the rank, and grades of at least 0: the first k, then all that they missed.

    A list shorter than k is filled up with irrelevant documents, so that no missed document is among the first k.

    Raises:
        ValueError: an id is duplicated in the list or in the judgements, or k is less than 1.
    """
    grades = dict(zip(judged["ids"], judged["grades"], strict=True))
    if len(set(ranked)) < len(ranked) or len(grades) < len(judged["ids"]):
        raise ValueError("duplicate document id in a query's ranked list or relevance judgements")
    if k < 1:
        raise ValueError(f"k is {k}, at least 1 is needed")
    head = ranked[:k]
    found = [grades.get(document, 0) for document in head] + [0] * (k - len(head))
    missed = [grade for document, grade in grades.items() if document not in set(head)]
    by_rank = torch.tensor(found + missed).clamp(min=0)
    return torch.arange(len(by_rank), 0, -1, dtype=torch.float32), by_rank
