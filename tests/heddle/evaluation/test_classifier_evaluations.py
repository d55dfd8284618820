"""The stages that judge the classifiers, on real shards and models that have learned nothing."""

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest

from assets.product.evaluate.stage import product_evaluation
from assets.vision.evaluate.stage import vision_evaluation
from heddle.core.schemas import read_rows
from heddle.core.skipped import skip_reason, write_skipped
from heddle.core.stage import read_json, write_json
from heddle.evaluation.metric_tree import leaves
from lightning_modules.product.classifier import ProductClassifier
from lightning_modules.training.shards import read_samples
from lightning_modules.vision.classifier import VisionClassifier
from tests.support.small_project import UPPER_BOUNDS, contents, run

STAGES = (vision_evaluation, product_evaluation)


@pytest.fixture(scope="module")
def project(trained_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = Path(shutil.copytree(trained_project, tmp_path_factory.mktemp("evaluations") / "project"))
    for stage in STAGES:
        shutil.rmtree(folder / "data" / stage.__name__)
        run(stage, folder)
    return folder


@pytest.fixture
def changeable(project: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(project, tmp_path / "project"))


def _table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_vision_is_evaluated_head_by_head_on_labelled_listings(project: Path) -> None:
    metrics = read_json(project / "data/vision_evaluation/metrics.json")
    samples = list(read_samples(project / "data/shards/test"))
    model = VisionClassifier.from_pretrained(project / "data/vision", threads=1)
    probabilities = model.probabilities(sample.image for sample in samples)
    assert metrics["test_listings"] == len(samples)
    for head, classes in model.config.heads.items():
        labelled = [place for place, sample in enumerate(samples) if sample.row[head]]
        right = [samples[place].row[head] == classes[probabilities[head][place].argmax()] for place in labelled]
        found = metrics[head]
        assert found["listings"] == len(labelled)
        accuracy = found["accuracy"]
        assert accuracy["value"] == np.mean(right)
        assert accuracy["low"] <= accuracy["value"] <= accuracy["high"]
        assert 0 <= accuracy["chance"] <= 1
        for name in ("macro_f1", "weighted_f1", "calibration_error"):
            assert 0 <= found[name] <= 1
        confusion = _table(project / f"data/vision_evaluation/plots/{head}_confusion.csv")
        assert sum(row["actual"] == row["predicted"] for row in confusion) == sum(right)
    assert metrics["item"]["accuracy"]["upper_bound"] == UPPER_BOUNDS["item_accuracy_from_image"]
    assert "upper_bound" not in metrics["material"]["accuracy"]


def test_product_is_evaluated_with_every_set_of_modalities(project: Path) -> None:
    metrics = read_json(project / "data/product_evaluation/metrics.json")
    samples = [sample for sample in read_samples(project / "data/shards/test") if sample.row["product_class"]]
    assert metrics["product_class_listings"] == len(samples) <= metrics["test_listings"]
    asked = [(sample.image, sample.row) for sample in samples]

    def accuracy(folder: str, without: tuple[str, ...] = ()) -> float:
        model = ProductClassifier.from_pretrained(project / "data" / folder, threads=1)
        predicted = model.probabilities(asked, without=without).argmax(axis=1)
        return float(
            np.mean(
                [
                    model.config.classes[place] == row["product_class"]
                    for place, (_, row) in zip(predicted, asked, strict=True)
                ]
            )
        )

    assert metrics["full"]["accuracy"]["value"] == accuracy("product")
    for modality, name in (("text", "text"), ("image", "image")):
        only, without = metrics[f"{name}_only"], metrics[f"without_{name}"]
        assert only["accuracy"]["value"] == accuracy(f"product/alone/{modality}")
        assert without["accuracy"]["value"] == accuracy("product", (modality,))
        assert 0 <= only["macro_f1"] <= 1
        assert 0 <= without["macro_f1"] <= 1
    assert metrics["full"]["accuracy"]["upper_bound"] == 0.98
    for name in ("text_only", "without_image"):
        assert metrics[name]["accuracy"]["upper_bound"] == 0.78
    ablation = {row.pop("system"): row for row in _table(project / "data/product_evaluation/plots/ablation.csv")}
    assert set(ablation) == {"text_only", "image_only", "full", "without_text", "without_image"}
    for name, row in ablation.items():
        assert float(row["macro_f1"]) == pytest.approx(metrics[name]["macro_f1"], abs=1e-6)
        assert float(row["accuracy"]) == pytest.approx(metrics[name]["accuracy"]["value"], abs=1e-6)


def test_mistakes_are_mistakes(project: Path) -> None:
    for stage, most in ((vision_evaluation, 6), (product_evaluation, 3)):
        rows = read_rows(project / "data" / stage.__name__ / "mistakes.parquet")
        assert 0 < len(rows) <= most
        assert all(row["actual"] != row["predicted"] for row in rows)


@pytest.mark.parametrize("stage", STAGES)
def test_the_same_model_gives_the_same_bytes(project: Path, changeable: Path, stage) -> None:
    run(stage, changeable, "again")
    assert contents(changeable / "data/again") == contents(project / "data" / stage.__name__)


@pytest.mark.parametrize("stage", STAGES)
def test_evaluation_of_a_skipped_model_is_skipped(changeable: Path, stage) -> None:
    model = changeable / "data" / stage.__name__.removesuffix("_evaluation")
    shutil.rmtree(model)
    model.mkdir()
    write_skipped(model, "No labels; label some.")
    metrics = run(stage, changeable, "again")
    assert metrics["test_listings"] > 0
    assert not [leaf for leaf in leaves(metrics) if "accuracy" in leaf.path]
    assert skip_reason(changeable / "data/again") == "No labels; label some."


@pytest.mark.parametrize("stage", STAGES)
def test_a_test_split_without_labels_measures_nothing(
    changeable: Path, stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def unlabelled(folder: Path):
        for sample in read_samples(folder):
            sample.row.update(dict.fromkeys(("item", "material", "bin", "product_class")))
            yield sample

    monkeypatch.setattr(f"{stage.__module__}.read_samples", unlabelled)
    metrics = run(stage, changeable, "again")
    assert not [leaf for leaf in leaves(metrics) if "accuracy" in leaf.path]
    assert {leaf.value for leaf in leaves(metrics) if leaf.path != "test_listings"} == {0}
    assert "no test listing has the label" in capsys.readouterr().out


def test_model_of_one_modality_is_evaluated_once(changeable: Path) -> None:
    data = changeable / "data"
    shutil.move(data / "product/alone/text", data / "words_only")
    shutil.rmtree(data / "product")
    shutil.move(data / "words_only", data / "product")
    metrics = run(product_evaluation, changeable, "again")
    assert metrics.keys() == {"test_listings", "product_class_listings", "full"}
    assert metrics["full"]["accuracy"]["upper_bound"] == 0.78
    assert [row["system"] for row in _table(data / "again/plots/ablation.csv")] == ["full"]


def test_modality_without_its_own_model_has_no_only_system(changeable: Path) -> None:
    shutil.rmtree(changeable / "data/product/alone/image")
    metrics = run(product_evaluation, changeable, "again")
    assert {"text_only", "without_image"} <= metrics.keys()
    assert "image_only" not in metrics


def test_without_known_upper_bounds_metrics_have_none(changeable: Path) -> None:
    write_json(changeable / "data/catalog/upper_bounds.json", {})
    for stage in STAGES:
        metrics = run(stage, changeable, f"{stage.__name__}_again")
        assert not [leaf for leaf in leaves(metrics) if leaf.upper_bound is not None]
