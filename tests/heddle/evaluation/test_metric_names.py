"""Names of metrics for a person."""

import pytest

from heddle.evaluation.metric_names import plain_name


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("text_to_image.recall_at_10", "Recall@10, text to image"),
        ("image_to_text.mrr_at_10", "MRR@10, image to text"),
        ("zero_shot.item_accuracy", "Item accuracy, zero-shot"),
        ("similarity.clip_score", "CLIPScore, similarity"),
        ("item.macro_f1", "Macro F1, item"),
        ("image_only.accuracy", "Accuracy, image only"),
        ("rrf_expanded.ndcg_at_10", "NDCG@10, RRF expanded"),
        ("rrf_reranked.ndcg_at_10_delta_vs_rrf", "NDCG@10 minus that of RRF, RRF reranked"),
        ("weighted.map", "MAP, weighted"),
        ("weighted_f1", "Weighted F1"),
        ("graph.auroc", "AUROC, graph"),
        ("full.error_detection_auroc", "Error detection AUROC, full"),
        ("retrieved_context.base.rougel", "ROUGE-L, retrieved context, base"),
        ("perplexity_ratio", "Perplexity ratio"),
        ("test_listings", "Test listings"),
    ],
)
def test_plain_name_of_a_path_is_the_name_in_papers(path: str, name: str) -> None:
    assert plain_name(path) == name
