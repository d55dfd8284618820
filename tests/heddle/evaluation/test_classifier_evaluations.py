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
from lightning_modules.product.classifier import ProductClassifier
from lightning_modules.training.data import read_samples
from lightning_modules.vision.classifier import VisionClassifier
from tests.support.small_project import CEILINGS, contents, run

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


def test_vision_is_judged_by_head_on_the_listings_that_have_the_label(project: Path) -> None:
    numbers = read_json(project / "data/vision_evaluation/metrics.json")
    samples = list(read_samples(project / "data/shards/test"))
    model = VisionClassifier.from_pretrained(project / "data/vision", threads=1)
    probabilities = model.probabilities(sample.image for sample in samples)
    assert numbers["test_listings"] == len(samples)
    for head, classes in model.config.heads.items():
        labelled = [place for place, sample in enumerate(samples) if sample.row[head]]
        right = [samples[place].row[head] == classes[probabilities[head][place].argmax()] for place in labelled]
        assert numbers[f"{head}_listings"] == len(labelled)
        assert numbers[f"{head}_accuracy"] == np.mean(right)
        assert numbers[f"{head}_accuracy_low"] <= numbers[f"{head}_accuracy"] <= numbers[f"{head}_accuracy_high"]
        for name in ("accuracy_chance", "macro_f1", "weighted_f1", "calibration_error"):
            assert 0 <= numbers[f"{head}_{name}"] <= 1
        confusion = _table(project / f"data/vision_evaluation/plots/{head}_confusion.csv")
        assert sum(row["actual"] == row["predicted"] for row in confusion) == sum(right)
    assert numbers["item_accuracy_ceiling"] == CEILINGS["item_accuracy_from_image"]
    assert "material_accuracy_ceiling" not in numbers  # nobody knows it


def test_product_is_judged_whole_in_parts_and_with_parts_missing(project: Path) -> None:
    numbers = read_json(project / "data/product_evaluation/metrics.json")
    samples = [sample for sample in read_samples(project / "data/shards/test") if sample.row["product_class"]]
    assert numbers["product_class_listings"] == len(samples) <= numbers["test_listings"]
    asked = [(sample.image, sample.row) for sample in samples]

    def accuracy(folder: str, without: tuple[str, ...] = ()) -> float:
        model = ProductClassifier.from_pretrained(project / "data" / folder, threads=1)
        said = model.probabilities(asked, without=without).argmax(axis=1)
        return float(
            np.mean(
                [
                    model.config.classes[place] == row["product_class"]
                    for place, (_, row) in zip(said, asked, strict=True)
                ]
            )
        )

    assert numbers["accuracy"] == accuracy("product")
    for name in ("words", "image"):
        assert numbers[f"{name}_alone_accuracy"] == accuracy(f"product/alone/{name}")
        assert numbers[f"without_{name}_accuracy"] == accuracy("product", (name,))
        assert {f"{name}_alone_macro_f1", f"without_{name}_macro_f1"} <= set(numbers)
    assert numbers["accuracy_ceiling"] == 0.98
    assert numbers["words_alone_accuracy_ceiling"] == numbers["without_image_accuracy_ceiling"] == 0.78
    ablation = {row.pop("seen"): row for row in _table(project / "data/product_evaluation/plots/ablation.csv")}
    assert set(ablation) == {"words alone", "image alone", "all modalities", "without words", "without image"}
    assert float(ablation["all modalities"]["macro_f1"]) == pytest.approx(numbers["macro_f1"], abs=1e-6)
    assert float(ablation["without words"]["accuracy"]) == pytest.approx(numbers["without_words_accuracy"], abs=1e-6)


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
def test_an_absent_model_is_passed_on_with_the_counts(changeable: Path, stage) -> None:
    model = changeable / "data" / stage.__name__.removesuffix("_evaluation")
    shutil.rmtree(model)
    model.mkdir()
    write_skipped(model, "No labels; label some.")
    numbers = run(stage, changeable, "again")
    assert numbers["test_listings"] > 0
    assert "accuracy" not in " ".join(numbers)
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
    numbers = run(stage, changeable, "again")
    assert "accuracy" not in " ".join(numbers)
    assert {value for name, value in numbers.items() if name != "test_listings"} == {0}
    assert "measured" in capsys.readouterr().out


def test_a_model_of_one_modality_is_asked_once(changeable: Path) -> None:
    data = changeable / "data"
    shutil.move(data / "product/alone/words", data / "words_only")
    shutil.rmtree(data / "product")
    shutil.move(data / "words_only", data / "product")
    numbers = run(product_evaluation, changeable, "again")
    assert not [name for name in numbers if "alone" in name or "without" in name]
    assert numbers["accuracy_ceiling"] == 0.78
    assert [row["seen"] for row in _table(data / "again/plots/ablation.csv")] == ["all modalities"]


def test_a_modality_without_a_model_of_its_own_is_not_judged_alone(changeable: Path) -> None:
    shutil.rmtree(changeable / "data/product/alone/image")
    numbers = run(product_evaluation, changeable, "again")
    assert {"words_alone_accuracy", "without_image_accuracy"} <= set(numbers)
    assert "image_alone_accuracy" not in numbers


def test_where_no_ceiling_is_known_none_is_told(changeable: Path) -> None:
    write_json(changeable / "data/catalog/upper_bounds.json", {})
    for stage in STAGES:
        assert not [name for name in run(stage, changeable, f"{stage.__name__}_again") if name.endswith("_ceiling")]
