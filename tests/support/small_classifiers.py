"""The untrained classifiers of the small project, and evaluations of random predictions."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from assets.tokenizer.parameters import TokenizerParameters
from assets.tokenizer.stage import learn
from heddle.core.csv_file import write_csv
from heddle.core.skipped import write_skipped
from heddle.core.stage import METRICS_FILE, read_json, write_json
from heddle.evaluation.classification import classification_metrics, select_labelled, write_mistakes, write_plots
from heddle.evaluation.parameters import BootstrapParameters
from heddle.metrics.bootstrap import ConfidenceInterval
from lightning_modules.image.config import CLIP_MEAN, CLIP_STD, ResNetTower
from lightning_modules.product.config import Fusion, ImageBranch, ProductConfig, WordsBranch
from lightning_modules.product.product import Product
from lightning_modules.tokenization.vocabulary import PAD
from lightning_modules.training.shards import ShardSample
from lightning_modules.vision.config import VisionConfig
from lightning_modules.vision.vision import Vision

Row = dict[str, Any]

TOWER = ResNetTower(kind="resnet", layer_type="basic", embedding_size=8, hidden_sizes=(8, 16), depths=(1, 1))
PIXELS: dict[str, Any] = {"image_mean": CLIP_MEAN, "image_std": CLIP_STD}
BRANCHES: dict[str, Any] = {
    "text": WordsBranch(
        kind="text_cnn",
        fields=("title",),
        context_length=8,
        embedding_dim=8,
        kernel_sizes=(2, 3),
        num_filters=4,
        features=8,
        dropout=0.0,
    ),
    "image": ImageBranch(kind="image", features=8, dropout=0.0, image=TOWER),
}
CLASSES = ("furniture: repair", "furniture: reuse", "storage: reuse")
MODALITIES = ("text", "image")
ABLATION = {"text_only": (0.5125, 0.78), "image_only": (0.375, 0.46), "without_text": (0.25, 0.46)}
"""Systems of the product evaluation that lack modalities: accuracy and its upper bound."""
NO_VISION = "No kind of label has two classes in the train split; label the listings, or leave it."
NO_PRODUCT = "The train split shows 0 product classes; label the listings, or leave it."


def write_vision(data: Path, rows: list[Row]) -> None:
    """Write an untrained image classifier and an evaluation of random predictions."""
    labels = read_json(data / "shards" / "labels.json")
    heads = {head: tuple(labels[head]) for head in ("item", "material", "bin") if len(labels[head]) > 1}
    torch.manual_seed(2)
    config = VisionConfig(image=TOWER, image_size=16, resize_mode="pad", **PIXELS, heads=heads, dropout=0.0)
    network = Vision(config)
    network.save_pretrained(data / "vision")
    accuracies = {f"validation_{head}_accuracy": 0.5 for head in heads}
    history = [{"epoch": epoch, "train_loss": 3 / epoch, "validation_loss": 4 / epoch} for epoch in (1, 2, 3)]
    _csv(data / "vision" / "history.csv", [row | accuracies for row in history])
    write_json(data / "vision" / METRICS_FILE, {"parameters": network.count_parameters(), "epochs": 3, "best_epoch": 2})
    _write_evaluation(data / "vision_evaluation", rows, heads)


def write_product(data: Path, rows: list[Row]) -> None:
    """Write an untrained product classifier of text and image, its baselines and an evaluation."""
    for folder, names in (("product", MODALITIES), *((f"product/alone/{name}", (name,)) for name in MODALITIES)):
        tokenizer = learn([row["title"] or "" for row in rows], TokenizerParameters(vocab_size=400, min_frequency=2))
        torch.manual_seed(3)
        config = ProductConfig(
            modalities={name: BRANCHES[name] for name in names},
            fusion=Fusion(hidden_dims=(8,), dropout=(0.0,)),
            classes=CLASSES,
            image_size=16,
            resize_mode="pad",
            **PIXELS,
            vocab_size=tokenizer.get_vocab_size(),
            pad_token=tokenizer.token_to_id(PAD),
            scaling={},
        )
        (data / folder).mkdir(parents=True, exist_ok=True)
        network = Product(config)
        network.save_pretrained(data / folder)
        if "text" in names:
            tokenizer.save(str(data / folder / "tokenizer.json"))
        history = [
            {"epoch": epoch, "phase": 1 + epoch // 3, "train_loss": 3 / epoch, "validation_loss": 4 / epoch}
            for epoch in (1, 2, 3, 4)
        ]
        _csv(data / folder / "history.csv", [row | {"validation_product_class_accuracy": 0.4} for row in history])
    numbers = {"parameters": network.count_parameters(), "epochs": 4, "best_epoch": 4}
    write_json(data / "product" / METRICS_FILE, numbers)
    _write_evaluation(data / "product_evaluation", rows, {"product_class": CLASSES}, system="full")
    _write_ablation(data / "product_evaluation")


def _write_ablation(folder: Path) -> None:
    """Add the systems with fewer modalities to the evaluation, and upper bounds to all systems."""
    metrics = read_json(folder / METRICS_FILE)
    chance = metrics["full"]["accuracy"]["chance"]
    metrics["full"]["accuracy"]["upper_bound"] = 0.98
    for system, (accuracy, upper_bound) in ABLATION.items():
        interval = {"low": accuracy - 0.05, "high": accuracy + 0.05, "chance": chance, "upper_bound": upper_bound}
        metrics[system] = {"accuracy": {"value": accuracy, **interval}, "macro_f1": 0.3}
    write_json(folder / METRICS_FILE, metrics)
    names = ("accuracy", "macro_f1", "weighted_f1", "calibration_error")
    full = metrics["full"] | {"accuracy": metrics["full"]["accuracy"]["value"]}
    table = [{"system": "full"} | {name: full[name] for name in names}]
    for system, (accuracy, _) in ABLATION.items():
        table.append({"system": system, **dict(zip(names, (accuracy, 0.3, 0.35, 0.125), strict=True))})
    _csv(folder / "plots" / "ablation.csv", table)


def _write_evaluation(
    folder: Path, rows: list[Row], heads: Mapping[str, tuple[str, ...]], system: str | None = None
) -> None:
    """Write the evaluation of random predictions; each head is a system of its own unless one is named."""
    random = np.random.default_rng(5)
    samples = [ShardSample(row["id"], np.full((16, 16, 3), 90, np.uint8), row) for row in rows]
    predictions = [
        select_labelled(head, samples, classes, random.dirichlet([0.5] * len(classes), len(rows)).astype(np.float32))
        for head, classes in heads.items()
    ]
    metrics: dict[str, Any] = {"test_listings": len(rows)}
    for given in predictions:
        write_plots(folder / "plots", given)
        measured = classification_metrics(given, ConfidenceInterval(BootstrapParameters(samples=100), seed=1))
        if system is None:
            metrics[given.label] = {"listings": len(given.samples), **measured}
        else:
            metrics |= {f"{given.label}_listings": len(given.samples), system: measured}
    write_mistakes(folder / "mistakes.parquet", predictions, 3)
    write_json(folder / METRICS_FILE, metrics)


def write_absent_classifiers(data: Path) -> None:
    for model, reason in (("vision", NO_VISION), ("product", NO_PRODUCT)):
        for name in (model, f"{model}_evaluation"):
            write_skipped(data / name, reason)
            write_json(data / name / METRICS_FILE, {"test_listings": 8} if "_" in name else {"train_listings": 8})


def _csv(path: Path, rows: list[Row]) -> None:
    write_csv(path, list(rows[0]), [list(row.values()) for row in rows])
