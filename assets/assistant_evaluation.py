"""Judge the assistant on held-out conversations: before and after tuning, with and without guides before the question.

Three kinds of guides: none; `with_guides`, those that retrieval finds for the question; `with_source`, the guide that
the reference was written from, as if retrieval never failed. Perplexity is that of the reference answers.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from assets.absent import why_absent, write_absent
from assets.conversations import Conversation, Sources, read_conversations, with_guides
from assets.metrics import compute
from assets.metrics.bleu.bleu import Bleu
from assets.metrics.rouge.rouge import Rouge
from assets.metrics.sureness import Sureness
from assets.parameters.assistant import AssistantParameters
from assets.parameters.assistant_evaluation import AssistantEvaluationParameters
from assets.parameters.shared import Compute, Split, read_seed
from assets.schemas import write_table
from assets.stage import Metrics, Stage, main
from assets.steps import named, steps
from lightning_modules.chat import shortened
from lightning_modules.language import Assistant

EXAMPLES = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),  # conversations.id
        pa.field("question", pa.string(), nullable=False),
        pa.field("context", pa.string(), nullable=False),  # the guides before the question; empty where there are none
        pa.field("answer", pa.string(), nullable=False),  # what the assistant said
        pa.field("reference", pa.string(), nullable=False),  # what it should have said
        pa.field("right", pa.bool_()),  # whether it names every step of the reference; null where that has none
    ]
)

Shown = Callable[[Conversation], list[str]]
"""The guides before a conversation's question."""


@dataclass(frozen=True)
class Trial:
    """What an assistant said to N conversations, shown certain guides."""

    conversations: Sequence[Conversation]
    contexts: Sequence[list[str]]
    answers: Sequence[str]

    def right(self) -> NDArray[np.float64]:
        """1 where every step of the reference is named, 0 elsewhere, of those whose reference has steps."""
        return np.array([all(one) for one in self._named() if one], dtype=np.float64)

    def numbers(self, sure: Sureness) -> dict[str, float]:
        """``step_accuracy`` with its bounds, ``steps_named``, ``bleu`` and ROUGE."""
        texts = {"predictions": list(self.answers), "references": [one.reference for one in self.conversations]}
        found = {**compute(Bleu, **texts), **compute(Rouge, **texts)}
        found = {name.lower(): value for name, value in found.items()}
        if len(right := self.right()):
            found |= sure("step_accuracy", float(right.mean()), right)
            found["steps_named"] = float(np.mean([np.mean(one) for one in self._named() if one]))
        return found

    def examples(self, count: int) -> list[dict[str, object]]:
        """The first conversations as rows of ``EXAMPLES``."""
        rows = zip(self.conversations, self.contexts, self.answers, self._named(), strict=True)
        return [
            {
                "id": one.id,
                "question": one.question,
                "context": "\n\n".join(context),
                "answer": answer,
                "reference": one.reference,
                "right": all(found) if found else None,
            }
            for one, context, answer, found in list(rows)[:count]
        ]

    def _named(self) -> list[list[bool]]:
        return [
            named(answer, steps(one.reference)) for answer, one in zip(self.answers, self.conversations, strict=True)
        ]


def assistant_evaluation(stage: Stage) -> Metrics:
    """Answer the test conversations, measure, and write examples."""
    parameters = stage.parameters(AssistantEvaluationParameters)
    validated, split = stage.input("validated"), stage.parameters(Split, "split")
    conversations = read_conversations(validated, split)["test"]
    counts = {"test_conversations": len(conversations)}
    reason = why_absent(stage.input("assistant"))
    if not conversations:
        reason = "data/validated/conversations.parquet: none belongs to the test split; bring more conversations"
    if reason:
        stage.progress(f"nothing to judge: {reason}")
        write_absent(stage.output, reason)
        return counts
    threads = stage.parameters(Compute, "compute").threads
    tuned = Assistant.from_pretrained(stage.input("assistant"), threads)
    base = Assistant.from_pretrained(stage.input("base_language"), threads)
    shown = guides_shown(stage, tuned, Sources.read(validated))
    sure = Sureness(parameters.resamples, parameters.confidence, read_seed())
    found: dict[str, float] = {}
    rows = []
    for name, guides in shown.items():
        stage.progress(f"{len(conversations)} conversations, {name.replace('_', ' ')}")
        trial = answered(tuned, conversations, guides, parameters.answer_tokens)
        before, after = (perplexity(model, conversations, guides) for model in (base, tuned))
        told = {"base_perplexity": before, "perplexity": after, **trial.numbers(sure)}
        found |= {f"{name}_{key}": value for key, value in told.items()}
        rows += trial.examples(parameters.examples)
    write_table(stage.output / "examples.parquet", rows, EXAMPLES)
    return {**counts, **found, **_gains(found)}


def guides_shown(stage: Stage, model: Assistant, sources: Sources) -> dict[str, Shown]:
    """What may stand before a question: nothing, what BM25 finds for it, the guide that the reference came from."""
    parameters = stage.parameters(AssistantParameters, "assistant")

    def cut(places: Sequence[int]) -> list[str]:
        return [shortened(model.tokenizer, sources.texts[place], parameters.guide_tokens) for place in places]

    def source(conversation: Conversation) -> list[str]:
        place = sources.source_of(conversation)
        return [] if place is None else cut([place])

    return {
        "without_guides": lambda conversation: [],
        "with_guides": lambda conversation: cut(sources.nearest(conversation.question, parameters.guides)),
        "with_source": source,
    }


def answered(model: Assistant, conversations: Sequence[Conversation], shown: Shown, answer_tokens: int) -> Trial:
    """What the model says to each conversation's last question."""
    contexts = [shown(one) for one in conversations]
    asked = [with_guides(one.asked, context) for one, context in zip(conversations, contexts, strict=True)]
    return Trial(conversations, contexts, list(model.answers(asked, answer_tokens)))


def perplexity(model: Assistant, conversations: Sequence[Conversation], shown: Shown) -> float:
    """Of the reference answers: the exponential of the mean cross-entropy of their tokens."""
    losses = model.losses(with_guides(one.messages, shown(one)) for one in conversations)
    return math.exp(sum(loss for loss, _ in losses) / sum(tokens for _, tokens in losses))


def _gains(found: dict[str, float]) -> dict[str, float]:
    """How much smaller tuning makes the perplexity, and what guides add to the share of right answers."""
    gains = {"perplexity_ratio": found["with_guides_perplexity"] / found["with_guides_base_perplexity"]}
    if "with_guides_step_accuracy" in found:
        gains["guides_gain"] = found["with_guides_step_accuracy"] - found["without_guides_step_accuracy"]
    return gains


if __name__ == "__main__":
    main(assistant_evaluation)
