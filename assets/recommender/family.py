"""The family ``recommender``: stages, metrics, gates, release and report section."""

from assets.recommender.evaluate.parameters import RecommenderEvaluationParameters
from assets.recommender.train.parameters import RecommenderParameters
from heddle.evaluation.gate_parameters import Gate
from heddle.families.family import LEARNING_RATE, LOSS, Curve, Family, Release, ReportSection, StageDescription

RECOMMENDER = Family(
    name="recommender",
    title="Recommender",
    summary="Recommends nodes of the graph by link prediction: what an item can become or goes with.",
    train=(StageDescription("recommender", RecommenderParameters),),
    evaluate=StageDescription("recommender_evaluation", RecommenderEvaluationParameters),
    headline=("graph.auroc", "graph.ndcg_at_10", "graph.hits_at_10"),
    gates=(Gate(metric="recommender_evaluation.graph.auroc", at_least=0.9),),
    release=Release(
        files=("model.safetensors", "config.json", "nodes.parquet", "edges.parquet", "encoder.json"),
        optional_files=("projection.safetensors",),
        evaluation_files=("calibration.json",),
        task="graph-ml",
        upstream_sections=("graph", "index"),
        libraries=("torch", "torch-geometric", "lightning", "safetensors", "sentence-transformers", "numpy", "pyarrow"),
        evaluated_on="edges",
    ),
    curves=(LOSS, Curve("AUROC, validation edges", ("validation_auroc",), is_share=True), LEARNING_RATE),
    section=ReportSection(
        heading="Recommendation",
        builder="assets.recommender.report.section:recommendation",
        template="recommender/report/section.html.j2",
    ),
)
