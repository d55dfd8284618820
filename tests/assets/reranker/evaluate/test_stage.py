"""The evaluation of retrieval: its metrics by hand, its tables, and the case without queries."""

import csv
import math
import shutil
from pathlib import Path
from typing import Any

import pytest

from assets.index.stage import index
from assets.reranker.evaluate.stage import retrieval_evaluation
from heddle.core.parameters.shared import Split
from heddle.core.schemas import TABLES, read_rows, write_table
from heddle.core.skipped import skip_reason, write_skipped
from heddle.core.splits import split_of
from heddle.core.stage import StageError, read_json
from heddle.retrieval.config import MODES, RetrievalConfig
from heddle.retrieval.retriever import Retriever
from tests.support.small_project import contents, run, write_project
from tests.support.tiny_reranker import write_reranker

SPLIT = Split(validation=0.2, test=0.4)
THINGS = ["chair", "table", "lamp", "jar", "book", "shelf", "mirror", "basket", "bottle", "door", "window", "crate"]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_project(tmp_path_factory.mktemp("retrieval") / "project")
    shutil.rmtree(folder / "data/reranker")
    (folder / "data/reranker").mkdir()
    write_skipped(folder / "data/reranker", "too few queries")
    guides = [
        {"id": f"shop:g{number:02}", "title": f"Mend a {thing}", "text": f"How to mend an old {thing} with glue."}
        for number, thing in enumerate(THINGS)
    ]
    queries = [
        {"id": f"shop:q{number:02}", "text": f"my {thing} is broken, what now"} for number, thing in enumerate(THINGS)
    ]
    judgements = [(number, number, 3) for number in range(12)] + [(number, (number + 1) % 12, 1) for number in range(6)]
    judgements += [(7, 7, 0), (7, 8, 0)]  # what was judged first for 7 is left out: no guide answers it
    judgements.remove((7, 7, 3))
    qrels = [
        {"query": f"shop:q{query:02}", "guide": f"shop:g{guide:02}", "relevance": grade}
        for query, guide, grade in judgements
    ]
    for name, rows in (("guides", guides), ("queries", queries), ("qrels", qrels)):
        write_table(folder / f"data/validated/{name}.parquet", rows, TABLES[name])
    run(index, folder)
    run(retrieval_evaluation, folder)
    return folder


def again(project: Path, folder: Path, change: tuple[str, str] = ("", "")) -> dict[str, Any]:
    """Run it on a copy whose parameters differ."""
    shutil.copytree(project, folder, ignore=shutil.ignore_patterns("retrieval_evaluation"))
    (folder / "params.yaml").write_text((folder / "params.yaml").read_text().replace(*change))
    return dict(run(retrieval_evaluation, folder))


def table(project: Path, name: str) -> list[dict[str, str]]:
    with (project / f"data/retrieval_evaluation/plots/{name}.csv").open() as file:
        return list(csv.DictReader(file))


def test_evaluation_queries_test_split_only(project: Path, tmp_path: Path) -> None:
    numbers = read_json(project / "data/retrieval_evaluation/metrics.json")
    asked = [f"shop:q{number:02}" for number in range(12) if split_of(f"shop:q{number:02}", SPLIT) == "test"]
    assert numbers["queries"] + numbers["queries_without_relevant_guide"] == len(asked) < 12
    shown = {row["id"] for row in read_rows(project / "data/retrieval_evaluation/examples.parquet")}
    assert shown <= set(asked)
    all_of_them = again(project, tmp_path / "project", ("queries: test", "queries: all"))
    assert (all_of_them["queries"], all_of_them["queries_without_relevant_guide"]) == (11, 1)


def test_evaluation_metrics_equal_those_of_search_hits(project: Path, tmp_path: Path) -> None:
    numbers = again(project, tmp_path / "project", ("queries: test", "queries: all"))
    retriever = Retriever.open(project / "data", threads=1)
    grades = {}
    for row in read_rows(project / "data/validated/qrels.parquet"):
        grades.setdefault(row["query"], {})[row["guide"]] = row["relevance"]
    texts = {row["id"]: row["text"] for row in read_rows(project / "data/validated/queries.parquet")}
    for mode in MODES:
        for expand in (False, True):
            values = {"ndcg_at_10": 0.0, "mrr_at_10": 0.0, "precision_at_5": 0.0}
            for query, judged in grades.items():
                if not any(judged.values()):
                    continue
                found = [
                    judged.get(hit.id, 0) for hit in retriever.search(texts[query], RetrievalConfig(mode, expand)).hits
                ]
                best = sorted(judged.values(), reverse=True)
                values["ndcg_at_10"] += gain(found) / gain(best) / 11
                values["mrr_at_10"] += next((1 / rank for rank, grade in enumerate(found, 1) if grade), 0) / 11
                values["precision_at_5"] += sum(grade > 0 for grade in found[:5]) / 5 / 11
            name = f"{mode}_expanded" if expand else mode
            for metric, value in values.items():
                assert numbers[name][metric]["value"] == pytest.approx(value, abs=1e-5), (name, metric)


def test_evaluation_with_reranker_adds_reranked_fusions(project: Path, tmp_path: Path) -> None:
    plain = read_json(project / "data/retrieval_evaluation/metrics.json")
    folder = tmp_path / "project"
    shutil.copytree(project, folder, ignore=shutil.ignore_patterns("retrieval_evaluation", "reranker"))
    write_reranker(folder / "data/reranker")
    numbers = run(retrieval_evaluation, folder)
    assert {name: node for name, node in numbers.items() if "reranked" not in name} == plain
    configs = [{row["config"] for row in table(one, "retrieval")} for one in (folder, project)]
    assert configs[0] - configs[1] == {"rrf_reranked", "weighted_reranked"}
    reranked, weighted = numbers["rrf_reranked"], numbers["weighted_reranked"]
    assert reranked["ndcg_at_10"] == weighted["ndcg_at_10"]  # the reranker reads all guides for both
    delta = reranked["ndcg_at_10"]["value"] - numbers["rrf"]["ndcg_at_10"]["value"]
    assert reranked["ndcg_at_10_delta_vs_rrf"]["value"] == pytest.approx(delta, abs=1e-6)


def gain(grades: list[int]) -> float:
    return sum((2**grade - 1) / math.log2(1 + rank) for rank, grade in enumerate(grades[:10], start=1))


def test_evaluation_table_equals_metrics(project: Path) -> None:
    numbers = read_json(project / "data/retrieval_evaluation/metrics.json")
    rows = table(project, "retrieval")
    assert len(rows) == 8 * 6
    for row in rows:
        for name, value in numbers[row["config"]][row["metric"]].items():
            assert float(row[name]) == pytest.approx(value, abs=1e-6)
        assert float(row["low"]) <= float(row["value"]) + 1e-6
        assert float(row["value"]) <= float(row["high"]) + 1e-6
        if row["config"] == "rrf":
            assert row["delta_vs_rrf"] == row["p_value"] == ""
        else:
            delta = float(row["value"]) - numbers["rrf"][row["metric"]]["value"]
            assert float(row["delta_vs_rrf"]) == pytest.approx(delta, abs=2e-6)
    for row in rows:
        if row["metric"] == "ndcg_at_10" and row["config"] != "rrf":
            system = numbers[row["config"]]
            delta = system["ndcg_at_10_delta_vs_rrf"]
            for name, column in (("value", "delta_vs_rrf"), ("low", "delta_low"), ("high", "delta_high")):
                assert delta[name] == pytest.approx(float(row[column]), abs=1e-6)
            assert system["ndcg_at_10_delta_vs_rrf_p_value"] == pytest.approx(float(row["p_value"]), abs=1e-6)


def test_evaluation_bands_count_every_query_once(project: Path) -> None:
    numbers = read_json(project / "data/retrieval_evaluation/metrics.json")
    rows = table(project, "bands")
    for config in {row["config"] for row in rows}:
        bands = [row for row in rows if row["config"] == config]
        assert [row["band"] for row in bands] == ["high", "medium", "low"]
        assert sum(int(row["queries"]) for row in bands) == numbers["queries"]
        correct = sum(int(row["queries"]) * float(row["accuracy"] or 0) for row in bands) / numbers["queries"]
        assert correct <= numbers[config]["mrr_at_10"]["value"] + 1e-5
    examples = read_rows(project / "data/retrieval_evaluation/examples.parquet")
    for row in examples:
        scores = [hit["score"] for hit in row["hits"]]
        assert scores == sorted(scores, reverse=True)
        if not row["config"].startswith("rrf"):
            assert row["confidence"] == pytest.approx((scores[0] - max(scores[1], 0)) / scores[0] if scores[1:] else 1)


def test_evaluation_examples_contain_relevance(project: Path) -> None:
    grades = {
        (row["query"], row["guide"]): row["relevance"] for row in read_rows(project / "data/validated/qrels.parquet")
    }
    rows = read_rows(project / "data/retrieval_evaluation/examples.parquet")
    assert len(rows) == 2 * 8  # queries times systems
    for row in rows:
        assert [hit["relevance"] for hit in row["hits"]] == [grades.get((row["id"], hit["id"])) for hit in row["hits"]]


def test_evaluation_same_index_gives_same_bytes(project: Path, tmp_path: Path) -> None:
    again(project, tmp_path / "project")
    assert contents(tmp_path / "project/data/retrieval_evaluation") == contents(project / "data/retrieval_evaluation")


@pytest.mark.parametrize("empty", [("qrels",), ("queries", "qrels"), ("guides", "queries", "qrels")])
def test_evaluation_without_queries_is_skipped(project: Path, tmp_path: Path, empty: tuple[str, ...]) -> None:
    folder = shutil.copytree(project, tmp_path / "project", ignore=shutil.ignore_patterns("retrieval_*", "index"))
    for name in empty:
        write_table(folder / f"data/validated/{name}.parquet", [], TABLES[name])
    run(index, folder)
    numbers = run(retrieval_evaluation, folder)
    assert numbers["queries"] == 0
    assert numbers["guides"] == (0 if "guides" in empty else 12)
    assert "none with a relevant guide" in skip_reason(folder / "data/retrieval_evaluation")
    assert table(folder, "retrieval") == table(folder, "bands") == []
    assert read_rows(folder / "data/retrieval_evaluation/examples.parquet") == []


def test_evaluation_incomplete_index_names_the_command(project: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(project, tmp_path / "project", ignore=shutil.ignore_patterns("retrieval_*"))
    (folder / "data/index/guides.parquet").unlink()
    with pytest.raises(StageError, match=r"guides\.parquet.*`dvc repro index`"):
        run(retrieval_evaluation, folder)


def test_evaluation_long_and_foreign_queries_are_evaluated(project: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(project, tmp_path / "project", ignore=shutil.ignore_patterns("retrieval_*", "index"))
    extend(folder, "guides", {"id": "shop:სკამი", "title": None, "text": "შეღებე სკამი"})
    long = "chair " + " ".join(f"word{number}" for number in range(9_999))
    extend(folder, "queries", {"id": "shop:q-long", "text": long}, {"id": "shop:წ", "text": "როგორ შევღებო სკამი"})
    judged = [{"query": "shop:q-long", "guide": "shop:g00"}, {"query": "shop:წ", "guide": "shop:სკამი"}]
    extend(folder, "qrels", *({**one, "relevance": 3} for one in judged))
    run(index, folder)
    params = folder / "params.yaml"
    asking_all = params.read_text().replace("queries: test", "queries: all").replace("examples: 2", "examples: 99")
    params.write_text(asking_all)
    assert run(retrieval_evaluation, folder)["queries"] == 13
    first = {
        row["id"]: row["hits"][0]["id"]
        for row in read_rows(folder / "data/retrieval_evaluation/examples.parquet")
        if row["config"] == "bm25"
    }
    assert (first["shop:q-long"], first["shop:წ"]) == ("shop:g00", "shop:სკამი")


def test_evaluation_judgements_of_unknown_ids(project: Path, tmp_path: Path) -> None:
    """Judgements of an unknown query change nothing; an unknown guide counts as relevant and is never found."""
    before = read_json(project / "data/retrieval_evaluation/metrics.json")
    folder = shutil.copytree(project, tmp_path / "project", ignore=shutil.ignore_patterns("retrieval_*"))
    extend(folder, "qrels", {"query": "shop:nobody", "guide": "shop:g00", "relevance": 3})
    assert run(retrieval_evaluation, folder) == before
    shutil.rmtree(folder / "data/retrieval_evaluation")
    asked = [row["id"] for row in read_rows(folder / "data/validated/queries.parquet")]
    extend(folder, "qrels", *({"query": query, "guide": "shop:nowhere", "relevance": 3} for query in asked))
    after = run(retrieval_evaluation, folder)
    assert after["rrf"]["recall_at_100"]["value"] < before["rrf"]["recall_at_100"]["value"] == 1
    assert (
        after["rrf"]["mrr_at_10"]["value"] >= before["rrf"]["mrr_at_10"]["value"] * before["queries"] / after["queries"]
    )


def test_evaluation_empty_query_is_named(project: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(project, tmp_path / "project", ignore=shutil.ignore_patterns("retrieval_*"))
    asked = next(row["id"] for row in read_rows(project / "data/retrieval_evaluation/examples.parquet"))
    rows = read_rows(folder / "data/validated/queries.parquet")
    blank = [row | {"text": " "} if row["id"] == asked else row for row in rows]
    write_table(folder / "data/validated/queries.parquet", blank, TABLES["queries"])
    with pytest.raises(StageError, match=rf"queries\.parquet: {asked}: the question is empty"):
        run(retrieval_evaluation, folder)


def extend(folder: Path, name: str, *rows: dict[str, Any]) -> None:
    """Add rows to a table."""
    path = folder / f"data/validated/{name}.parquet"
    write_table(path, [*read_rows(path), *rows], TABLES[name])
