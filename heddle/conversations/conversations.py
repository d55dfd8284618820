"""Conversations and the guides that their answers were written from.

The id of a conversation determines its split, as for listings. Training reads no question and no answer of the
validation and test splits. All splits share the guides, which the assistant also has when it answers users. A held-out
answer may therefore quote sentences of a guide that answers of the train split quote, too. New in it are the question
and the choice of the sentences.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from heddle.core.parameters.shared import Split
from heddle.core.schemas import read_rows
from heddle.core.splits import SPLITS, SplitName, split_of
from heddle.retrieval.lexical.bm25 import BM25Index, tokenise
from lightning_modules.assistant.chat import Message

MIN_SUPPORT = 0.5
"""Smallest share of the stems of an answer that its source contains."""
K1, B = 1.5, 0.75
"""Parameters of BM25, as in the seed documents."""


@dataclass(frozen=True)
class Conversation:
    """The messages of a user and the assistant; the last one is an answer of the assistant."""

    id: str
    messages: tuple[Message, ...]

    @property
    def question(self) -> str:
        """First message of the user; empty without one."""
        return next((message["content"] for message in self.messages if message["role"] == "user"), "")

    @property
    def reference(self) -> str:
        """The last answer."""
        return self.messages[-1]["content"]

    @property
    def prompt(self) -> tuple[Message, ...]:
        """All messages before the last answer."""
        return self.messages[:-1]


def read_conversations(validated: Path, split: Split) -> Mapping[SplitName, list[Conversation]]:
    """Read the conversations that end with an answer, by split, sorted by id."""
    conversations: dict[SplitName, list[Conversation]] = {name: [] for name in SPLITS}
    for row in sorted(read_rows(validated / "conversations.parquet"), key=lambda row: row["id"]):
        messages = tuple(Message(role=message["role"], content=message["content"] or "") for message in row["messages"])
        if messages and messages[-1]["role"] == "assistant" and messages[-1]["content"].strip():
            conversations[split_of(row["id"], split)].append(Conversation(row["id"], messages))
    return conversations


def with_guides(messages: Sequence[Message], guides: Sequence[str]) -> list[Message]:
    """Insert guides before the first question, which is the position that the assistant is trained on."""
    changed, remaining = [], list(guides)
    for message in messages:
        if remaining and message["role"] == "user":
            message = Message(role="user", content="\n\n".join([*remaining, message["content"]]))
            remaining = []
        changed.append(message)
    return changed


class Sources:
    """The guides, and which of them the answer of a conversation was written from, by shared words.

    Args:
        texts: title and text of each guide; without guides, empty.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = texts
        self._index = BM25Index.build(texts, K1, B) if texts else None
        self._stems = [set(stems) for stems in tokenise(texts)] if texts else []

    @classmethod
    def read(cls, validated: Path) -> "Sources":
        """Read the guides of ``data/validated``, sorted by id."""
        rows = sorted(read_rows(validated / "guides.parquet"), key=lambda row: row["id"])
        return cls([f"{row['title'] or ''}\n{row['text']}".strip() for row in rows])

    def nearest(self, text: str, count: int) -> list[int]:
        """Indices of the `count` best guides for a text by BM25, best first."""
        if self._index is None:
            return []
        scores = self._index.scores(text)
        return [int(guide) for guide in (-scores).argsort(kind="stable")[:count] if scores[guide] > 0]

    def source_texts(self, conversation: Conversation) -> list[str]:
        """Text of the guide that the answer was written from; empty if it is unknown."""
        source = self.source_of(conversation)
        return [] if source is None else [self.texts[source]]

    def source_of(self, conversation: Conversation) -> int | None:
        """Index of the guide that the answer was written from; None if no guide contains half of its stems.

        The search uses the question *and* the answer, so it must not be used to answer questions. Relevance judgements
        (qrels) cannot replace it: they refer to queries, not to conversations, and many catalogues have none.
        """
        best = self.nearest(f"{conversation.question} {conversation.reference}", 1)
        stems = set(tokenise([conversation.reference])[0])
        if not best or not stems:
            return None
        return best[0] if len(stems & self._stems[best[0]]) >= MIN_SUPPORT * len(stems) else None
