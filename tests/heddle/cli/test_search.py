"""`heddle search` on the console: listings and guides, tables and JSON, one-line errors."""

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


GUIDES_OPTIONS = ["--in", "guides"]
GUIDE_MODES = [[*GUIDES_OPTIONS, *mode] for mode in ([], ["--mode", "dense"], ["--mode", "bm25"], ["--expand"])]


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


def test_search_guides_prints_confidence_in_first(heddle) -> None:
    code, output = heddle("my chair is broken", *GUIDES_OPTIONS, "-k", "1")
    assert code == 0
    lines = output.splitlines()
    assert "shop:g1" in lines[1]
    assert "Mend a chair: Glue the leg" in " ".join(output.split())
    assert "shop:g2" not in output
    assert "shop:g3" not in output
    assert lines[-1].startswith("Confidence in the first guide: ")


@pytest.mark.parametrize(
    ("options", "config"),
    [
        ([], RetrievalConfig("rrf")),
        (["--mode", "hybrid"], RetrievalConfig("rrf")),
        (["--mode", "dense"], RetrievalConfig("dense")),
        (["--mode", "bm25"], RetrievalConfig("bm25")),
        (["--mode", "bm25", "--expand"], RetrievalConfig("bm25", expand=True)),
    ],
)
def test_search_guides_json_equals_retriever(
    heddle, project: Path, options: list[str], config: RetrievalConfig
) -> None:
    code, output = heddle("glass bottles", *GUIDES_OPTIONS, "--json", *options)
    assert code == 0
    answer = Retriever.open(project / "data").search("glass bottles", config)
    found = [json.loads(line) for line in output.splitlines()]
    assert [(hit["id"], hit["title"], hit["text"]) for hit in found] == [
        (hit.id, hit.title, hit.text) for hit in answer.hits
    ]
    assert [hit["score"] for hit in found] == pytest.approx([hit.score for hit in answer.hits])
    assert [hit["confidence"] for hit in found] == pytest.approx([answer.confidence] * len(found))
    assert {hit["band"] for hit in found} == {answer.band}


def test_search_guides_reads_retrieval_parameters(heddle, project: Path) -> None:
    params = (project / "params.yaml").read_text()
    (project / "params.yaml").write_text(params + "retrieval: {rank_constant: 0}\n")
    try:
        scores = [json.loads(line)["score"] for line in heddle("chair", *GUIDES_OPTIONS, "--json")[1].splitlines()]
        (project / "params.yaml").write_text(params + "retrieval: {rank_constnat: 0}\n")
        code, output = heddle("chair", *GUIDES_OPTIONS)
    finally:
        (project / "params.yaml").write_text(params)
    assert scores[0] == 2.0  # first in both rankings: 1 / 1 + 1 / 1
    assert (code, "rank_constnat: unknown key; allowed: bands, dense_weight" in output) == (1, True)


def test_search_guides_escapes_markup(heddle) -> None:
    assert "[bold]Markup[/bold]" in heddle("markup", *GUIDES_OPTIONS, "--mode", "bm25")[1]


def test_search_without_hits_prints_no_hits(heddle) -> None:
    assert heddle("zeppelin", *GUIDES_OPTIONS, "--mode", "bm25") == (0, "No hits.\n")


@pytest.mark.parametrize("options", GUIDE_MODES)
def test_search_other_script_finds_guide(heddle, options: list[str]) -> None:
    code, output = heddle("როგორ შევღებო სკამი", "--json", *options)
    assert code == 0
    assert "shop:g4" in [json.loads(line)["id"] for line in output.splitlines()]


@pytest.mark.parametrize("options", GUIDE_MODES)
def test_search_empty_guide_index_prints_no_hits(heddle, project: Path, tmp_path: Path, options: list[str]) -> None:
    moved = (project / "data/index").rename(tmp_path / "index")
    (project / "data/index").mkdir()
    write_empty_guide_index(project / "data/index")
    try:
        code, output = heddle("chair", *options)
    finally:
        shutil.rmtree(project / "data/index")
        moved.rename(project / "data/index")
    assert (code, output) == (0, "No hits.\n")


@pytest.mark.parametrize("options", GUIDE_MODES)
@pytest.mark.parametrize("query", ["", " \t"])
def test_search_empty_query_is_refused_in_every_mode(heddle, query: str, options: list[str]) -> None:
    assert heddle(query, *options) == (1, "heddle: the question is empty: write a question or some keywords\n")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["chair", "--mode", "hybrid"], 2, "--mode hybrid requires `--in guides`"),
        (["chair", "--expand"], 2, "--expand requires `--in guides`"),
        (["chair", "--rerank"], 2, "--rerank requires `--in guides`"),
        (["chair", "--mode", "sparse"], 2, "'sparse' is not one of 'hybrid', 'dense', 'bm25'"),
        (
            ["chair", *GUIDES_OPTIONS, "--rerank"],
            1,
            "heddle: there is no reranker: too few queries; search without `--rerank`",
        ),
    ],
)
def test_search_invalid_options_are_one_line_errors(heddle, arguments: list[str], code: int, message: str) -> None:
    found, output = heddle(*arguments)
    assert found == code
    assert message in output


def test_search_without_index_names_the_command(heddle, project: Path, tmp_path: Path) -> None:
    moved = (project / "data/index").rename(tmp_path / "index")
    try:
        code, output = heddle("chair", *GUIDES_OPTIONS)
    finally:
        moved.rename(project / "data/index")
    assert (code, "run `heddle run` or `dvc repro index`" in output) == (1, True)


@pytest.mark.parametrize("options", [*GUIDE_MODES, [], ["--mode", "bm25"]])
def test_search_ten_thousand_words_finds_hits(heddle, options: list[str]) -> None:
    code, output = heddle(" ".join(["oak chair"] * 5000), "--json", *options)
    assert code == 0
    assert output.splitlines()


def test_search_listings_in_both_modes(heddle) -> None:
    code, output = heddle("glass jars", "--mode", "bm25", "--json")
    assert code == 0
    assert {json.loads(line)["item"] for line in output.splitlines()} >= {"jar"}
    assert "score" in heddle("a chair of oak")[1]
