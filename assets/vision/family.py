"""The family ``vision``: stages, metrics, gates, release and report section."""

from assets.vision.evaluate.parameters import VisionEvaluationParameters
from assets.vision.train.parameters import VisionParameters
from heddle.evaluation.gate_parameters import Gate
from heddle.families.family import LEARNING_RATE, LOSS, Curve, Family, Release, ReportSection, StageDescription

VISION = Family(
    name="vision",
    title="Image classifier",
    summary="Predicts item, material and bin from an image.",
    train=(StageDescription("vision", VisionParameters),),
    evaluate=StageDescription("vision_evaluation", VisionEvaluationParameters),
    headline=("item.accuracy", "material.accuracy", "bin.accuracy"),
    gates=(
        Gate(metric="vision_evaluation.item.accuracy", at_least=0.9),
        Gate(metric="vision_evaluation.material.accuracy", at_least=0.75),
        Gate(metric="vision_evaluation.bin.accuracy", at_least=0.85),
    ),
    release=Release(
        files=("model.safetensors", "config.json"),
        task="image-classification",
        upstream_sections=("split", "shards"),
        libraries=("torch", "lightning", "transformers", "safetensors", "webdataset", "pillow", "numpy"),
    ),
    curves=(
        LOSS,
        Curve(
            "Accuracy, validation split",
            ("validation_item_accuracy", "validation_material_accuracy", "validation_bin_accuracy"),
            is_share=True,
        ),
        LEARNING_RATE,
    ),
    section=ReportSection(
        heading="Image classification",
        builder="assets.report.classification:classification",
        template="report/templates/classification.html.j2",
    ),
)
