import csv
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from statistics import fmean, pstdev
from typing import Any

import pytest
import torch
from transformers import MobileNetV2Config, MobileNetV2Model

from assets.product.train.stage import product
from heddle.core.parameters.section import ParameterError
from heddle.core.skipped import skip_reason, write_skipped
from heddle.core.stage import StageError, read_json
from lightning_modules.clip.clip import Clip
from lightning_modules.product.classifier import ProductClassifier
from lightning_modules.product.config import ImageBranch
from lightning_modules.product.product import Product
from lightning_modules.training.phases import PhaseError
from lightning_modules.training.shards import read_samples
from tests.support.product_section import (
    ALONE,
    IMAGE,
    SECTION,
    UNMOVED,
    WORDS,
    Row,
    listings_of,
    relabel,
    rows_of,
    write_section,
)
from tests.support.small_project import contents, run


@pytest.fixture(scope="module")
def labelled_project(trained_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy with product classes, of which two rows have none and one row is without words."""
    folder = Path(shutil.copytree(trained_project, tmp_path_factory.mktemp("labelled") / "project"))
    shutil.rmtree(folder / "data/product", ignore_errors=True)
    write_section(folder, SECTION)

    def label(row: Row, split: str) -> None:
        number = int(row["id"].removeprefix("shop:"))
        row["product_class"] = ("furniture: reuse", "jars: reuse", "lamps: mend")[number % 3]

    rows = relabel(folder, label)
    train = [row["id"] for row in rows_of("train", rows)]

    def thin(row: Row, split: str) -> None:
        if row["id"] in train[:2]:
            row["product_class"] = None
        if row["id"] == train[2]:
            row |= {"title": None, "description": None}
        if row["id"] == train[3]:
            row["price"] = None

    relabel(folder, thin)
    return folder


@pytest.fixture
def project(labelled_project: Path, tmp_path: Path) -> Path:
    """A copy to play with."""
    return Path(shutil.copytree(labelled_project, tmp_path / "project"))


@pytest.fixture(scope="module")
def trained(labelled_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy in which `product` has run."""
    folder = Path(shutil.copytree(labelled_project, tmp_path_factory.mktemp("product") / "project"))
    run(product, folder)
    return folder


def test_the_folder_is_a_whole_model_with_one_for_each_baseline(trained: Path) -> None:
    folder = trained / "data/product"
    model = {"config.json", "model.safetensors", "history.csv", "tokenizer.json"}
    expected = model | {"metrics.json"} | {f"alone/text/{name}" for name in model}
    assert set(contents(folder)) == expected | {f"alone/image/{name}" for name in model - {"tokenizer.json"}}
    config = Product.from_pretrained(folder).config
    assert config.classes == tuple(read_json(trained / "data/shards/labels.json")["product_class"])
    assert (config.image_size, config.resize_mode, set(config.modalities)) == (16, "pad", {"text", "image"})
    for name in ("text", "image"):
        alone = Product.from_pretrained(folder / "alone" / name).config
        assert alone.modalities == {name: config.modalities[name]}
        assert alone.classes == config.classes
    for path in (folder, folder / "alone/text", folder / "alone/image"):
        with (path / "history.csv").open() as file:
            history = list(csv.DictReader(file))
        assert [(row["epoch"], row["phase"]) for row in history] == [("1", "1"), ("2", "2")]
        columns = {"train_loss", "validation_loss", "learning_rate", "validation_product_class_accuracy"}
        assert columns <= set(history[0])


def test_rows_without_a_class_are_excluded(trained: Path) -> None:
    numbers = read_json(trained / "data/product/metrics.json")
    train = rows_of("train", listings_of(trained))
    assert numbers["train_listings"] == len(train) - 2
    assert numbers["train_listings_without_labels"] == 2
    kept = [row for row in train if row["product_class"]]
    wordless = sum(not row["title"] for row in kept)
    assert wordless > 0
    assert numbers["train_listings_without_text"] == wordless
    assert numbers["train_listings_without_image"] == 0
    assert numbers["product_class_classes"] == 3
    assert {"parameters", "text_alone_parameters", "image_alone_validation_loss"} <= set(numbers)
    assert numbers["text_alone_parameters"] < numbers["parameters"]


def test_the_trained_model_answers_for_every_listing(trained: Path) -> None:
    samples = [(sample.image, sample.row) for sample in read_samples(trained / "data/shards/train")]
    for path in ("", "alone/text", "alone/image"):
        classifier = ProductClassifier.from_pretrained(trained / "data/product" / path, threads=1)
        answers = classifier.probabilities(samples)
        assert answers.shape == (len(samples), 3)
        assert answers.sum(axis=1) == pytest.approx(1, abs=1e-5)


def test_the_same_input_gives_the_same_bytes(trained: Path) -> None:
    run(product, trained, "again")
    assert contents(trained / "data/again") == contents(trained / "data/product")


def test_a_third_modality_stands_in_the_parameters_alone(project: Path) -> None:
    price = {"kind": "numbers", "fields": ["price"], "features": 4, "dropout": 0.1}
    modalities = {**SECTION["modalities"], "price": price}
    write_section(project, SECTION | {"modalities": modalities, "baselines": ["price"]})
    numbers = run(product, project)
    train = [row for row in rows_of("train", listings_of(project)) if row["product_class"]]
    priced = [row["price"] for row in train if row["price"] is not None]
    assert numbers["train_listings_without_price"] == len(train) - len(priced) == 1
    classifier = ProductClassifier.from_pretrained(project / "data/product", threads=1)
    sizes = [math.log1p(price) for price in priced]
    assert classifier.config.scaling == {"price": pytest.approx((fmean(sizes), pstdev(sizes)))}
    sample = next(read_samples(project / "data/shards/train"))
    dear, cheap, asked = (sample.row | {"price": price} for price in (900.0, 1.0, None))
    answers = [classifier.probabilities([(sample.image, row)]) for row in (dear, cheap, asked)]
    assert (answers[0] != answers[1]).any()
    assert (classifier.probabilities([(sample.image, dear)], without=["price"]) == answers[2]).all()
    alone = ProductClassifier.from_pretrained(project / "data/product/alone/price", threads=1)
    assert set(alone.config.modalities) == {"price"}
    assert not (project / "data/product/alone/price/tokenizer.json").exists()


def test_a_network_without_images_needs_no_tower(project: Path) -> None:
    write_section(project, SECTION | ALONE | {"modalities": {"text": WORDS}})
    run(product, project)
    assert set(Product.from_pretrained(project / "data/product").config.modalities) == {"text"}


def test_streaming_trains_on_as_many_listings(project: Path, trained: Path) -> None:
    write_section(project, SECTION | ALONE | {"cache": False})
    numbers = run(product, project)
    assert numbers["train_listings"] == read_json(trained / "data/product/metrics.json")["train_listings"]


def test_a_class_that_the_train_split_lacks_is_not_learned(project: Path) -> None:
    held_out = rows_of("validation", listings_of(project))
    known = {row["id"] for row in held_out[:2]}  # as many as must steer the training

    def hide(row: Row, split: str) -> None:
        if split != "train" and row["id"] not in known:
            row["product_class"] = "unicorns: reuse"

    relabel(project, hide)
    write_section(project, SECTION | ALONE)
    assert len(held_out) > 2
    numbers = run(product, project)
    assert numbers["validation_listings"] == 2
    assert "unicorns: reuse" not in Product.from_pretrained(project / "data/product").config.classes


def _one_class(row: Row, split: str) -> None:
    row["product_class"] = "furniture: reuse"


def _held_out_only(row: Row, split: str) -> None:
    row["product_class"] = row["product_class"] if split != "train" else None


@pytest.mark.parametrize(("change", "classes"), [(_one_class, 1), (_held_out_only, 0)])
def test_nothing_to_tell_apart_makes_no_model_and_no_error(
    project: Path, change: Callable[[Row, str], None], classes: int
) -> None:
    relabel(project, change)
    numbers = run(product, project)
    assert set(contents(project / "data/product")) == {"skipped.json", "metrics.json"}
    assert "two are needed" in (skip_reason(project / "data/product") or "")
    assert numbers == {"product_class_classes": classes, "train_listings": 0}


def test_too_few_labels_for_a_batch_make_no_model_and_no_error(project: Path) -> None:
    write_section(project, SECTION | {"batch_size": 400})
    run(product, project)
    assert "lower product.batch_size" in (skip_reason(project / "data/product") or "")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"baselines": ["price"]}, "baselines: unknown modality price; allowed: text, image"),
        ({"frozen_epochs": 2}, r"frozen_epochs must be below trainer\.max_epochs"),
        ({"pretrained": "clip"}, r"found pretrained and modalities\.image\.image"),
        ({"modalities": {"image": {**IMAGE, "image": None}}, **ALONE}, r"give either pretrained or modalities"),
        ({"modalities": {"a": IMAGE, "b": IMAGE}, **ALONE}, "a and b read the same image"),
        ({"modalities": {}, **ALONE}, "at least 1 item"),
        ({"modalities": {"text": {**WORDS, "fields": ["colour"]}}, **ALONE}, r"product\.modalities\.text.*'title'"),
        ({"modalities": {"text": {**WORDS, "kind": "bert"}}, **ALONE}, "text_cnn"),
        ({"modalities": {"../x": WORDS}, **ALONE}, "pattern"),
        ({"fusion": {"hidden_dims": [8], "dropout": [0.1, 0.1]}}, "hidden_dims has 1 layers, dropout 2"),
        ({"modality_dropout": 1.5}, r"product\.modality_dropout"),
    ],
    ids=lambda value: "" if isinstance(value, str) else "-".join(value),
)
def test_mistaken_parameters_are_named(project: Path, changes: dict[str, Any], message: str) -> None:
    write_section(project, SECTION | changes)
    with pytest.raises(ParameterError, match=message):
        run(product, project)


def test_a_strategy_that_cannot_freeze_is_named(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise PhaseError("several processes")

    monkeypatch.setattr("assets.product.train.stage.train", refuse)
    with pytest.raises(StageError, match=r"set product\.trainer\.strategy: ddp_find_unused_parameters_true"):
        run(product, project)


def _start_from(project: Path, checkpoint: str) -> None:
    image = {name: value for name, value in IMAGE.items() if name != "image"}
    modalities = {"modalities": {"text": WORDS, "image": image}, "pretrained": checkpoint}
    write_section(project, SECTION | ALONE | UNMOVED | modalities)


def _tower(project: Path) -> tuple[Product, torch.nn.Module]:
    network = Product.from_pretrained(project / "data/product")
    (encoder,) = network.image_encoders()
    return network, encoder


def test_the_tower_can_come_from_clip(project: Path) -> None:
    _start_from(project, "clip")
    run(product, project)
    network, encoder = _tower(project)
    lent = Clip.from_pretrained(project / "data/clip")
    branch = network.config.modalities["image"]
    assert isinstance(branch, ImageBranch)
    assert (branch.image, network.config.image_mean) == (lent.config.image, lent.config.image_mean)
    for (name, found), expected in zip(encoder.named_parameters(), lent.image.parameters(), strict=True):
        torch.testing.assert_close(found, expected, atol=1e-8, rtol=0, msg=name)


def test_without_the_model_that_it_begins_with_there_is_none(project: Path) -> None:
    _start_from(project, "clip")
    shutil.rmtree(project / "data/clip")
    (project / "data/clip").mkdir()
    write_skipped(project / "data/clip", "No words; write some.")
    assert run(product, project)["train_listings"] == 0
    reason = skip_reason(project / "data/product")
    assert reason == "product.pretrained: stage clip was skipped: No words; write some."


def test_the_tower_can_come_from_a_checkpoint(project: Path, tmp_path: Path) -> None:
    theirs = MobileNetV2Model(MobileNetV2Config(depth_multiplier=0.1, image_size=16))
    theirs.save_pretrained(tmp_path / "checkpoint")
    _start_from(project, str(tmp_path / "checkpoint"))
    run(product, project)
    network, encoder = _tower(project)
    branch = network.config.modalities["image"]
    assert isinstance(branch, ImageBranch)
    assert branch.image is not None
    assert branch.image.kind == "mobilenet_v2"
    assert network.config.image_mean == (0.5, 0.5, 0.5)
    weights = theirs.state_dict()
    for name, found in encoder.model.named_parameters():  # type: ignore[union-attr, operator]
        torch.testing.assert_close(found, weights[name], atol=1e-8, rtol=0, msg=name)
