"""The family ``writer``: stages, metrics, gates, release and report section."""

from assets.writer.evaluate.parameters import WriterEvaluationParameters
from assets.writer.train.parameters import WriterParameters
from heddle.evaluation.gate_parameters import Gate
from heddle.families.family import LEARNING_RATE, LOSS, Curve, Family, Release, ReportSection, StageDescription

WRITER = Family(
    name="writer",
    title="Content writer",
    summary="Writes title, alt text, tags, SEO texts and body of a listing from its image.",
    train=(StageDescription("writer", WriterParameters),),
    evaluate=StageDescription("writer_evaluation", WriterEvaluationParameters),
    headline=(
        "full.item_recall",
        "full.material_recall",
        "full.colour_recall",
        "full.relations_recall",
        "image_only.item_recall",
        "full.error_detection_auroc",
    ),
    gates=(
        Gate(metric="writer_evaluation.full.item_recall", at_least=0.85),
        Gate(metric="writer_evaluation.full.colour_recall", at_least=0.8),
        Gate(metric="writer_evaluation.full.material_recall", at_least=0.7),
        Gate(metric="writer_evaluation.scene_graph_gain", at_least=0.15),
        Gate(metric="writer_evaluation.full.error_detection_auroc", at_least=0.75),
        Gate(metric="writer_evaluation.full.valid_rate", at_least=1.0),
    ),
    release=Release(
        files=("model.safetensors", "config.json", "tokenizer.json", "lexicon.json"),
        evaluation_files=("certainty.json",),
        task="image-to-text",
        upstream_sections=("split", "shards", "tokenizer"),
        libraries=("torch", "lightning", "transformers", "safetensors", "webdataset", "pillow", "numpy", "tokenizers"),
    ),
    curves=(
        LOSS,
        Curve(
            "Losses of the parts, validation split",
            ("validation_generation_loss", "validation_contrastive_loss", "validation_masked_loss"),
        ),
        LEARNING_RATE,
    ),
    section=ReportSection(
        heading="Content generation",
        builder="assets.writer.report.section:writing",
        template="writer/report/section.html.j2",
    ),
)
