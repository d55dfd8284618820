"""`heddle recommend` on the console: a table, JSON, and one readable line for what a person can mend."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from heddle.cli.commands import main
from tests.support.small_graph import NO_GRAPH
from tests.support.small_project import write_project


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_project(tmp_path_factory.mktemp("recommending") / "project")


def _heddle(project: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[int, str]:
    monkeypatch.chdir(project)
    result = CliRunner().invoke(main, ["recommend", *arguments])
    return result.exit_code, result.output


def test_recommend_prints_query_and_sorted_table(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, output = _heddle(project, monkeypatch, "chair", "-k", "3")
    assert code == 0
    assert output.startswith("For item chair:")
    rows = [row for row in output.splitlines()[2:] if row.split()[0][0].isdigit()]
    assert [row.split()[1] for row in rows] == ["product"] * 3
    probabilities = [float(row.split()[0]) for row in rows]
    assert probabilities == sorted(probabilities, reverse=True)
    assert all(0 <= probability <= 1 for probability in probabilities)
    assert output.split().count("becomes") == 3


def test_recommend_json_is_one_object(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, output = _heddle(project, monkeypatch, "chair", "-k", "2", "--json")
    assert code == 0
    found = json.loads(output)
    assert found["query_nodes"] == [{"id": "shop:item:chair", "type": "item", "text": "chair", "similarity": None}]
    assert [set(hit) for hit in found["hits"]] == [
        {"id", "type", "text", "edges", "probability", "score", "shared"}
    ] * 2
    for hit in found["hits"]:
        assert hit["edges"] == [{"source": "chair", "relation": "becomes", "target": hit["text"]}]


def test_recommend_without_model_prints_the_reason(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = project.parent / "bare"
    write_project(bare, bare=True)
    code, output = _heddle(bare, monkeypatch, "chair")
    assert (code, output) == (1, f"heddle: there is no recommender: {NO_GRAPH}\n")
