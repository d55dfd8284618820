import io
import shutil
from pathlib import Path

import evaluate
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from assets.clip.evaluate.stage import _are_first, clip_evaluation
from heddle import metrics
from heddle.core.schemas import read_rows
from heddle.core.skipped import skip_reason, write_skipped
from heddle.core.stage import read_json
from heddle.evaluation.metric_tree import leaves
from heddle.metrics.clip_score import ClipScore
from heddle.metrics.ranking import own_ranks
from lightning_modules.training.shards import read_samples
from tests.support.small_project import contents, run

METRICS = Path(metrics.__file__).parent


def _unit(count: int, seed: int, width: int = 3) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(count, width)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@given(count=st.integers(1, 30), seed=st.integers(0, 99))
@settings(deadline=None)
def test_ranks_equal_those_of_sorting_one_by_one(count: int, seed: int) -> None:
    queries, candidates = _unit(count, seed), _unit(count, seed + 1000)
    ranks, heads = own_ranks(queries, candidates, depth=10)
    likeness = queries @ candidates.T
    for row in range(count):
        order = sorted(range(count), key=lambda other: (-likeness[row, other], other == row))
        assert ranks[row] == order.index(row) + 1
        assert heads[row].tolist() == order[:10]


def test_a_model_that_says_the_same_of_everything_is_last() -> None:
    same = np.ones((12, 1), np.float32)
    ranks, heads = own_ranks(same, same, depth=10)
    assert ranks.tolist() == [12] * 12
    assert all(row not in head for row, head in enumerate(heads))


def test_first_described_listing_of_each_image_is_evaluated() -> None:
    described = np.array([False, True, True, True, True])
    assert _are_first(["a", "a", "b", "a", "b"], described).tolist() == [False, True, True, False, False]


def test_chunks_of_queries_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    queries, candidates = _unit(20, 1), _unit(20, 2)
    whole = own_ranks(queries, candidates, 5)
    monkeypatch.setattr("heddle.metrics.ranking.CHUNK", 7)
    assert all(np.array_equal(one, other) for one, other in zip(whole, own_ranks(queries, candidates, 5), strict=True))


def test_clip_score_by_hand() -> None:
    texts = [[1.0, 0.0], [1.0, 0.0], [3.0, 4.0]]
    images = [[2.0, 0.0], [-1.0, 0.0], [4.0, 3.0]]
    found = metrics.compute(ClipScore, predictions=texts, references=images)
    assert found["clip_score"] == pytest.approx(2.5 * (1 + 0 + 0.96) / 3)


def test_anyone_can_load_clip_score_by_path() -> None:
    found = evaluate.load(str(METRICS / "clip_score.py"), keep_in_memory=True)
    assert found.compute(predictions=[[1.0, 0.0]], references=[[0.6, 0.8]]) == pytest.approx({"clip_score": 1.5})


def test_metrics_are_consistent(trained_project: Path) -> None:
    metrics = read_json(trained_project / "data/clip_evaluation/metrics.json")
    pairs = metrics["test_listings"] - metrics["test_listings_without_text"]
    for direction in ("text_to_image", "image_to_text"):
        found = metrics[direction]
        recalls = [found[f"recall_at_{k}"]["value"] for k in (1, 5, 10)]
        assert recalls == sorted(recalls)
        assert found["recall_at_5"]["chance"] == pytest.approx(min(1, 5 / pairs))
        assert 1 <= found["median_rank"] <= pairs
        curve = (trained_project / "data/clip_evaluation/plots/recall_curve.csv").read_text()
        assert f"{direction.replace('_', ' ')},5,{recalls[1]:.6f}" in curve
    intervals = [metric for metric in leaves(metrics) if metric.low is not None]
    assert len(intervals) == 10
    assert all(metric.low <= metric.value <= metric.high for metric in intervals)
    assert metrics["zero_shot"]["listings"] <= metrics["test_listings"]


def test_examples_show_what_was_retrieved(trained_project: Path) -> None:
    rows = read_rows(trained_project / "data/clip_evaluation/examples.parquet")
    assert len(rows) == 3
    for row in rows:
        likeness = [retrieved["similarity"] for retrieved in row["retrieved"]]
        assert likeness == sorted(likeness, reverse=True)
        rights = [place for place, retrieved in enumerate(row["retrieved"], start=1) if retrieved["right"]]
        assert rights == ([row["rank"]] if row["rank"] <= 5 else [])
        for image in (row["image"], *(retrieved["image"] for retrieved in row["retrieved"])):
            assert Image.open(io.BytesIO(image)).size == (16, 16)


def test_the_same_model_gives_the_same_bytes(trained_project: Path, tmp_path: Path) -> None:
    project = Path(shutil.copytree(trained_project, tmp_path / "project"))
    run(clip_evaluation, project, "again")
    assert contents(project / "data/again") == contents(project / "data/clip_evaluation")


def test_without_labels_zero_shot_accuracy_is_absent(
    trained_project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = Path(shutil.copytree(trained_project, tmp_path / "project"))
    labels = project / "data/shards/labels.json"
    labels.write_text('{"item": [], "material": [], "bin": [], "product_class": []}')
    metrics = run(clip_evaluation, project, "again")
    assert "item_accuracy" not in metrics["zero_shot"]
    assert "zero-shot accuracy is not measured" in capsys.readouterr().out
    assert (project / "data/again/plots/item_confusion.csv").read_text() == "actual,predicted\n"


def test_evaluation_of_a_skipped_model_is_skipped(trained_project: Path, tmp_path: Path) -> None:
    project = Path(shutil.copytree(trained_project, tmp_path / "project"))
    shutil.rmtree(project / "data/clip")
    (project / "data/clip").mkdir()
    write_skipped(project / "data/clip", "No words; write some.")
    numbers = run(clip_evaluation, project, "again")
    assert numbers.keys() == {"test_listings", "test_listings_without_text", "repeated_images"}
    assert numbers["test_listings"] > 0
    assert skip_reason(project / "data/again") == "No words; write some."


def test_evaluation_of_a_single_listing_with_text_is_skipped(
    trained_project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = Path(shutil.copytree(trained_project, tmp_path / "project"))
    monkeypatch.setattr("assets.clip.evaluate.stage.read_samples", lambda folder: list(read_samples(folder))[:1])
    assert run(clip_evaluation, project, "again")["test_listings"] == 1
    assert "1 of 1 listings have text, at least 2 with different images are needed" in (
        skip_reason(project / "data/again") or ""
    )
