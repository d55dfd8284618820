"""Answer a question from the guides: find them, read the best, answer, and say which ones these were.

Reads ``data/index``, ``data/reranker``, ``data/base_language`` and ``data/assistant``; needs no server.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from heddle.conversations.parameters import AssistantParameters
from heddle.core.errors import UserError
from heddle.core.parameters.section import load
from heddle.core.skipped import skip_reason
from heddle.core.stage import DATA
from heddle.inference.search import search_guides

if TYPE_CHECKING:
    from heddle.retrieval.confidence import Band
    from heddle.retrieval.retriever import GuideHit

TOKENIZER_FILE = "tokenizer.json"
"""Stands in the assistant's folder whatever else does: an adapter, or a model with the adapter merged in."""
UNSURE: "Band" = "low"
LEAST = 0.05
"""Share of the largest gain that the reranker must expect of the first guide.

The bands tell only how far it is ahead of the second: of twelve questions about anything but the shop eight came out
above the low band. Six of these score less than this, and so does one of 68 held-out questions (LOG.md).
"""


class AskError(UserError):
    """The question cannot be answered; the message says why and what to do."""


@dataclass(frozen=True)
class Reply:
    """What is said to a question.

    Attributes:
        text: the answer; None where no guide stands out clearly enough to answer from.
        cited: ids of the guides that the answer was written from, best first.
        guides: the best that were found.
        confidence: in the first of them, in [0, 1].
        band: that the confidence lies in; low as well where the reranker expects next to nothing of the first.
    """

    text: str | None
    cited: list[str]
    guides: list["GuideHit"]
    confidence: float
    band: "Band"


def ask(question: str, top: int = 5, data: Path = DATA) -> Reply:
    """Answer from the guides that come first for the question, reranked if there is a reranker.

    Args:
        question: in words.
        top: how many guides to show; the assistant reads as many as section `assistant` says.
        data: folder of the stages' outputs.

    Raises:
        AskError: there is no assistant, or the question is longer than it can read.
        SearchError: the question is empty, or there is no index.
        ParameterError: a section that this needs is wrong.
    """
    from heddle.retrieval.retriever import RetrievalConfig  # here, so that other commands start without it

    _check(data / "assistant")
    parameters = load("assistant", AssistantParameters, data.parent)
    way = RetrievalConfig(rerank=skip_reason(data / "reranker") is None)
    found = search_guides(question, way, max(top, parameters.num_context_documents), data)
    read = found.hits[: parameters.num_context_documents]
    unsure = not read or found.band == UNSURE or (way.rerank and read[0].score < LEAST)
    return Reply(
        text=None if unsure else _answer(question, read, parameters, data),
        cited=[] if unsure else [guide.id for guide in read],
        guides=found.hits[:top],
        confidence=found.confidence,
        band=UNSURE if unsure else found.band,
    )


def _check(folder: Path) -> None:
    if reason := skip_reason(folder):
        raise AskError(f"there is no assistant: {reason}; `heddle search --guides` finds guides without one")
    if not (folder / TOKENIZER_FILE).is_file():
        raise AskError(f"{folder} lacks {TOKENIZER_FILE}: run `heddle run` or `dvc repro assistant` first")


def _answer(question: str, read: Sequence["GuideHit"], parameters: AssistantParameters, data: Path) -> str:
    from heddle.conversations.conversations import with_guides  # torch takes seconds to import; errors do not
    from heddle.retrieval.guide_index import words_of
    from lightning_modules.assistant.assistant import Assistant
    from lightning_modules.assistant.chat import Message, shortened

    model = Assistant.from_pretrained(data / "assistant", os.cpu_count() or 1, data / "base_language")
    guides = [
        shortened(
            model.tokenizer, words_of({"title": guide.title, "text": guide.text}), parameters.context_document_tokens
        )
        for guide in read
    ]
    try:
        return model.answer(
            with_guides([Message(role="user", content=question)], guides), parameters.max_new_tokens
        ).strip()
    except ValueError as error:
        raise AskError(f"the question is too long ({error}): ask in fewer words") from error
