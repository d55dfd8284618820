"""The family ``reranker``: stages, metrics, gates, release and report section."""

from assets.reranker.evaluate.parameters import RetrievalEvaluationParameters
from assets.reranker.train.parameters import RerankerParameters
from heddle.evaluation.gate_parameters import Gate
from heddle.families.family import LEARNING_RATE, LOSS, Curve, Family, Release, ReportSection, StageDescription

RERANKER = Family(
    name="reranker",
    title="Reranker",
    summary="Orders guides by how well they answer a question, reading both together.",
    train=(StageDescription("reranker", RerankerParameters),),
    evaluate=StageDescription("retrieval_evaluation", RetrievalEvaluationParameters),
    headline=("rrf.ndcg_at_10", "weighted.ndcg_at_10", "rrf_reranked.ndcg_at_10", "weighted_reranked.ndcg_at_10"),
    gates=(Gate(metric="retrieval_evaluation.rrf_reranked.ndcg_at_10_delta_vs_rrf", at_least=0.0),),
    release=Release(
        files=("config.json", "tokenizer_config.json"),
        optional_files=("*",),  # the weights, maybe in parts, and the tokenizer of the encoder it started from
        task="text-ranking",
        upstream_sections=("split", "index", "retrieval"),
        libraries=("torch", "lightning", "transformers", "tokenizers", "safetensors"),
        evaluated_on="questions",
        library="transformers",
        card_systems=("guides", "queries", "rrf", "rrf_reranked", "weighted", "weighted_reranked"),
    ),
    curves=(
        LOSS,
        Curve("NDCG@10, validation split", ("validation_ndcg_at_10",), is_share=True),
        LEARNING_RATE,
    ),
    section=ReportSection(
        heading="Guide retrieval",
        builder="assets.reranker.report.section:guides",
        template="reranker/report/section.html.j2",
    ),
)
