import csv
import io
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from ruamel.yaml import YAML

from assets.shards.stage import shards
from assets.writer.train.stage import writer
from heddle.content.lexicon import Lexicon
from heddle.core.parameters.section import ParameterError, read_yaml
from heddle.core.schemas import IMAGES, TABLES, read_rows, write_table
from heddle.core.skipped import skip_reason, write_skipped
from heddle.core.stage import StageError, read_json
from heddle.images.originals import find_originals
from lightning_modules.clip.clip import Clip
from lightning_modules.training.network import Network
from lightning_modules.vision.vision import Vision
from lightning_modules.writer.content_writer import ContentWriter
from lightning_modules.writer.writer import Writer
from tests.support.small_classifiers import write_vision
from tests.support.small_project import contents, run

STACK = {
    "context_length": 32,
    "hidden_size": 16,
    "num_layers": 1,
    "num_heads": 2,
    "intermediate_size": 16,
    "activation": "gelu",
    "positions": "rotary",
}
SECTION: dict[str, Any] = {
    "image": {"kind": "resnet", "layer_type": "basic", "embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 1]},
    "network": {
        "scene": {"node_dim": 8, "edge_dim": 4, "num_layers": 2, "relation_tokens": True, "max_objects": 4},
        "cross_modal": {"num_heads": 2},
        "fusion": {"early": True, "mid": True, "late": True, "dropout": 0.1},
        "decoder": STACK,
        "text": STACK,
        "max_clauses": 8,
        "projection_dim": 8,
        "gradient_checkpointing": False,
    },
    "sampling": {
        "field_shares": {"body": 0.2},
        "context_dropout": 0.5,
        "corruption_ratio": 0.2,
        "max_text_tokens": 16,
        "mask_ratio": 0.2,
        "length_buckets": 2,
    },
    "losses": {"generation": 1, "contrastive": 0.1, "masked": 0.1, "quality": 0.1, "error_detection": 0.1},
    "learning_rate": 3e-3,
    "schedule": {"kind": "cosine", "warmup_epochs": 0.5, "min_lr_ratio": 0.01},
    "weight_decay": 0.05,
    "beta1": 0.9,
    "beta2": 0.999,
    "batch_size": 4,
    "num_workers": 0,
    "cache": True,
    "shuffle_buffer": 8,
    "augmentation": {"translate": 0.06, "jitter": 0.1, "horizontal_flip": False},
    "trainer": {
        "max_epochs": 2,
        "accelerator": "cpu",
        "devices": 1,
        "num_nodes": 1,
        "strategy": "auto",
        "precision": "32-true",
        "accumulate_grad_batches": 1,
        "gradient_clip_val": 1.0,
        "patience": 3,
    },
}
UNMOVED = {"learning_rate": 1e-12, "weight_decay": 0}
"""What is saved is what training began with, the batch norms' statistics aside."""


@pytest.fixture
def project(trained_project: Path, tmp_path: Path) -> Path:
    """A copy to play with, with the section ``writer`` and without an output of it."""
    folder = Path(shutil.copytree(trained_project, tmp_path / "project"))
    shutil.rmtree(folder / "data/writer", ignore_errors=True)
    _write_section(folder, SECTION)
    _write_images(folder / "data/catalog")
    return folder


def _write_images(catalog: Path) -> None:
    """The images' sizes, as the catalogue tells them."""
    rows = []
    for digest, original in find_originals(catalog).items():
        width, height = Image.open(io.BytesIO(original.read())).size
        told = {"tar": Path(original.file).name, "format": "JPEG", "bytes": original.size, "perceptual_hash": ""}
        rows.append({"sha256": digest, "width": width, "height": height, **told})
    write_table(catalog / "images.parquet", rows, IMAGES)


def _write_section(project: Path, section: dict[str, Any]) -> None:
    scale = project / "scales/smoke.yaml"
    content = read_yaml(scale) | {"writer": section}
    with scale.open("w") as file:
        YAML().dump(content, file)


def _change_rows(project: Path, **changes: Any) -> None:
    """Change all listings, and write the shards anew."""
    path = project / "data/validated/listings.parquet"
    write_table(path, [row | changes for row in read_rows(path)], TABLES["listings"])
    shutil.rmtree(project / "data/shards")
    run(shards, project)


def _history(project: Path) -> list[dict[str, str]]:
    with (project / "data/writer/history.csv").open() as file:
        return list(csv.DictReader(file))


def test_two_runs_write_the_same_bytes_and_what_it_wrote_can_be_opened(project: Path) -> None:
    metrics = run(writer, project)
    first = contents(project / "data/writer")
    assert {"config.json", "model.safetensors", "tokenizer.json", "lexicon.json", "history.csv"} <= set(first)
    shutil.rmtree(project / "data/writer")
    run(writer, project)
    assert contents(project / "data/writer") == first
    opened = ContentWriter.from_folder(project / "data/writer", threads=1)
    assert opened.network.count_parameters() == metrics["parameters"]
    assert Lexicon.from_folder(project / "data/writer").phrases.keys() == {"item", "material", "colour"}
    assert [row["epoch"] for row in _history(project)] == ["1", "2"]
    assert {"validation_generation_loss", "validation_error_detection_loss"} <= set(_history(project)[0])


@pytest.mark.parametrize("own", ["clip", "vision"])
def test_a_tower_of_our_own_is_what_it_starts_from(project: Path, own: str) -> None:
    if own == "vision":
        write_vision(project / "data", read_rows(project / "data/validated/listings.parquet"))
    section = {name: value for name, value in SECTION.items() if name != "image"}
    _write_section(project, section | {"pretrained": own} | UNMOVED)
    run(writer, project)
    found = Writer.from_pretrained(project / "data/writer").image
    networks: dict[str, type[Network]] = {"clip": Clip, "vision": Vision}
    theirs: Any = networks[own].from_pretrained(project / "data" / own)
    expected = theirs.image.state_dict()
    learned = [name for name, value in expected.items() if value.is_floating_point() and "running" not in name]
    assert learned
    assert all(torch.allclose(found.state_dict()[name], expected[name], atol=1e-6) for name in learned)


def test_without_a_tower_to_start_from_it_is_absent(project: Path) -> None:
    section = {name: value for name, value in SECTION.items() if name != "image"}
    _write_section(project, section | {"pretrained": "vision"})
    shutil.rmtree(project / "data/vision", ignore_errors=True)
    (project / "data/vision").mkdir()
    write_skipped(project / "data/vision", "no labels")
    run(writer, project)
    assert skip_reason(project / "data/writer") == "writer.pretrained: stage vision was skipped: no labels"
    _write_section(project, section | {"pretrained": "no/such/folder"})
    with pytest.raises(StageError, match=r"writer\.pretrained"):
        run(writer, project)


def test_listings_without_words_teach_nothing_to_write(project: Path) -> None:
    silent = dict.fromkeys(("alt_text", "caption", "title", "description", "seo_title", "seo_description", "body"))
    _change_rows(project, **silent, tags=[], categories=[])
    metrics = run(writer, project)
    assert metrics["train_listings"] == 0
    assert "words to write" in str(skip_reason(project / "data/writer"))


def test_listings_of_words_alone_are_enough(project: Path) -> None:
    """No labels, objects, relations, context or EXIF."""
    nothing = dict.fromkeys(("objects", "relations", "context", "exif", "item", "material", "bin", "product_class"))
    _change_rows(project, **nothing)
    metrics = run(writer, project)
    assert (metrics["train_objects"], metrics["train_relations"]) == (0, 0)


def test_the_second_phase_is_of_the_domains_own(project: Path) -> None:
    sources = {row["source"] for row in read_rows(project / "data/validated/listings.parquet")}
    adaptation = {"sources": sorted(sources), "epochs": 1, "learning_rate": 1e-4}
    _write_section(project, SECTION | {"adaptation": adaptation})
    run(writer, project)
    assert [float(row["phase"]) for row in _history(project)] == [1, 2]
    rates = [float(row["learning_rate"]) for row in _history(project)]
    assert rates[1] < rates[0] / 10
    _write_section(project, SECTION | {"adaptation": adaptation | {"sources": ["elsewhere"]}})
    shutil.rmtree(project / "data/writer")
    run(writer, project)
    assert "come from elsewhere" in str(skip_reason(project / "data/writer"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pretrained": "clip"}, "found pretrained and image"),
        ({"image": None}, "either pretrained or image"),
        ({"augmentation": {"translate": 0, "jitter": 0, "horizontal_flip": True}}, "horizontal_flip"),
        ({"adaptation": {"sources": ["shop"], "epochs": 2, "learning_rate": 1e-4}}, "phase 1 has to run"),
        ({"sampling": SECTION["sampling"] | {"max_text_tokens": 33}}, r"network\.text\.context_length"),
        ({"sampling": SECTION["sampling"] | {"field_shares": {"subtitle": 1}}}, "subtitle"),
    ],
)
def test_sections_that_cannot_be_meant_are_refused(project: Path, changes: dict[str, Any], message: str) -> None:
    _write_section(project, SECTION | changes)
    with pytest.raises(ParameterError, match=message):
        run(writer, project)


def test_every_object_is_read_or_counted(project: Path) -> None:
    thing = {"label": "jar", "attributes": ["red"], "box": [0.1, 0.1, 0.5, 0.5]}
    relations = [{"subject": 0, "predicate": "on", "object": 1}, {"subject": 2, "predicate": "on", "object": 2}]
    _change_rows(project, objects=[thing] * 6, relations=relations)
    metrics = run(writer, project)
    listings = metrics["train_listings"]
    assert (metrics["train_objects"], metrics["train_objects_dropped"]) == (4 * listings, 2 * listings)
    assert (metrics["train_relations"], metrics["train_relations_dropped"]) == (listings, listings)
    assert read_json(project / "data/writer/config.json")["scene"]["max_objects"] == 4
