"""Text from listings, guides and models is printed by each command without markup and control characters."""

import io
import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from heddle.cli import ask, classify, quarantine, recommend, search
from heddle.cli.commands import main
from heddle.core.schemas import QUARANTINE
from heddle.core.stage import Stage
from heddle.core.terminal import PipeConsole
from heddle.inference.ask import Reply, SafetyNote
from heddle.inference.classify import Classification
from heddle.inference.recommend import QueryNode, Recommendation, Recommendations
from heddle.inference.search import ListingHit
from heddle.recommendation.relations import RecommendedEdge
from heddle.retrieval.config import RetrievalConfig
from heddle.retrieval.retriever import GuideHit, GuideSearchResult

ATTACKS = ("x [/b] y", "[oak]", "[link=http://x.test]", "\x1b[31mred", "a\u202eb", "\x9b2J", "a\u2028b", ":cat:", "\\")
TEXTS = st.lists(st.one_of(st.text(max_size=12), st.sampled_from(ATTACKS)), max_size=4).map("".join)


def _print_listings(patch: pytest.MonkeyPatch, text: str, **options: Any) -> None:
    hits = [ListingHit(0.5, text, text, text, text, text, 1.0)]
    patch.setattr(search, "search_listings", lambda **_: hits)
    search.print_listings("chair", 1, "bm25", **options)


def _print_guides(patch: pytest.MonkeyPatch, text: str, **options: Any) -> None:
    result = GuideSearchResult([GuideHit(text, text, text, 0.5)], 0.5, "high")
    patch.setattr(search, "search_guides", lambda *_: result)
    search.print_guides("chair", 1, RetrievalConfig(), **options)


def _print_answer(patch: pytest.MonkeyPatch, text: str, **options: Any) -> None:
    reply = Reply(text, [SafetyNote(text, text)], [text], [GuideHit(text, text, text, 0.5)], 0.5, "high")
    patch.setattr(ask, "ask", lambda *_: reply)
    ask.print_answer("chair?", 1, **options)


def _print_classification(patch: pytest.MonkeyPatch, text: str, **options: Any) -> None:
    found = Classification({"vision": {"item": {text: 0.5}}}, (text,), {text: text})
    patch.setattr(classify, "classify", lambda *_: found)
    classify.print_classification(Path("a.png"), None, 1, **options)


def _print_recommendations(patch: pytest.MonkeyPatch, text: str, **options: Any) -> None:
    edge = RecommendedEdge(text, text, text)
    hit = Recommendation(text, text, text, (edge,), 0.7, 1.0, (text,))
    found = Recommendations((QueryNode(text, text, text, 0.5),), (hit,))
    patch.setattr(recommend, "recommend", lambda *_: found)
    recommend.print_recommendations("chair", 1, **options)


def _show_reasons(patch: pytest.MonkeyPatch, text: str, **options: Any) -> None:
    patch.setattr(quarantine, "_rows", lambda _: [dict.fromkeys(QUARANTINE.names, text)])
    quarantine.show_quarantine(Path(), (), None, **options)


def _show_record(patch: pytest.MonkeyPatch, text: str, **options: Any) -> None:
    patch.setattr(quarantine, "_rows", lambda _: [dict.fromkeys(QUARANTINE.names, text)])
    quarantine.show_quarantine(Path(), (text,), None, **options)


PRINTERS = {
    function.__name__.strip("_"): function
    for function in (
        *(_print_listings, _print_guides, _print_answer, _print_classification, _print_recommendations),
        *(_show_reasons, _show_record),
    )
}


def _output(name: str, text: str, *, as_json: bool) -> str:
    file = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdout", file)
        PRINTERS[name](patch, text, as_json=as_json, console=PipeConsole(file=file))
    return file.getvalue()


def _hidden(text: str) -> set[str]:
    categories = {"Cc", "Cf", "Zl", "Zp"}
    return {each for each in text if unicodedata.category(each) in categories} - set("\n\t\u200c\u200d")


@pytest.mark.parametrize("name", PRINTERS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=TEXTS)
def test_tables_print_brackets_and_no_control_character(name: str, text: str) -> None:
    output = _output(name, text, as_json=False)
    assert not _hidden(output)
    kept = [character for character in "[]/:" if character in text]
    assert all(output.count(character) >= text.count(character) for character in kept)


@pytest.mark.parametrize("name", PRINTERS)
@pytest.mark.parametrize("text", ["x [/b] y", "[oak]", ":cat:", "[link=http://x.test]\\"])
def test_tables_print_markup_literally(name: str, text: str) -> None:
    assert text in _output(name, text, as_json=False)


@pytest.mark.parametrize("name", [name for name in PRINTERS if name != "print_answer"])
def test_line_break_in_a_text_adds_no_line(name: str) -> None:
    output = _output(name, "oak\n[catalog] 9/9 done\r0.999  shop:1", as_json=False)
    assert len(output.split("\n")) == len(_output(name, "oak", as_json=False).split("\n"))
    assert not any(line.startswith(("[catalog]", "0.999")) for line in output.split("\n"))


@pytest.mark.parametrize("name", PRINTERS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=TEXTS)
def test_json_lines_are_lossless_without_control_characters(name: str, text: str) -> None:
    output = _output(name, text, as_json=True)
    assert not _hidden(output)
    (line,) = output.removesuffix("\n").split("\n")
    assert text in _strings(json.loads(line))


@pytest.mark.parametrize("name", PRINTERS)
def test_piped_ids_stay_on_one_line(name: str) -> None:
    long = "shop:" + "x" * 150  # the table of guides shortens texts of more than 200 characters
    assert long in _output(name, long, as_json=False)


def _strings(content: Any) -> set[str]:
    if isinstance(content, dict):
        return {each for pair in content.items() for value in pair for each in _strings(value)}
    if isinstance(content, list):
        return {each for value in content for each in _strings(value)}
    return {content} if isinstance(content, str) else set()


def test_errors_and_remarks_print_no_control_character(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for arguments in (["classify", "[b]\x1b[31m\u202e.png"], ["search", "[b]\x1b[31m\u202e.png"]):
        result = CliRunner().invoke(main, arguments)
        assert (result.exit_code, result.output) == (1, "heddle: [b]\\x1b[31m\\u202e.png: no such file\n")


def test_stage_progress_prints_no_control_character(capsys: pytest.CaptureFixture[str]) -> None:
    Stage("catalog", Path()).progress("[b]\x1b[31m\u202e\n[catalog] 2/2", 1, 2)
    assert capsys.readouterr().out == "[catalog] 1/2 [b]\\x1b[31m\\u202e\\n[catalog] 2/2\n"


@pytest.mark.parametrize("words", [[], *([name] for name in main.commands), ["quarantine", "show"]], ids=" ".join)
def test_help_of_each_command_lists_exit_codes(words: list[str]) -> None:
    result = CliRunner().invoke(main, [*words, "--help"], terminal_width=200)
    assert "Exit code 0: success. 1: an error. 2: an invalid option or argument." in result.output
