"""Recall@k of ranked lists, by torchmetrics."""

import datasets
import evaluate
import torch
from torchmetrics.functional.retrieval import retrieval_recall

DESCRIPTION = """Recall@k: the share of a query's relevant documents that stand among the first k of its ranked list,
averaged over the queries. A query without relevant documents counts as 0."""

INPUTS = """
Args:
    predictions: for each query the ids of documents, best first, no id twice; at least k of them or all there are.
    references: for each query the ids of its relevant documents.
    k: length of the head of the list, at least 1.
Returns:
    recall: in [0, 1].
"""


class Recall(evaluate.Metric):
    """Share of the relevant documents among the first k."""

    def _info(self) -> evaluate.MetricInfo:
        ids = datasets.Sequence(datasets.Value("string"))
        return evaluate.MetricInfo(
            description=DESCRIPTION,
            citation="Manning, Raghavan and Schütze 2008, Introduction to Information Retrieval, chapter 8",
            inputs_description=INPUTS,
            features=datasets.Features({"predictions": ids, "references": ids}),
        )

    def _compute(self, predictions: list[list[str]], references: list[list[str]], k: int) -> dict[str, float]:
        values = [_recall(ranked, set(relevant), k) for ranked, relevant in zip(predictions, references, strict=True)]
        return {"recall": sum(values) / len(values)}


def _recall(ranked: list[str], relevant: set[str], k: int) -> float:
    # What was not retrieved follows at the end, so that it counts among the relevant documents.
    documents = list(ranked[:k]) + sorted(relevant - set(ranked[:k]))
    if not relevant:
        return 0.0
    score = torch.arange(len(documents), 0, -1, dtype=torch.float32)
    target = torch.tensor([document in relevant for document in documents])
    return retrieval_recall(score, target, top_k=min(k, len(ranked), len(documents))).item()
