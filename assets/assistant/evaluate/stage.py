"""Judge the assistant on held-out conversations: before and after tuning, with and without guides before the question.

Three kinds of guides: none; `with_guides`, those that retrieval finds for the question; `with_source`, the guide that
the reference was written from, as if retrieval never failed. Perplexity is that of the reference answers.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from assets.assistant.evaluate.answer_steps import named, steps
from assets.assistant.evaluate.parameters import AssistantEvaluationParameters
from heddle.conversations.conversations import Conversation, Sources, read_conversations, with_guides
from heddle.conversations.parameters import AssistantParameters
from heddle.core.csv_file import write_csv
from heddle.core.parameters.shared import Compute, Split, read_seed
from heddle.core.schemas import write_table
from heddle.core.skipped import skip_reason, write_skipped
from heddle.core.stage import Metrics, Stage
from heddle.evaluation.parameters import BootstrapParameters
from heddle.metrics import compute
from heddle.metrics.bleu import Bleu
from heddle.metrics.bootstrap import ConfidenceInterval, flat
from heddle.metrics.rouge import Rouge
from heddle.retrieval.confidence import BANDS, Band
from heddle.retrieval.config import RetrievalConfig
from heddle.retrieval.guide_index import guide_text
from heddle.retrieval.open_retriever import open_retriever
from heddle.retrieval.retriever import GuideSearchResult
from lightning_modules.assistant.assistant import Assistant
from lightning_modules.assistant.chat import truncate_text

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

NOTHING_FOUND = GuideSearchResult([], 0.0, "low")


@dataclass(frozen=True)
class Trial:
    """What an assistant said to N conversations, shown certain guides."""

    conversations: Sequence[Conversation]
    contexts: Sequence[list[str]]
    answers: Sequence[str]

    def right(self) -> NDArray[np.float64]:
        """1 where every step of the reference is named, 0 elsewhere, of those whose reference has steps."""
        return np.array([all(one) for one in self.named if one], dtype=np.float64)

    def numbers(self, sure: ConfidenceInterval) -> dict[str, float]:
        """``step_accuracy`` with its bounds, ``steps_named``, ``bleu`` and ROUGE."""
        texts = {"predictions": list(self.answers), "references": [one.reference for one in self.conversations]}
        found = {**compute(Bleu, **texts), **compute(Rouge, **texts)}
        found = {name.lower(): value for name, value in found.items()}
        if len(right := self.right()):
            found |= flat("step_accuracy", sure(float(right.mean()), right))
            found["steps_named"] = float(np.mean([np.mean(one) for one in self.named if one]))
        return found

    def examples(self, count: int) -> list[dict[str, object]]:
        """The first conversations as rows of ``EXAMPLES``."""
        rows = zip(self.conversations, self.contexts, self.answers, self.named, strict=True)
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

    @cached_property
    def named(self) -> list[list[bool]]:
        """Which steps of its reference each answer names; empty where that has none."""
        return [
            named(answer, steps(one.reference)) for answer, one in zip(self.answers, self.conversations, strict=True)
        ]


def assistant_evaluation(stage: Stage) -> Metrics:
    """Answer the test conversations, measure, and write tables and examples; say so if there is nothing to judge."""
    conversations = read_conversations(stage.input("validated"), stage.parameters(Split, "split"))["test"]
    counts = {"test_conversations": len(conversations)}
    reason = skip_reason(stage.input("assistant"))
    if not reason and not conversations:
        reason = "data/validated/conversations.parquet: none belongs to the test split; bring more conversations"
    if reason:
        stage.progress(f"nothing to judge: {reason}")
        write_skipped(stage.output, reason)
        return counts
    return {**counts, **_judged(stage, conversations)}


def _judged(stage: Stage, conversations: Sequence[Conversation]) -> dict[str, float]:
    parameters = stage.parameters(AssistantEvaluationParameters)
    settings = stage.parameters(AssistantParameters, "assistant")
    threads = stage.parameters(Compute, "compute").threads
    answers, sources = (
        _retrieved(stage, conversations, settings.num_context_documents),
        Sources.read(stage.input("validated")),
    )
    shown: dict[str, list[list[str]]] = {
        "without_guides": [[] for _ in conversations],
        "with_guides": [[guide_text({"title": hit.title, "text": hit.text}) for hit in one.hits] for one in answers],
        "with_source": [sources.source_texts(one) for one in conversations],
    }
    tuned = Assistant.from_pretrained(stage.input("assistant"), threads)
    base = Assistant.from_pretrained(stage.input("base_language"), threads)
    trials = {}
    found: dict[str, float] = {}
    sure = ConfidenceInterval(stage.parameters(BootstrapParameters, "bootstrap"), read_seed())
    for name, texts in shown.items():
        stage.progress(f"{len(conversations)} conversations, {name.replace('_', ' ')}")
        contexts = [
            [truncate_text(tuned.tokenizer, text, settings.context_document_tokens) for text in some] for some in texts
        ]
        for prefix, model in ((f"{name}_base", base), (name, tuned)):
            trials[prefix] = answered(model, conversations, contexts, settings.max_new_tokens)
            told = {"perplexity": perplexity(model, conversations, contexts), **trials[prefix].numbers(sure)}
            found |= {f"{prefix}_{key}": value for key, value in told.items()}
    rows = [row for name in shown for row in trials[name].examples(parameters.examples)]
    write_table(stage.output / "examples.parquet", rows, EXAMPLES)
    return found | _gains(found) | _write_bands(stage, trials["with_guides"], [one.band for one in answers])


def _retrieved(stage: Stage, conversations: Sequence[Conversation], guides: int) -> list[GuideSearchResult]:
    """What `heddle ask` would find for each question; nothing where nobody asks anything."""
    retriever = open_retriever(stage)
    way = RetrievalConfig(rerank=retriever.reranker is not None)
    return [
        retriever.search(one.question, way, guides) if one.question.strip() else NOTHING_FOUND for one in conversations
    ]


def answered(
    model: Assistant, conversations: Sequence[Conversation], contexts: Sequence[list[str]], answer_tokens: int
) -> Trial:
    """What the model says to each conversation's last question, with its context before the first."""
    asked = [with_guides(one.prompt, context) for one, context in zip(conversations, contexts, strict=True)]
    return Trial(conversations, contexts, list(model.answers(asked, answer_tokens)))


def perplexity(model: Assistant, conversations: Sequence[Conversation], contexts: Sequence[list[str]]) -> float:
    """Of the reference answers: the exponential of the mean cross-entropy of their tokens."""
    told = (with_guides(one.messages, context) for one, context in zip(conversations, contexts, strict=True))
    losses = model.losses(told)
    return math.exp(sum(loss for loss, _ in losses) / sum(tokens for _, tokens in losses))


def _write_bands(stage: Stage, trial: Trial, bands: Sequence[Band]) -> dict[str, float]:
    """``plots/bands.csv``, right answers by the confidence in the guide; and what is right of what would be said.

    Below the low band `heddle ask` does not answer.
    """
    right, inside = trial.right(), [band for band, one in zip(bands, trial.named, strict=True) if one]
    rows = []
    for name in BANDS:
        of_band = right[[band == name for band in inside]]
        rows.append((name, len(of_band), f"{of_band.mean():.6f}" if len(of_band) else ""))
    (stage.output / "plots").mkdir()
    write_csv(stage.output / "plots" / "bands.csv", ("band", "conversations", "accuracy"), rows)
    spoken = right[[band != "low" for band in inside]]
    numbers = {"answered_share": len(spoken) / len(right)} if len(right) else {}
    return numbers | ({"answered_step_accuracy": float(spoken.mean())} if len(spoken) else {})


def _gains(found: dict[str, float]) -> dict[str, float]:
    """How much smaller tuning makes the perplexity, and what guides add to the share of right answers."""
    gains = {"perplexity_ratio": found["with_guides_perplexity"] / found["with_guides_base_perplexity"]}
    if "with_guides_step_accuracy" in found:
        gains["guides_gain"] = found["with_guides_step_accuracy"] - found["without_guides_step_accuracy"]
    return gains
