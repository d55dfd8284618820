"""The family ``product``: stages, metrics, gates, release and report section."""

from assets.product.evaluate.parameters import ProductEvaluationParameters
from assets.product.train.parameters import ProductParameters
from heddle.evaluation.gate_parameters import Gate
from heddle.families.family import LEARNING_RATE, LOSS, Curve, Family, Release, ReportSection, StageDescription

PRODUCT = Family(
    name="product",
    title="Product classifier",
    summary="Predicts the product class from text, image and numbers, any of which may be missing.",
    train=(StageDescription("product", ProductParameters),),
    evaluate=StageDescription("product_evaluation", ProductEvaluationParameters),
    headline=("full.accuracy", "text_only.accuracy", "image_only.accuracy"),
    gates=(Gate(metric="product_evaluation.full.accuracy", at_least=0.85),),
    release=Release(
        files=("model.safetensors", "config.json"),
        optional_files=("tokenizer.json",),
        task="other",
        upstream_sections=("split", "shards", "tokenizer"),
        libraries=("torch", "lightning", "transformers", "safetensors", "webdataset", "pillow", "numpy", "tokenizers"),
    ),
    curves=(
        LOSS,
        Curve("Accuracy, validation split", ("validation_product_class_accuracy",), is_share=True),
        LEARNING_RATE,
    ),
    section=ReportSection(
        heading="Product classification",
        builder="assets.report.classification:classification",
        template="report/templates/classification.html.j2",
    ),
)
