"""Names of metrics as papers print them: ``text_to_image.recall_at_10`` is "Recall@10, text to image"."""

TERMS = {
    "auroc": "AUROC",
    "bert_score": "BERTScore",
    "bleu": "BLEU",
    "clip_score": "CLIPScore",
    "f1": "F1",
    "map": "MAP",
    "mrr": "MRR",
    "ndcg": "NDCG",
    "rouge1": "ROUGE-1",
    "rouge2": "ROUGE-2",
    "rougel": "ROUGE-L",
    "rrf": "RRF",
    "zero_shot": "zero-shot",
}
"""Terms whose spelling is not that of their key; all others are spelled as their key, with spaces."""
AT = "_at_"
DELTA = "_delta_vs_"


def plain_name(path: str) -> str:
    """The name of the metric at a path of ``metrics.json``, for a person.

    Args:
        path: system and metric: ``rrf_reranked.ndcg_at_10_delta_vs_rrf`` becomes
            "NDCG@10 minus that of RRF, RRF reranked". A path of one part is a metric or a count.
    """
    *systems, metric = path.split(".")
    metric, _, reference = metric.partition(DELTA)
    name = _metric(metric)
    if reference:
        name = f"{name} minus that of {_spelled(reference)}"
    return ", ".join([name[:1].upper() + name[1:], *map(_spelled, systems)])


def _metric(key: str) -> str:
    """``recall_at_10`` as "recall@10", ``macro_f1`` as "macro F1"."""
    name, _, cutoff = key.partition(AT)
    return f"{_spelled(name)}@{cutoff}" if cutoff else _spelled(name)


def _spelled(key: str) -> str:
    """A key with every term of the vocabulary spelled as in papers, and spaces between words."""
    padded = f"_{key}_"
    for term, spelling in TERMS.items():
        padded = padded.replace(f"_{term}_", f"_{spelling}_")
    return padded.strip("_").replace("_", " ")
