"""``heddle.load``: models by name, and a message with the remedy where there is none."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import heddle
from heddle.core.errors import UserError
from tests.support.small_classifiers import NO_VISION
from tests.support.small_language import write_reranker
from tests.support.small_project import write_project

PIXELS = np.zeros((16, 16, 3), np.uint8)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_project(tmp_path_factory.mktemp("loading") / "project") / "data"
    shutil.rmtree(folder / "reranker", ignore_errors=True)
    write_reranker(folder)
    return folder


def test_load_clip_embeds_images_and_texts(data: Path) -> None:
    model = heddle.load("clip", data)
    assert model.images([PIXELS]).shape == model.texts(["an oak chair"]).shape


def test_load_classifiers_give_probabilities(data: Path) -> None:
    for probabilities in heddle.load("vision", str(data)).probabilities([PIXELS]).values():
        assert probabilities.sum() == pytest.approx(1, abs=1e-5)
    assert heddle.load("product", data).probabilities([(PIXELS, {"title": "a lamp"})]).sum() == pytest.approx(
        1, abs=1e-5
    )


def test_load_reranker_scores_texts(data: Path) -> None:
    assert heddle.load("reranker", data).scores("a question", ["one", "two"]).shape == (2,)


def test_load_assistant_answers(data: Path) -> None:
    answer = heddle.load("assistant", data).answer([{"role": "user", "content": "Glue?"}], max_new_tokens=2)
    assert isinstance(answer, str)


def test_load_recommender_recommends(data: Path) -> None:
    model = heddle.load("recommender", data)
    hits = model.recommend(next(iter(model.graph.ids)), top=3).hits
    assert 0 < len(hits) <= 3


def test_load_writer_describes_an_image_file(data: Path, tmp_path: Path) -> None:
    Image.new("RGB", (20, 20), (9, 200, 3)).save(tmp_path / "lamp.png")
    assert {"content", "scores"} <= heddle.load("writer", data).describe(tmp_path / "lamp.png").keys()


def test_unknown_model_lists_the_allowed_ones(data: Path) -> None:
    with pytest.raises(UserError, match="unknown model 'visoin': use one of assistant, clip, product, recommender"):
        heddle.load("visoin", data)


def test_missing_folder_names_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"vision is missing: run `heddle run` or `dvc repro vision`"):
        heddle.load("vision", tmp_path)


def test_incomplete_folder_names_the_remedy(data: Path, tmp_path: Path) -> None:
    shutil.copytree(data / "vision", tmp_path / "vision")
    (tmp_path / "vision/model.safetensors").unlink()
    with pytest.raises(UserError, match=r"vision is incomplete .*: run `dvc repro vision`"):
        heddle.load("vision", tmp_path)


def test_skipped_model_gives_the_reason(tmp_path: Path) -> None:
    bare = write_project(tmp_path / "project", bare=True) / "data"
    with pytest.raises(UserError, match="training was skipped: ") as error:
        heddle.load("vision", bare)
    assert NO_VISION in str(error.value)


def test_import_heddle_loads_no_torch() -> None:
    code = "import sys, heddle; print(callable(heddle.load), 'torch' in sys.modules, 'pydantic' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert ended.stdout.split() == ["True", "False", "False"]
