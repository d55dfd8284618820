"""Release: a folder that loads, and a card whose numbers are the metrics."""

import contextlib
import hashlib
import json
import re
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image
from ruamel.yaml import YAML

from assets.families import RELEASED
from assets.release.card import figure
from assets.release.stage import release
from demo_shop.compatibility import STYLES
from heddle.core.stage import StageError, read_json
from heddle.description.certainty import Certainty
from heddle.evaluation.metric_tree import leaves
from lightning_modules.clip.encoder import ClipEncoder
from lightning_modules.product.classifier import ProductClassifier
from lightning_modules.vision.classifier import VisionClassifier
from lightning_modules.writer.content_writer import ContentWriter
from lightning_modules.writer.samples import Inputs
from tests.support import tiny_writer
from tests.support.small_classifiers import CLASSES, NO_VISION
from tests.support.small_project import ITEMS, NUMBERS, contents, run, write_project


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_project(tmp_path_factory.mktemp("release") / "project")
    run(release, folder)
    return folder


@pytest.fixture(scope="module")
def folder(project: Path) -> Path:
    return project / "data" / "release" / "clip"


@pytest.fixture(scope="module")
def card(folder: Path) -> str:
    return (folder / "README.md").read_text()


def test_release_contains_model_card_metrics_and_lineage(folder: Path) -> None:
    names = {"model.safetensors", "config.json", "tokenizer.json", "README.md", "metrics.json", "lineage.json"}
    assert {path.name for path in folder.iterdir()} == names
    assert read_json(folder / "metrics.json") == NUMBERS


def test_released_clip_encodes_like_the_trained_one(project: Path, folder: Path) -> None:
    trained = ClipEncoder.from_pretrained(project / "data" / "clip", threads=1)
    released = ClipEncoder.from_pretrained(folder, threads=1)
    texts = ["an oak chair", "a jar"]
    np.testing.assert_array_equal(released.texts(texts), trained.texts(texts))
    image = np.arange(16 * 16 * 3, dtype=np.uint8).reshape(16, 16, 3)
    np.testing.assert_array_equal(released.images([image]), trained.images([image]))


def test_released_classifiers_predict_like_the_trained_ones(project: Path) -> None:
    image = np.arange(16 * 16 * 3, dtype=np.uint8).reshape(16, 16, 3)
    for data in ("data", "data/release"):
        vision = VisionClassifier.from_pretrained(project / data / "vision", threads=1)
        product = ProductClassifier.from_pretrained(project / data / "product", threads=1)
        said = (*vision.probabilities([image]).values(), product.probabilities([(image, {"title": "oak chair"})]))
        if data == "data":
            expected = said
    for one, other in zip(said, expected, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("model", "files"),
    [
        ("vision", {"model.safetensors", "config.json"}),
        ("product", {"model.safetensors", "config.json", "tokenizer.json"}),
        (
            "recommender",
            {
                "model.safetensors",
                "config.json",
                "nodes.parquet",
                "edges.parquet",
                "encoder.json",
                "calibration.json",
            },
        ),
        ("writer", {"model.safetensors", "config.json", "tokenizer.json", "lexicon.json", "certainty.json"}),
    ],
)
def test_release_has_a_folder_and_a_card_for_each_model(project: Path, model: str, files: set[str]) -> None:
    folder = project / "data" / "release" / model
    assert {path.name for path in folder.iterdir()} == files | {"README.md", "metrics.json", "lineage.json"}
    numbers = read_json(project / "data" / f"{model}_evaluation" / "metrics.json")
    card = (folder / "README.md").read_text()
    assert f"# {model}: " in card
    for metric in leaves(numbers):
        assert f"| {metric.path} | {figure(metric.value)} |" in card
    assert set(read_json(folder / "lineage.json")["files"]) == files
    code = card.split("```python")[1].split("```")[0]
    compile(code, "card", "exec")


@pytest.mark.parametrize("model", ["vision", "product", "recommender"])
def test_card_code_runs(project: Path, model: str, capsys: pytest.CaptureFixture[str]) -> None:
    card = (project / "data" / "release" / model / "README.md").read_text()
    code = card.split("```python")[1].split("```")[0]
    Image.new("RGB", (30, 40), (90, 60, 20)).save(project / "chair.jpg")
    with contextlib.chdir(project):
        exec(code, {})
    said = capsys.readouterr().out
    assert any(name in said for name in (*ITEMS, *CLASSES, *STYLES))


def test_released_writer_loads_with_its_certainty(project: Path) -> None:
    released = project / "data" / "release" / "writer"
    inputs = [Inputs(np.full((tiny_writer.SIZE, tiny_writer.SIZE, 3), shade, np.uint8)) for shade in (0, 200)]
    texts = [{"alt_text": "a red chair"}, {"alt_text": "a blue jar"}]
    scores = [
        ContentWriter.from_folder(folder, 1).score(inputs, texts) for folder in (project / "data/writer", released)
    ]
    assert scores[0] == scores[1]
    certainty = Certainty.from_folder(released)
    assert certainty is not None
    assert certainty({"alt_text": -0.5}) == pytest.approx(0.5)  # 4 * -0.5 + 2


def test_release_writer_without_certainty(tmp_path: Path) -> None:
    folder = write_project(tmp_path / "project")
    (folder / "data/writer_evaluation/certainty.json").unlink()
    run(release, folder)
    assert not (folder / "data/release/writer/certainty.json").exists()
    assert (folder / "data/release/writer/model.safetensors").is_file()


def test_release_product_without_text_has_no_tokenizer(tmp_path: Path) -> None:
    folder = write_project(tmp_path / "project")
    (folder / "data" / "product" / "tokenizer.json").unlink()
    run(release, folder)
    assert not (folder / "data" / "release" / "product" / "tokenizer.json").exists()


def test_lineage_includes_the_parameters_of_the_initial_model(tmp_path: Path) -> None:
    folder = write_project(tmp_path / "project")
    run(release, folder)
    lineage = {name: read_json(folder / "data/release" / name / "lineage.json") for name in ("vision", "product")}
    assert lineage["vision"]["parameters"]["clip"]["learning_rate"] == 0.001
    assert lineage["vision"]["parameters"]["vision"]["pretrained"] == "clip"
    assert "clip" not in lineage["product"]["parameters"]


def test_release_skips_models_that_were_not_trained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bare = write_project(tmp_path / "project", bare=True)
    metrics = run(release, bare)
    assert [path.name for path in (bare / "data" / "release").iterdir() if path.is_dir()] == ["clip"]
    assert metrics["models"] == 1
    assert {name for name, found in metrics.items() if found == {"skipped": 1}} == {
        family.name for family in RELEASED if family.name != "clip"
    }
    assert f"vision is skipped: {NO_VISION}" in capsys.readouterr().out


def test_lineage_has_files_data_parameters_and_versions(folder: Path) -> None:
    lineage = read_json(folder / "lineage.json")
    for name, digest in lineage["files"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    assert lineage["data"]["sources"] == {"shop": 24}
    assert lineage["data"]["licences"] == {"CC0-1.0": 24}
    assert "oak" in lineage["data"]["labels"]["material"]
    assert lineage["parameters"]["clip"]["learning_rate"] == 0.001
    assert lineage["parameters"]["clip"]["schedule"]["kind"] == "cosine"  # a default
    assert lineage["parameters"]["seed"] == 7
    assert lineage["versions"]["torch"].startswith("2.")


def test_card_table_shows_the_metrics(card: str) -> None:
    for one in leaves(NUMBERS):
        line = next(line for line in card.splitlines() if line.startswith(f"| {one.path} |"))
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        assert cells[1] == figure(one.value)
        assert float(cells[1]) == pytest.approx(one.value, abs=5e-5)
        assert cells[3:] == [figure(one.chance), figure(one.upper_bound)]
        assert cells[2] == (f"{figure(one.interval[0])} \N{EN DASH} {figure(one.interval[1])}" if one.interval else "")


def test_card_front_matter_is_yaml_with_the_metrics(card: str) -> None:
    content = YAML(typ="safe").load(card.split("---")[1])
    assert content["license"] == "apache-2.0"
    assert content["language"] == ["en"]
    (result,) = content["model-index"][0]["results"]
    assert {metric["type"]: metric["value"] for metric in result["metrics"]} == {
        metric.path: metric.value for metric in leaves(NUMBERS)
    }


def test_card_shows_which_gates_passed(card: str, project: Path) -> None:
    assert "| clip_evaluation.text_to_image.recall_at_10 | at least 0.5000 | 0.7123 | passed |" in card
    assert "| clip_evaluation.zero_shot.item_accuracy | at least 0.6000 | 0.4321 | **failed** |" in card
    metrics = read_json(project / "data" / "release" / "metrics.json")
    assert (metrics["clip"]["gates_passed"], metrics["clip"]["gates_failed"]) == (1, 1)
    assert metrics["models"] == 7


def test_lists_in_a_card_have_a_comma_and_a_space(card: str) -> None:
    libraries = next(line for line in card.splitlines() if line.startswith("Libraries: "))
    assert libraries.count(", ") == libraries.count(",") > 1


def test_card_shows_every_parameter(card: str) -> None:
    assert "| clip.learning_rate | <code>0.001</code> |" in card
    assert "| split.test | <code>0.4</code> |" in card
    assert '| scale | <code>"smoke"</code> |' in card


def test_release_bytes_depend_on_the_inputs_only(project: Path) -> None:
    run(release, project, "release_again")
    assert contents(project / "data" / "release_again") == contents(project / "data" / "release")
    text = "".join(
        content.decode()
        for name, content in contents(project / "data" / "release").items()
        if not name.endswith((".safetensors", ".parquet"))
    )
    assert str(project) not in text
    assert not re.search(r"20\d\d-\d\d-\d\d", text)


def test_gates_without_metrics_fail(tmp_path: Path) -> None:
    bare = write_project(tmp_path / "project", bare=True, numbers={})
    metrics = run(release, bare)
    assert (metrics["clip"]["gates_passed"], metrics["clip"]["gates_failed"]) == (0, 2)
    card = (bare / "data" / "release" / "clip" / "README.md").read_text()
    assert card.count("| not measured | **failed** |") == 2
    assert json.loads((bare / "data" / "release" / "clip" / "lineage.json").read_text())["data"]["licences"] == {
        "not stated": 24
    }


def test_lineage_counts_licences_by_spdx_identifier(tmp_path: Path) -> None:
    folder = write_project(tmp_path / "project")
    path = folder / "data/validated/listings.parquet"
    table = pq.read_table(path)
    stated = ["CC BY 4.0", "https://creativecommons.org/licenses/by/4.0/", "[ask](http://us.test)"]
    stated += ["cc0-1.0"] * (table.num_rows - len(stated))
    column = table.schema.get_field_index("licence")
    pq.write_table(table.set_column(column, table.schema.field(column), [stated]), path)
    run(release, folder)
    licences = read_json(folder / "data/release/clip/lineage.json")["data"]["licences"]
    assert licences == {"CC-BY-4.0": 2, "[ask](http://us.test)": 1, "CC0-1.0": table.num_rows - 3}


def test_release_missing_file_names_the_remedy(tmp_path: Path) -> None:
    folder = write_project(tmp_path / "project")
    (folder / "data" / "clip" / "tokenizer.json").unlink()
    with pytest.raises(StageError, match=r"data/clip/tokenizer\.json is missing: run `dvc repro clip`"):
        run(release, folder)
