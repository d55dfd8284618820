"""The stage `reranker`: its training data, its outputs, and the reasons for skipping the training."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from assets.reranker.train.stage import reranker
from heddle.core.parameters.shared import Split
from heddle.core.schemas import TABLES, read_rows, write_table
from heddle.core.skipped import skip_reason
from heddle.core.splits import split_of
from heddle.core.stage import StageError
from heddle.retrieval.config import RetrievalError
from heddle.retrieval.guide_index import write_empty_guide_index
from heddle.retrieval.open_reranker import open_reranker
from tests.support.small_library import OPTIMIZER, SPLIT, TRAINER, change, rewrite, write_index, write_yaml
from tests.support.small_project import contents, run
from tests.support.tiny_bert import WORDS

Row = dict[str, Any]

SETTINGS: Row = {
    "num_layers": 1,
    "dropout": 0.0,
    "max_length": 20,
    "negatives_depth": 5,
    "relevant": 2,
    "hard_negatives": 2,
}
SETTINGS |= {"random_negatives": 1, "batch_size": 2, **OPTIMIZER, "trainer": TRAINER}
QUERIES = 40


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reranker") / "project"
    (folder / "scales").mkdir(parents=True)
    shared = {"scale": "smoke", "seed": 7, "compute": {"threads": 1}, "split": SPLIT}
    write_yaml(folder / "params.yaml", shared)
    guides = [{"id": f"g{number}", "title": word, "text": f"sand the {word}"} for number, word in enumerate(WORDS)]
    queries = [
        {"id": f"q{number:02}", "text": f"old {WORDS[number % len(WORDS)]} {number}"} for number in range(QUERIES)
    ]
    qrels = [judged(number, number, 3) for number in range(QUERIES)]
    qrels += [judged(number, number + 1, 1) for number in range(QUERIES)]
    qrels += [judged(number, number + 2, 0) for number in range(QUERIES)]
    (folder / "data/validated").mkdir(parents=True)
    for name, rows in (("guides", guides), ("queries", queries), ("qrels", qrels)):
        write_table(folder / f"data/validated/{name}.parquet", rows, TABLES[name])
    write_index(folder / "data", guides)
    write_yaml(folder / "scales/smoke.yaml", {"reranker": SETTINGS | {"pretrained": str(folder / "encoder_bert")}})
    run(reranker, folder)
    return folder


def judged(query: int, guide: int, grade: int) -> Row:
    return {"query": f"q{query:02}", "guide": f"g{guide % len(WORDS)}", "relevance": grade}


@pytest.fixture
def copy(project: Path, tmp_path: Path) -> Path:
    """The same project, before the stage."""
    return Path(shutil.copytree(project, tmp_path / "project", ignore=shutil.ignore_patterns("reranker")))


def test_reranker_two_runs_give_same_bytes(project: Path) -> None:
    run(reranker, project, "again")
    first, second = contents(project / "data/reranker"), contents(project / "data/again")
    assert {"config.json", "model.safetensors", "tokenizer.json", "history.csv", "metrics.json"} <= set(first)
    assert first == second
    assert not any(str(project).encode() in content for content in first.values())


def test_reranker_other_seed_gives_other_weights(project: Path, copy: Path) -> None:
    params = (copy / "params.yaml").read_text()
    (copy / "params.yaml").write_text(params.replace("seed: 7", "seed: 8"))
    run(reranker, copy)
    weights = "data/reranker/model.safetensors"
    assert (copy / weights).read_bytes() != (project / weights).read_bytes()


def test_reranker_test_split_does_not_change_the_weights(project: Path, copy: Path) -> None:
    """Other questions and judgements in the test split give the same bytes; in the train split they do not."""
    queries, qrels = (read_rows(copy / f"data/validated/{name}.parquet") for name in ("queries", "qrels"))
    for part, same in (("test", True), ("train", False)):
        held = {row["id"] for row in queries if split_of(row["id"], Split(**SPLIT)) == part}
        assert held
        rewrite(copy, "queries", [row | {"text": "wax"} if row["id"] in held else row for row in queries])
        rewrite(copy, "qrels", [row | {"relevance": 1} if row["query"] in held else row for row in qrels])
        run(reranker, copy, part)
        assert (contents(copy / "data" / part) == contents(project / "data/reranker")) is same


def test_reranker_metrics_count_queries_of_both_splits(project: Path, copy: Path) -> None:
    numbers = run(reranker, copy)
    queries = read_rows(project / "data/validated/queries.parquet")
    for part in ("train", "validation"):
        known = [row for row in queries if split_of(row["id"], Split(**SPLIT)) == part]
        assert numbers[f"{part}_queries"] == len(known)
    assert numbers["best_epoch"] <= numbers["epochs"] == 2
    assert 0 < numbers["validation_ndcg_at_10"] <= 1


def test_reranker_output_scores_guides(project: Path) -> None:
    model = open_reranker(project / "data/reranker", 1)
    assert model is not None
    scores = model.scores("old chair", ["chair\nsand the chair", "wax\nsand the wax", ""])
    assert scores.shape == (3,)
    assert ((scores > 0) & (scores < 1)).all()


@pytest.mark.parametrize("empty", [("qrels",), ("queries", "qrels"), ("guides", "queries", "qrels")])
def test_reranker_too_few_queries_is_skipped(copy: Path, empty: tuple[str, ...]) -> None:
    for name in empty:
        rewrite(copy, name, [])
    if "guides" in empty:
        shutil.rmtree(copy / "data/index")
        (copy / "data/index").mkdir()
        write_empty_guide_index(copy / "data/index")
    run(reranker, copy)
    assert "0 train queries and 0 validation queries have a relevant guide" in (
        skip_reason(copy / "data/reranker") or ""
    )
    assert open_reranker(copy / "data/reranker", 1) is None


def test_reranker_errors_name_key_and_command(copy: Path, tmp_path: Path) -> None:
    with pytest.raises(RetrievalError, match=r"cannot load the reranker in.*`dvc repro reranker`"):
        open_reranker(tmp_path / "nowhere", 1)
    change(copy, "reranker", num_layers=9)
    with pytest.raises(StageError, match=r"reranker.pretrained: .*it has 2 layers, fewer than 9"):
        run(reranker, copy)
    change(copy, "reranker", num_layers=1, pretrained="./nowhere")
    with pytest.raises(StageError, match=r"reranker.pretrained: cannot load checkpoint './nowhere'"):
        run(reranker, copy, "second")
    (copy / "data/index/guides.parquet").unlink()
    with pytest.raises(StageError, match=r"guides\.parquet.*`dvc repro index`"):
        run(reranker, copy, "third")
