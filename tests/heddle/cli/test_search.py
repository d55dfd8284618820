"""`heddle search` on the console: listings and guides, tables and JSON, one readable line for what can be mended."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from assets.index.stage import index
from heddle.cli.commands import main
from heddle.core.schemas import TABLES, write_table
from heddle.core.skipped import write_skipped
from heddle.retrieval.config import RetrievalConfig
from heddle.retrieval.guide_index import write_empty_guide_index
from heddle.retrieval.retriever import Retriever
from tests.support.small_project import HOSTILE, run, write_project

GUIDES = [
    {"id": "shop:g1", "title": "Mend a chair", "text": "Glue the leg of the chair, then clamp it for a day."},
    {"id": "shop:g2", "title": None, "text": "Empty bottles go into the bin for glass." + " Rinse them." * 40},
    {"id": "shop:g4", "title": "სკამი", "text": "შეღებე სკამი და გააშრე."},
    {"id": "shop:g3", "title": "[bold]Markup[/bold]", "text": HOSTILE},
]


GUIDE_MODES = [["--guides", *mode] for mode in ([], ["--dense"], ["--sparse"], ["--expand"])]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_project(tmp_path_factory.mktemp("searching") / "project")
    write_table(folder / "data/validated/guides.parquet", GUIDES, TABLES["guides"])
    run(index, folder)
    shutil.rmtree(folder / "data/reranker")
    (folder / "data/reranker").mkdir()
    write_skipped(folder / "data/reranker", "too few queries")
    return folder


@pytest.fixture
def heddle(project: Path, monkeypatch: pytest.MonkeyPatch):
    def invoke(*arguments: str) -> tuple[int, str]:
        monkeypatch.chdir(project)
        result = CliRunner().invoke(main, ["search", *arguments])
        return result.exit_code, result.output

    return invoke


def test_guides_are_shown_with_the_confidence_in_the_first(heddle) -> None:
    code, output = heddle("my chair is broken", "--guides", "--top", "1")
    assert code == 0
    lines = output.splitlines()
    assert "shop:g1" in lines[1]
    assert "Mend a chair: Glue the leg" in " ".join(output.split())
    assert "shop:g2" not in output
    assert "shop:g3" not in output
    assert lines[-1].startswith("Confidence in the first: ")


@pytest.mark.parametrize(
    ("options", "way"),
    [
        ([], RetrievalConfig("rrf")),
        (["--hybrid"], RetrievalConfig("rrf")),
        (["--dense"], RetrievalConfig("dense")),
        (["--sparse"], RetrievalConfig("sparse")),
        (["--sparse", "--expand"], RetrievalConfig("sparse", expand=True)),
    ],
)
def test_json_tells_what_the_retriever_found(heddle, project: Path, options: list[str], way: RetrievalConfig) -> None:
    code, output = heddle("glass bottles", "--guides", "--json", *options)
    assert code == 0
    answer = Retriever.open(project / "data").search("glass bottles", way)
    found = [json.loads(line) for line in output.splitlines()]
    assert [(hit["id"], hit["title"], hit["text"]) for hit in found] == [
        (hit.id, hit.title, hit.text) for hit in answer.hits
    ]
    assert [hit["score"] for hit in found] == pytest.approx([hit.score for hit in answer.hits])
    assert [hit["confidence"] for hit in found] == pytest.approx([answer.confidence] * len(found))
    assert {hit["band"] for hit in found} == {answer.band}


def test_parameters_have_their_say(heddle, project: Path) -> None:
    params = (project / "params.yaml").read_text()
    (project / "params.yaml").write_text(params + "retrieval: {rank_constant: 0}\n")
    try:
        scores = [json.loads(line)["score"] for line in heddle("chair", "--guides", "--json")[1].splitlines()]
        (project / "params.yaml").write_text(params + "retrieval: {rank_constnat: 0}\n")
        code, output = heddle("chair", "--guides")
    finally:
        (project / "params.yaml").write_text(params)
    assert scores[0] == 2.0  # first in both rankings: 1 / 1 + 1 / 1
    assert (code, "rank_constnat: unknown key; allowed: bands, dense_weight" in output) == (1, True)


def test_what_a_guide_says_is_no_markup_of_ours(heddle) -> None:
    assert "[bold]Markup[/bold]" in heddle("markup", "--guides", "--sparse")[1]


def test_nothing_found_is_said(heddle) -> None:
    assert heddle("zeppelin", "--guides", "--sparse") == (0, "Nothing matches.\n")


@pytest.mark.parametrize("options", GUIDE_MODES)
def test_a_question_in_another_script_is_answered(heddle, options: list[str]) -> None:
    code, output = heddle("როგორ შევღებო სკამი", "--json", *options)
    assert code == 0
    assert "shop:g4" in [json.loads(line)["id"] for line in output.splitlines()]


@pytest.mark.parametrize("options", GUIDE_MODES)
def test_without_guides_nothing_matches(heddle, project: Path, tmp_path: Path, options: list[str]) -> None:
    moved = (project / "data/index").rename(tmp_path / "index")
    (project / "data/index").mkdir()
    write_empty_guide_index(project / "data/index")
    try:
        code, output = heddle("chair", *options)
    finally:
        shutil.rmtree(project / "data/index")
        moved.rename(project / "data/index")
    assert (code, output) == (0, "Nothing matches.\n")


@pytest.mark.parametrize("options", GUIDE_MODES)
@pytest.mark.parametrize("query", ["", " \t"])
def test_an_empty_question_is_refused_in_every_mode(heddle, query: str, options: list[str]) -> None:
    assert heddle(query, *options) == (1, "heddle: the question is empty: give some words\n")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["chair", "--guides", "--words"], 2, "--words is about listings; guides have --sparse"),
        (["chair", "--dense"], 2, "go with --guides"),
        (["chair", "--expand"], 2, "go with --guides"),
        (["chair", "--rerank"], 2, "go with --guides"),
        (
            ["chair", "--guides", "--rerank"],
            1,
            "heddle: there is no reranker: too few queries; without --rerank guides are found",
        ),
    ],
)
def test_mistakes_are_told_in_a_line(heddle, arguments: list[str], code: int, said: str) -> None:
    found, output = heddle(*arguments)
    assert found == code
    assert said in output


def test_without_an_index_the_remedy_is_named(heddle, project: Path, tmp_path: Path) -> None:
    moved = (project / "data/index").rename(tmp_path / "index")
    try:
        code, output = heddle("chair", "--guides")
    finally:
        moved.rename(project / "data/index")
    assert (code, "run `heddle run` or `dvc repro index`" in output) == (1, True)


@pytest.mark.parametrize("options", [*GUIDE_MODES, [], ["--words"]])
def test_ten_thousand_words_are_a_question_too(heddle, options: list[str]) -> None:
    code, output = heddle(" ".join(["oak chair"] * 5000), "--json", *options)
    assert code == 0
    assert output.splitlines()


def test_listings_are_found_as_before(heddle) -> None:
    code, output = heddle("glass jars", "--words", "--json")
    assert code == 0
    assert {json.loads(line)["item"] for line in output.splitlines()} >= {"jar"}
    assert "score" in heddle("a chair of oak")[1]
