"""Mean reciprocal rank of ranked lists, by torchmetrics."""

import datasets
import evaluate
import torch
from torchmetrics.functional.retrieval import retrieval_reciprocal_rank

DESCRIPTION = """MRR@k: one over the rank of a query's first relevant document, 0 if it is not among the first k,
averaged over the queries."""

INPUTS = """
Args:
    predictions: for each query the ids of documents, best first, no id twice.
    references: for each query the ids of its relevant documents.
    k: length of the head of the list, at least 1.
Returns:
    mrr: in [0, 1].
"""


class ReciprocalRank(evaluate.Metric):
    """One over the rank of the first relevant document."""

    def _info(self) -> evaluate.MetricInfo:
        ids = datasets.Sequence(datasets.Value("string"))
        return evaluate.MetricInfo(
            description=DESCRIPTION,
            citation="Voorhees 1999, The TREC-8 Question Answering Track Report",
            inputs_description=INPUTS,
            features=datasets.Features({"predictions": ids, "references": ids}),
        )

    def _compute(self, predictions: list[list[str]], references: list[list[str]], k: int) -> dict[str, float]:
        values = []
        for ranked, relevant in zip(predictions, references, strict=True):
            head = ranked[:k]
            score = torch.arange(len(head), 0, -1, dtype=torch.float32)
            target = torch.tensor([document in relevant for document in head], dtype=torch.bool)
            values.append(retrieval_reciprocal_rank(score, target).item() if head else 0.0)
        return {"mrr": sum(values) / len(values)}
