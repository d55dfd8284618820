"""The family ``clip``: stages, metrics, gates, release and report section."""

from assets.clip.evaluate.parameters import ClipEvaluationParameters
from assets.clip.train.parameters import ClipParameters
from heddle.evaluation.gate_parameters import Gate
from heddle.families.family import LEARNING_RATE, LOSS, Curve, Family, Release, ReportSection, StageDescription

CLIP = Family(
    name="clip",
    title="Dual encoder",
    summary="Embeds images and texts in one space, so that each finds the other.",
    train=(StageDescription("clip", ClipParameters),),
    evaluate=StageDescription("clip_evaluation", ClipEvaluationParameters),
    headline=("text_to_image.recall_at_10", "image_to_text.recall_at_10", "zero_shot.item_accuracy"),
    gates=(
        Gate(metric="clip_evaluation.text_to_image.recall_at_10", at_least=0.5),
        Gate(metric="clip_evaluation.zero_shot.item_accuracy", at_least=0.6),
    ),
    release=Release(
        files=("model.safetensors", "config.json", "tokenizer.json"),
        task="zero-shot-image-classification",
        upstream_sections=("split", "shards", "tokenizer"),
        libraries=("torch", "lightning", "transformers", "tokenizers", "safetensors", "webdataset", "pillow", "numpy"),
    ),
    curves=(
        LOSS,
        Curve("Recall@10, validation split", ("validation_recall_at_10",), is_share=True),
        LEARNING_RATE,
        Curve("Temperature", ("temperature",)),
    ),
    section=ReportSection(
        heading="Image-text retrieval",
        builder="assets.clip.report.section:retrieval",
        template="clip/report/section.html.j2",
    ),
)
