"""Answer a question from the guides: retrieve guides, generate an answer from the best ones, and cite them.

Reads ``data/index``, ``data/reranker``, ``data/base_language`` and ``data/assistant``; needs no server.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from heddle.conversations.parameters import AssistantParameters
from heddle.core.errors import UserError, naming
from heddle.core.parameters.section import load
from heddle.core.skipped import skip_reason
from heddle.core.stage import DATA
from heddle.inference.safety import find_safety_sentences
from heddle.inference.search import search_guides

if TYPE_CHECKING:
    from heddle.retrieval.confidence import Band
    from heddle.retrieval.retriever import GuideHit, GuideSearchResult

TOKENIZER_FILE = "tokenizer.json"
"""In the folder of every assistant, whether it contains an adapter or a merged model."""
LOW: "Band" = "low"
MIN_RERANKER_SCORE = 0.05
"""Smallest score of the reranker for the first guide, as a share of the largest gain, that is answered from.

The confidence only compares the first guide with the second. Of twelve questions that have nothing to do with the shop,
eight had a confidence above the low band. Six of these eight score less than this, as does one of 68 held-out questions
(docs/experiments/assistant.md).
"""


class AskError(UserError):
    """The question cannot be answered; the message contains the reason and what to do."""


@dataclass(frozen=True)
class SafetyNote:
    """A safety sentence of a guide, word for word.

    Attributes:
        guide: id of the guide.
        text: the sentence.
    """

    guide: str
    text: str


@dataclass(frozen=True)
class Reply:
    """The answer to a question.

    Attributes:
        answer: None if the confidence is too low.
        safety: safety sentences of the cited guides, each once, whether the answer repeats them or not.
        cited: ids of the guides that the answer was generated from, best first.
        guides: the best guides, best first.
        confidence: in the first guide, in [0, 1].
        band: of the confidence; also low if the reranker scores the first guide below MIN_RERANKER_SCORE.
    """

    answer: str | None
    safety: list[SafetyNote]
    cited: list[str]
    guides: list["GuideHit"]
    confidence: float
    band: "Band"


def ask(question: str, top_k: int = 5, data: Path = DATA) -> Reply:
    """Answer a question from the best guides for it, which are reranked if there is a reranker.

    Args:
        question: to answer.
        top_k: number of guides in the reply. Section `assistant` sets how many the answer is generated from.
        data: folder with the outputs of the stages.

    Raises:
        AskError: there is no assistant, or the question is longer than its context.
        SearchError: the question contains no word, or the index is missing.
        ParameterError: a section of the parameters is invalid.
    """
    from heddle.retrieval.config import RetrievalConfig

    _check_assistant(data / "assistant")
    parameters = load("assistant", AssistantParameters, data.parent)
    config = RetrievalConfig(rerank=skip_reason(data / "reranker") is None)
    found = search_guides(question, config, max(top_k, parameters.num_context_documents), data)
    context = found.hits[: parameters.num_context_documents]
    if not _is_confident(found, config.rerank):
        return Reply(None, [], [], found.hits[:top_k], found.confidence, LOW)
    answer = _generate(question, context, parameters, data)
    cited = [guide.id for guide in context]
    return Reply(answer, _safety_notes(context), cited, found.hits[:top_k], found.confidence, found.band)


def _safety_notes(guides: Sequence["GuideHit"]) -> list[SafetyNote]:
    notes: dict[str, SafetyNote] = {}
    for guide in guides:
        for sentence in find_safety_sentences(guide.text):
            notes.setdefault(sentence, SafetyNote(guide.id, sentence))
    return list(notes.values())


def _is_confident(found: "GuideSearchResult", reranked: bool) -> bool:
    if not found.hits or found.band == LOW:
        return False
    return not reranked or found.hits[0].score >= MIN_RERANKER_SCORE


def _check_assistant(folder: Path) -> None:
    if reason := skip_reason(folder):
        raise AskError(f"there is no assistant: {reason}; `heddle search --in guides` works without one")
    if not (folder / TOKENIZER_FILE).is_file():
        raise AskError(f"{folder} lacks {TOKENIZER_FILE}: run `heddle run` or `dvc repro assistant` first")


def _generate(question: str, context: Sequence["GuideHit"], parameters: AssistantParameters, data: Path) -> str:
    # Imported here, as torch takes seconds to import and errors should not take as long.
    from heddle.conversations.conversations import with_guides
    from heddle.retrieval.guide_index import guide_text
    from lightning_modules.assistant.assistant import Assistant
    from lightning_modules.assistant.chat import Message, truncate_text

    with naming(data / "assistant"):
        model = Assistant.from_pretrained(data / "assistant", os.cpu_count() or 1, data / "base_language")
    guides = [
        truncate_text(
            model.tokenizer, guide_text({"title": guide.title, "text": guide.text}), parameters.context_document_tokens
        )
        for guide in context
    ]
    messages = with_guides([Message(role="user", content=question)], guides)
    try:
        return model.answer(messages, parameters.max_new_tokens).strip()
    except ValueError as error:
        raise AskError(f"the question is too long ({error}): shorten it") from error
