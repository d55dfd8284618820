"""Ask: what the assistant says behind the guide that retrieval finds first, or that nobody knows."""

import shutil
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from assets.assistant.train.stage import assistant
from heddle.inference.ask import LEAST, AskError, ask
from heddle.inference.search import SearchError, search_guides
from heddle.retrieval.config import RetrievalConfig
from heddle.retrieval.retriever import GuideHit, GuideSearchResult
from lightning_modules.assistant.assistant import Assistant
from tests.support.small_library import rewrite, without_guides, write_yaml
from tests.support.small_project import run

QUESTION = "the loose leg of any chair: glue it, or clamp it overnight?"


@pytest.fixture
def data(answering_project: Path, tmp_path: Path) -> Path:
    """A copy that is never unsure."""
    folder = Path(shutil.copytree(answering_project, tmp_path / "project"))
    _set_bands(folder, medium=1e-9)
    return folder / "data"


def _set_bands(folder: Path, medium: float) -> None:
    path = folder / "params.yaml"
    bands = {"high": 0.999, "medium": medium}
    write_yaml(path, YAML(typ="safe").load(path) | {"retrieval": {"bands": bands}})


def test_the_answer_is_the_assistants_behind_the_first_guides_which_are_cited(data: Path) -> None:
    reply = ask(QUESTION, data=data)
    found = search_guides(QUESTION, RetrievalConfig(), 5, data)
    assert reply.guides == found.hits
    assert (reply.confidence, reply.band) == (found.confidence, found.band)
    assert reply.cited == [guide.id for guide in found.hits[:2]]  # as section `assistant` of the small library says
    model = Assistant.from_pretrained(data / "assistant", 1, data / "base_language")
    shown = [f"{guide.title}\n{guide.text}" for guide in found.hits[:2]]
    asked = [{"role": "user", "content": "\n\n".join([*shown, QUESTION])}]
    assert reply.text == model.answer(asked, 6).strip()


def test_guides_shown_are_as_many_as_asked_for_and_those_read_do_not_depend_on_it(data: Path) -> None:
    few, many = ask(QUESTION, 1, data), ask(QUESTION, 4, data)
    assert (len(few.guides), len(many.guides)) == (1, 4)
    assert (few.text, few.cited) == (many.text, many.cited)


def test_where_no_guide_stands_out_nothing_is_said_and_the_best_guides_are_shown(data: Path) -> None:
    _set_bands(data.parent, medium=0.99)
    reply = ask(QUESTION, data=data)
    assert (reply.text, reply.cited, reply.band) == (None, [], "low")
    assert reply.guides == search_guides(QUESTION, RetrievalConfig(), 5, data).hits


@pytest.mark.parametrize(("score", "answered"), [(LEAST - 0.001, False), (LEAST, True)])
def test_what_the_reranker_expects_nothing_of_is_not_answered_from(
    data: Path, monkeypatch: pytest.MonkeyPatch, score: float, answered: bool
) -> None:
    (data / "reranker/skipped.json").unlink()
    hits = [GuideHit(f"guide:{place}", "", "Glue the loose leg.", score / (place + 1)) for place in range(2)]
    monkeypatch.setattr("heddle.inference.ask.search_guides", lambda *_: GuideSearchResult(hits, 0.5, "high"))
    reply = ask(QUESTION, data=data)
    assert (reply.text is not None, reply.band) == (answered, "high" if answered else "low")
    assert reply.guides == hits


def test_without_guides_nothing_is_said(data: Path) -> None:
    without_guides(data.parent)
    reply = ask(QUESTION, data=data)
    assert (reply.text, reply.guides, reply.band) == (None, [], "low")


def test_mistakes_are_told(data: Path, tmp_path: Path) -> None:
    with pytest.raises(SearchError, match="the question is empty: give some words"):
        ask("  ", data=data)
    with pytest.raises(AskError, match=r"the question is too long .*ask in fewer words"):
        ask("why " * 10_000, data=data)
    with pytest.raises(AskError, match=r"assistant lacks tokenizer\.json: run `heddle run` or `dvc repro assistant`"):
        ask(QUESTION, data=tmp_path)


def test_an_assistant_that_could_not_be_trained_says_why(data: Path) -> None:
    shutil.rmtree(data / "assistant")
    rewrite(data.parent, "conversations", [])
    run(assistant, data.parent)
    with pytest.raises(AskError, match=r"there is no assistant: .*bring more conversations; `heddle search --guides`"):
        ask(QUESTION, data=data)
