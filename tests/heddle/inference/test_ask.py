"""Ask: answers from the first guides, and replies without a confident answer."""

import shutil
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from assets.assistant.train.stage import assistant
from heddle.inference.ask import MIN_RERANKER_SCORE, AskError, SafetyNote, ask
from heddle.inference.search import SearchError, search_guides
from heddle.retrieval.config import RetrievalConfig
from heddle.retrieval.retriever import GuideHit, GuideSearchResult
from lightning_modules.assistant.assistant import Assistant
from tests.support.small_library import rewrite, without_guides, write_yaml
from tests.support.small_project import run

QUESTION = "the loose leg of any chair: glue it, or clamp it overnight?"


@pytest.fixture
def data(answering_project: Path, tmp_path: Path) -> Path:
    """A copy of the project whose confidence is never low."""
    folder = Path(shutil.copytree(answering_project, tmp_path / "project"))
    _set_bands(folder, medium=1e-9)
    return folder / "data"


def _set_bands(folder: Path, medium: float) -> None:
    path = folder / "params.yaml"
    bands = {"high": 0.999, "medium": medium}
    write_yaml(path, YAML(typ="safe").load(path) | {"retrieval": {"bands": bands}})


def test_ask_answers_from_first_guides_and_cites_them(data: Path) -> None:
    reply = ask(QUESTION, data=data)
    found = search_guides(QUESTION, RetrievalConfig(), 5, data)
    assert reply.guides == found.hits
    assert (reply.confidence, reply.band) == (found.confidence, found.band)
    assert reply.cited == [guide.id for guide in found.hits[:2]]  # as section `assistant` of the small library says
    model = Assistant.from_pretrained(data / "assistant", 1, data / "base_language")
    shown = [f"{guide.title}\n{guide.text}" for guide in found.hits[:2]]
    messages = [{"role": "user", "content": "\n\n".join([*shown, QUESTION])}]
    assert reply.answer == model.answer(messages, 6).strip()


def test_ask_top_k_changes_guides_but_not_answer(data: Path) -> None:
    few, many = ask(QUESTION, 1, data), ask(QUESTION, 4, data)
    assert (len(few.guides), len(many.guides)) == (1, 4)
    assert (few.answer, few.cited) == (many.answer, many.cited)


def test_ask_low_confidence_gives_guides_without_answer(data: Path) -> None:
    _set_bands(data.parent, medium=0.99)
    reply = ask(QUESTION, data=data)
    assert (reply.answer, reply.cited, reply.band) == (None, [], "low")
    assert reply.guides == search_guides(QUESTION, RetrievalConfig(), 5, data).hits


@pytest.mark.parametrize(("score", "answered"), [(MIN_RERANKER_SCORE - 0.001, False), (MIN_RERANKER_SCORE, True)])
def test_ask_low_reranker_score_gives_no_answer(
    data: Path, monkeypatch: pytest.MonkeyPatch, score: float, answered: bool
) -> None:
    (data / "reranker/skipped.json").unlink()
    hits = [GuideHit(f"guide:{number}", "", "Glue the loose leg.", score / (number + 1)) for number in range(2)]
    monkeypatch.setattr("heddle.inference.ask.search_guides", lambda *_: GuideSearchResult(hits, 0.5, "high"))
    reply = ask(QUESTION, data=data)
    assert (reply.answer is not None, reply.band) == (answered, "high" if answered else "low")
    assert reply.guides == hits


def test_ask_safety_sentences_of_cited_guides_come_with_the_answer(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["Glue it. Wear gloves! Mind sharp edges.", "Wear gloves! Achtung, heiß.", "Never burn it."]
    hits = [GuideHit(f"guide:{number}", "", text, 1 / (number + 1)) for number, text in enumerate(texts)]
    found = GuideSearchResult(hits, 0.9, "high")
    monkeypatch.setattr("heddle.inference.ask.search_guides", lambda *_: found)
    reply = ask(QUESTION, data=data)
    assert reply.cited == ["guide:0", "guide:1"]
    assert reply.safety == [
        SafetyNote("guide:0", "Wear gloves!"),
        SafetyNote("guide:0", "Mind sharp edges."),
        SafetyNote("guide:1", "Achtung, heiß."),
    ]


def test_ask_without_an_answer_has_no_safety_sentences(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hits = [GuideHit("guide:0", "", "Wear gloves!", 0.5)]
    monkeypatch.setattr("heddle.inference.ask.search_guides", lambda *_: GuideSearchResult(hits, 0.0, "low"))
    assert ask(QUESTION, data=data).safety == []


@pytest.mark.parametrize("question", ["🤔🤔", "?!", "— … —", "❤️", "\u0301"])
def test_ask_and_search_refuse_texts_without_words(data: Path, question: str) -> None:
    for answer in (lambda: ask(question, data=data), lambda: search_guides(question, RetrievalConfig(), 5, data)):
        with pytest.raises(SearchError, match="contains no word: write a question or some keywords"):
            answer()


@pytest.mark.parametrize("question", ["椅", "стул", "كرسي", "7", "ஒ", "🤔 chair"])
def test_search_accepts_words_of_any_script(data: Path, question: str) -> None:
    assert search_guides(question, RetrievalConfig(), 5, data).band


def test_ask_without_guides_gives_no_answer(data: Path) -> None:
    without_guides(data.parent)
    reply = ask(QUESTION, data=data)
    assert (reply.answer, reply.guides, reply.band) == (None, [], "low")


def test_ask_invalid_input_is_refused(data: Path, tmp_path: Path) -> None:
    with pytest.raises(SearchError, match="the question is empty: write a question"):
        ask("  ", data=data)
    with pytest.raises(AskError, match=r"the question is too long .*shorten it"):
        ask("why " * 10_000, data=data)
    with pytest.raises(AskError, match=r"assistant lacks tokenizer\.json: run `heddle run` or `dvc repro assistant`"):
        ask(QUESTION, data=tmp_path)


def test_ask_skipped_assistant_names_the_reason(data: Path) -> None:
    shutil.rmtree(data / "assistant")
    rewrite(data.parent, "conversations", [])
    run(assistant, data.parent)
    with pytest.raises(AskError, match=r"there is no assistant: .*add conversations; `heddle search --in guides`"):
        ask(QUESTION, data=data)
