"""CLIPScore of pairs of embeddings, by torch's cosine similarity."""

import datasets
import evaluate
import torch
from torch.nn.functional import cosine_similarity

WEIGHT = 2.5

DESCRIPTION = """CLIPScore as in the paper: 2.5 · max(cosine, 0) of the embeddings of an image and a text, averaged
over the pairs. (torchmetrics' CLIPScore is 100 · max(cosine, 0) of the mean instead.)"""

INPUTS = """
Args:
    predictions: embeddings of the texts, lists of D floats, of any length but zero.
    references: embeddings of the images, lists of D floats.
Returns:
    clip_score: in [0, 2.5]; comparable only between embeddings of the same model.
"""


class ClipScore(evaluate.Metric):
    """2.5 · max(cosine, 0)."""

    def _info(self) -> evaluate.MetricInfo:
        embedding = datasets.Sequence(datasets.Value("float32"))
        return evaluate.MetricInfo(
            description=DESCRIPTION,
            citation="Hessel et al. 2021, CLIPScore: A Reference-free Evaluation Metric for Image Captioning",
            inputs_description=INPUTS,
            features=datasets.Features({"predictions": embedding, "references": embedding}),
        )

    def _compute(self, predictions: list[list[float]], references: list[list[float]]) -> dict[str, float]:
        cosine = cosine_similarity(torch.tensor(predictions), torch.tensor(references))
        return {"clip_score": WEIGHT * cosine.clamp(min=0).mean().item()}
