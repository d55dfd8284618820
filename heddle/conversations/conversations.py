"""Conversations and the guides that they were answered from.

What is held out: a conversation belongs to a split by its id, as a listing does. Of the validation and test splits no
word of a conversation is learned from, neither question nor answer. The guides are the knowledge that answers are
written from and are read by all: who asks the assistant has them at hand as well. A held-out answer may therefore
quote sentences that stand in a guide, and that answers of the train split quote too; what is new about it is the
question, and which of the sentences are the right ones.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from heddle.core.parameters.shared import Split
from heddle.core.schemas import read_rows
from heddle.core.splits import SPLITS, SplitName, split_of
from heddle.retrieval.lexical.bm25 import BM25Index, tokenise
from lightning_modules.assistant.chat import Message

LEAST_SUPPORT = 0.5
"""Share of an answer's stems that must stand in the guide that it was written from."""
K1, B = 1.5, 0.75
"""Of BM25, as in the seed documents."""


@dataclass(frozen=True)
class Conversation:
    """A question and its answers, the last message being the assistant's."""

    id: str
    messages: tuple[Message, ...]

    @property
    def question(self) -> str:
        """What a person asks first."""
        return next((message["content"] for message in self.messages if message["role"] == "user"), "")

    @property
    def reference(self) -> str:
        """The last answer."""
        return self.messages[-1]["content"]

    @property
    def asked(self) -> tuple[Message, ...]:
        """All that was said before the last answer."""
        return self.messages[:-1]


def read_conversations(validated: Path, split: Split) -> Mapping[SplitName, list[Conversation]]:
    """The conversations that end with an answer, by split, sorted by id."""
    found: dict[SplitName, list[Conversation]] = {name: [] for name in SPLITS}
    for row in sorted(read_rows(validated / "conversations.parquet"), key=lambda row: row["id"]):
        messages = tuple(Message(role=one["role"], content=one["content"] or "") for one in row["messages"])
        if messages and messages[-1]["role"] == "assistant" and messages[-1]["content"].strip():
            found[split_of(row["id"], split)].append(Conversation(row["id"], messages))
    return found


def with_guides(messages: Sequence[Message], guides: Sequence[str]) -> list[Message]:
    """The conversation with guides before the first question, which is where the assistant looks for them."""
    changed, left = [], list(guides)
    for message in messages:
        if left and message["role"] == "user":
            message = Message(role="user", content="\n\n".join([*left, message["content"]]))
            left = []
        changed.append(message)
    return changed


class Sources:
    """The guides, and which of them belongs to a conversation, as far as their words tell.

    Args:
        texts: title and text of each guide; may be empty.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = texts
        self._index = BM25Index.build(texts, K1, B) if texts else None
        self._stems = [set(stems) for stems in tokenise(texts)] if texts else []

    @classmethod
    def read(cls, validated: Path) -> "Sources":
        """The guides of ``data/validated``, sorted by id."""
        rows = sorted(read_rows(validated / "guides.parquet"), key=lambda row: row["id"])
        return cls([f"{row['title'] or ''}\n{row['text']}".strip() for row in rows])

    def nearest(self, words: str, count: int) -> list[int]:
        """The guides that share most words with a text, best first."""
        if self._index is None:
            return []
        scores = self._index.scores(words)
        return [int(place) for place in (-scores).argsort(kind="stable")[:count] if scores[place] > 0]

    def shown_for(self, conversation: Conversation) -> list[str]:
        """The guide that the answer was written from, if there is one."""
        place = self.source_of(conversation)
        return [] if place is None else [self.texts[place]]

    def source_of(self, conversation: Conversation) -> int | None:
        """The guide that the answer was written from; None if there is none that holds half of its words.

        It is found by question *and* answer, so this is for training only. Judgements of queries (qrels) do not name
        conversations, and many catalogues have none.
        """
        best = self.nearest(f"{conversation.question} {conversation.reference}", 1)
        stems = set(tokenise([conversation.reference])[0])
        if not best or not stems:
            return None
        return best[0] if len(stems & self._stems[best[0]]) >= LEAST_SUPPORT * len(stems) else None
