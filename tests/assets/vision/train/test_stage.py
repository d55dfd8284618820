import csv
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest
import torch
from ruamel.yaml import YAML
from transformers import ResNetConfig, ResNetModel, ViTConfig, ViTModel

from assets.shards.stage import LABELS, shards
from assets.vision.train.parameters import Label
from assets.vision.train.stage import vision
from heddle.core.parameters.section import ParameterError, read_yaml
from heddle.core.parameters.shared import Split
from heddle.core.schemas import TABLES, read_rows, write_table
from heddle.core.skipped import skip_reason, write_skipped
from heddle.core.splits import split_of
from heddle.core.stage import StageError, read_json
from lightning_modules.clip.clip import Clip
from lightning_modules.vision.vision import Vision
from tests.support.small_project import contents, run

SECTION: dict[str, Any] = {
    "image": {"kind": "resnet", "layer_type": "basic", "embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 1]},
    "heads": {"item": 1, "material": 0.5, "bin": 1},
    "label_smoothing": 0.1,
    "dropout": 0.1,
    "learning_rate": 3e-3,
    "schedule": {"kind": "cosine", "warmup_epochs": 0.5, "min_lr_ratio": 0.01},
    "weight_decay": 0.05,
    "beta1": 0.9,
    "beta2": 0.999,
    "batch_size": 4,
    "num_workers": 0,
    "cache": True,
    "shuffle_buffer": 8,
    "augmentation": {"translate": 0.06, "jitter": 0.1, "horizontal_flip": True},
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
SPLIT = Split(validation=0.2, test=0.4)  # as in the small project's params.yaml
UNMOVED = {"learning_rate": 1e-12, "weight_decay": 0}
"""What is saved is what training began with, the batch norms' statistics aside."""

Row = dict[str, Any]


@pytest.fixture
def project(trained_project: Path, tmp_path: Path) -> Path:
    """A copy to play with, with the section ``vision`` and without an output of it."""
    folder = Path(shutil.copytree(trained_project, tmp_path / "project"))
    shutil.rmtree(folder / "data/vision", ignore_errors=True)
    _write_section(folder, SECTION)
    return folder


def _write_section(project: Path, section: dict[str, Any]) -> None:
    scale = project / "scales/smoke.yaml"
    content = read_yaml(scale) | {"vision": section}
    with scale.open("w") as file:
        YAML().dump(content, file)


def _start_from(project: Path, checkpoint: str) -> None:
    section = {name: value for name, value in SECTION.items() if name != "image"}
    _write_section(project, section | {"pretrained": checkpoint} | UNMOVED)


def _relabel(project: Path, change: Callable[[Row, str], None]) -> list[Row]:
    """Change listings by what split they are in, and write the shards anew."""
    path = project / "data/validated/listings.parquet"
    rows = read_rows(path)
    for row in rows:
        change(row, split_of(row["id"], SPLIT))
    write_table(path, rows, TABLES["listings"])
    shutil.rmtree(project / "data/shards")
    run(shards, project)
    return rows


def _of(split: str, rows: list[Row]) -> list[Row]:
    return [row for row in rows if split_of(row["id"], SPLIT) == split]


def test_the_folder_is_a_whole_model(project: Path) -> None:
    numbers = run(vision, project)
    folder = project / "data/vision"
    names = {path.name for path in folder.iterdir()}
    assert names == {"config.json", "model.safetensors", "history.csv", "metrics.json"}
    assert skip_reason(folder) is None
    config = Vision.from_pretrained(folder).config
    labels = read_json(project / "data/shards/labels.json")
    assert config.heads == {head: tuple(labels[head]) for head in ("item", "material")}
    assert (config.image_size, config.resize_mode, config.dropout) == (16, "pad", 0.1)
    with (folder / "history.csv").open() as file:
        history = list(csv.DictReader(file))
    assert [row["epoch"] for row in history] == ["1", "2"]
    columns = {"train_loss", "validation_loss", "learning_rate", "validation_item_accuracy"}
    assert columns <= set(history[0])
    assert (numbers["epochs"], numbers["item_classes"]) == (2, len(labels["item"]))


def test_the_same_input_gives_the_same_bytes(project: Path) -> None:
    run(vision, project, "first")
    run(vision, project, "second")
    assert contents(project / "data/first") == contents(project / "data/second")


def test_a_head_with_a_single_class_is_left_out_and_said_so(project: Path, capsys: pytest.CaptureFixture) -> None:
    assert read_json(project / "data/shards/labels.json")["bin"] == ["wood"]  # as the small project has it
    assert run(vision, project)["bin_classes"] == 1
    assert "head bin skipped: 1 classes in the train split, 2 are needed" in capsys.readouterr().out
    assert set(Vision.from_pretrained(project / "data/vision").config.heads) == {"item", "material"}


def test_listings_without_labels_are_left_out_and_counted(project: Path) -> None:
    bare: list[str] = []

    def strip(row: Row, split: str) -> None:
        if split == "train" and len(bare) < 2 and row["item"]:
            bare.append(row["id"])
            row |= {"item": None, "material": None}  # the bin that stays is no head's

    rows = _of("train", _relabel(project, strip))
    without = sum(not row["item"] and not row["material"] for row in rows)
    assert without >= 2
    _write_section(project, SECTION | {"batch_size": 2})
    numbers = run(vision, project)
    assert numbers["train_listings_without_labels"] == without
    assert numbers["train_listings"] == len(rows) - without


def test_one_label_is_enough_to_be_learned_from(project: Path) -> None:
    def strip(row: Row, split: str) -> None:
        row["material"] = row["material"] if row["id"] < "shop:012" else None

    rows = _relabel(project, strip)
    numbers = run(vision, project)
    labelled = [row for row in _of("train", rows) if row["item"] or row["material"]]
    assert 0 < sum(not row["material"] for row in labelled) < len(labelled)
    assert numbers["train_listings"] == len(labelled)


def test_a_class_that_only_held_out_listings_show_is_not_learned(project: Path) -> None:
    def hide(row: Row, split: str) -> None:
        if split != "train":
            row["item"] = "unicorn" if row["id"] != first else row["item"]

    first = min(row["id"] for row in _of("validation", read_rows(project / "data/validated/listings.parquet")))
    rows = _relabel(project, hide)
    assert any(row["item"] == "unicorn" for row in _of("validation", rows))
    run(vision, project)
    assert "unicorn" not in Vision.from_pretrained(project / "data/vision").config.heads["item"]


def _one_class(row: Row, split: str) -> None:
    row |= {"item": "chair", "material": None}


def _held_out_only(row: Row, split: str) -> None:
    if split == "train":
        row |= {"item": None, "material": None}


@pytest.mark.parametrize("change", [_one_class, _held_out_only])
def test_nothing_to_tell_apart_makes_no_model_and_no_error(project: Path, change: Callable[[Row, str], None]) -> None:
    _relabel(project, change)
    numbers = run(vision, project)
    folder = project / "data/vision"
    assert {path.name for path in folder.iterdir()} == {"skipped.json", "metrics.json"}
    assert "none of item, material, bin has two classes" in (skip_reason(folder) or "")
    assert (numbers["train_listings"], numbers["material_classes"]) == (0, 0)


def test_too_few_labels_for_a_batch_make_no_model_and_no_error(project: Path) -> None:
    _write_section(project, SECTION | {"batch_size": 400})
    run(vision, project)
    reason = skip_reason(project / "data/vision") or ""
    assert "have labels, fewer than one batch of 400" in reason
    assert "lower vision.batch_size" in reason


def test_the_labels_are_those_of_the_shards() -> None:
    assert get_args(Label) == LABELS


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"heads": {"colour": 1}}, r"vision\.heads\.colour.*'item', 'material', 'bin' or 'product_class'"),
        ({"heads": {"item": 0}}, r"vision\.heads\.item: found 0; .*greater than 0"),
        ({"heads": {}}, "at least 1 item"),
        ({"pretrained": "clip"}, "found pretrained and image"),
        ({"image": None}, "give either pretrained or image"),
        ({"label_smoothing": 1}, "less than 1"),
        ({"image": {"kind": "mlp"}}, r"vision\.image"),
    ],
    ids=lambda value: "" if isinstance(value, str) else "-".join(value),
)
def test_mistaken_parameters_are_named(project: Path, changes: dict[str, Any], message: str) -> None:
    _write_section(project, SECTION | changes)
    with pytest.raises(ParameterError, match=message):
        run(vision, project)


def test_the_tower_can_come_from_clip(project: Path) -> None:
    _start_from(project, "clip")
    run(vision, project)
    trained, lent = Vision.from_pretrained(project / "data/vision"), Clip.from_pretrained(project / "data/clip")
    assert (trained.config.image, trained.config.image_mean) == (lent.config.image, lent.config.image_mean)
    for (name, found), expected in zip(trained.image.named_parameters(), lent.image.parameters(), strict=True):
        torch.testing.assert_close(found, expected, atol=1e-8, rtol=0, msg=name)


def _vit(size: int) -> ViTModel:
    torch.manual_seed(9)
    shape = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    return ViTModel(ViTConfig(**shape, image_size=size, patch_size=8))


def test_without_the_model_that_it_begins_with_there_is_none(project: Path) -> None:
    _start_from(project, "clip")
    shutil.rmtree(project / "data/clip")
    (project / "data/clip").mkdir()
    write_skipped(project / "data/clip", "No words; write some.")
    assert run(vision, project)["train_listings"] == 0
    reason = skip_reason(project / "data/vision")
    assert reason == "vision.pretrained: stage clip was skipped: No words; write some."


def test_the_tower_can_come_from_a_checkpoint(project: Path, tmp_path: Path) -> None:
    theirs = _vit(16)
    theirs.save_pretrained(tmp_path / "checkpoint")
    _start_from(project, str(tmp_path / "checkpoint"))
    run(vision, project)
    trained = Vision.from_pretrained(project / "data/vision")
    assert trained.config.image.kind == "vit"
    weights = theirs.state_dict()
    for name, found in trained.image.model.named_parameters():
        torch.testing.assert_close(found, weights[name], atol=1e-8, rtol=0, msg=name)


def test_a_transformer_for_other_images_says_which_size_it_needs(project: Path, tmp_path: Path) -> None:
    _vit(32).save_pretrained(tmp_path / "checkpoint")
    _start_from(project, str(tmp_path / "checkpoint"))
    with pytest.raises(StageError, match=r"vision\.pretrained: .*data/shards has 16; set shards\.image_size to 32"):
        run(vision, project)


def test_a_convolutional_checkpoint_takes_images_of_any_size(project: Path, tmp_path: Path) -> None:
    config = ResNetConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], layer_type="basic")
    ResNetModel(config).save_pretrained(tmp_path / "checkpoint")
    _start_from(project, str(tmp_path / "checkpoint"))
    run(vision, project)
    assert Vision.from_pretrained(project / "data/vision").config.image_size == 16


def test_a_checkpoint_that_is_not_there_is_named(project: Path, tmp_path: Path) -> None:
    _start_from(project, str(tmp_path / "missing"))
    with pytest.raises(StageError, match=r"vision\.pretrained: cannot load checkpoint '.*missing'"):
        run(vision, project)


def test_the_rate_can_follow_the_plateau(project: Path) -> None:
    plateau = {"kind": "plateau", "warmup_epochs": 3, "factor": 0.5, "patience": 5, "min_lr_ratio": 0.01}
    _write_section(project, SECTION | {"schedule": plateau})
    assert run(vision, project)["epochs"] == 2
