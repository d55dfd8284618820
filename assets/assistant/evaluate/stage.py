"""Evaluate the assistant and its base model on held-out conversations, with three kinds of context.

`no_context` has no guides before the question; `retrieved_context` has the guides that retrieval finds for the
question; `oracle_context` has the guide that the reference answer was written from, as if retrieval never failed.
Perplexity is that of the reference answers.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

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
from heddle.core.skipped import skip_reason
from heddle.core.stage import Metrics, Stage
from heddle.evaluation.parameters import BootstrapParameters
from heddle.evaluation.skip import skip_evaluation
from heddle.metrics import compute
from heddle.metrics.bleu import Bleu
from heddle.metrics.bootstrap import ConfidenceInterval
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
        pa.field("context", pa.string(), nullable=False),  # the guides before the question; empty without any
        pa.field("answer", pa.string(), nullable=False),  # of the assistant
        pa.field("reference", pa.string(), nullable=False),  # of the conversation
        pa.field("right", pa.bool_()),  # whether it names every step of the reference; null if that has none
    ]
)

NO_CONTEXT, RETRIEVED_CONTEXT, ORACLE_CONTEXT = "no_context", "retrieved_context", "oracle_context"
BASE = "base"
"""Below each context: the metrics of the base model, which was not tuned."""
NOTHING_FOUND = GuideSearchResult([], 0.0, "low")


@dataclass(frozen=True)
class AnswerSet:
    """The answers of one model to N conversations with one kind of context."""

    conversations: Sequence[Conversation]
    contexts: Sequence[list[str]]
    answers: Sequence[str]

    def correct(self) -> NDArray[np.float64]:
        """1 where an answer names every step of its reference, 0 elsewhere; references without steps are skipped."""
        return np.array([all(steps) for steps in self.named_steps if steps], dtype=np.float64)

    def metrics(self, interval: ConfidenceInterval) -> dict[str, Any]:
        """``step_accuracy`` with its interval, ``step_recall``, ``bleu`` and ROUGE."""
        texts = {"predictions": list(self.answers), "references": [one.reference for one in self.conversations]}
        scores = {**compute(Bleu, **texts), **compute(Rouge, **texts)}
        metrics: dict[str, Any] = {name.lower(): value for name, value in scores.items()}
        correct = self.correct()
        if len(correct):
            metrics["step_accuracy"] = interval(float(correct.mean()), correct)
            metrics["step_recall"] = float(np.mean([np.mean(steps) for steps in self.named_steps if steps]))
        return metrics

    def examples(self, count: int) -> list[dict[str, object]]:
        """The first conversations as rows of ``EXAMPLES``."""
        rows = zip(self.conversations, self.contexts, self.answers, self.named_steps, strict=True)
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
    def named_steps(self) -> list[list[bool]]:
        """Which steps of its reference each answer names; empty where the reference has none."""
        return [
            named(answer, steps(one.reference)) for answer, one in zip(self.answers, self.conversations, strict=True)
        ]


def assistant_evaluation(stage: Stage) -> Metrics:
    """Answer the test conversations; write metrics, tables and examples."""
    conversations = read_conversations(stage.input("validated"), stage.parameters(Split, "split"))["test"]
    counts = {"test_conversations": len(conversations)}
    reason = skip_reason(stage.input("assistant"))
    if not reason and not conversations:
        reason = "data/validated/conversations.parquet: none belongs to the test split; add conversations"
    if reason:
        return skip_evaluation(stage, reason, counts)
    return {**counts, **_evaluate(stage, conversations)}


def _evaluate(stage: Stage, conversations: Sequence[Conversation]) -> dict[str, Any]:
    parameters = stage.parameters(AssistantEvaluationParameters)
    settings = stage.parameters(AssistantParameters, "assistant")
    threads = stage.parameters(Compute, "compute").threads
    retrieved = _retrieve(stage, conversations, settings.num_context_documents)
    sources = Sources.read(stage.input("validated"))
    contexts_by_name: dict[str, list[list[str]]] = {
        NO_CONTEXT: [[] for _ in conversations],
        RETRIEVED_CONTEXT: [
            [guide_text({"title": hit.title, "text": hit.text}) for hit in one.hits] for one in retrieved
        ],
        ORACLE_CONTEXT: [sources.source_texts(one) for one in conversations],
    }
    tuned = Assistant.from_pretrained(stage.input("assistant"), threads)
    base = Assistant.from_pretrained(stage.input("base_language"), threads)
    interval = ConfidenceInterval(stage.parameters(BootstrapParameters, "bootstrap"), read_seed())
    tuned_answers: dict[str, AnswerSet] = {}
    metrics: dict[str, Any] = {}
    for name, texts in contexts_by_name.items():
        stage.progress(f"{len(conversations)} conversations, {name.replace('_', ' ')}")
        contexts = [
            [truncate_text(tuned.tokenizer, text, settings.context_document_tokens) for text in some] for some in texts
        ]
        by_model: dict[str, dict[str, Any]] = {}
        for model_name, model in ((BASE, base), (name, tuned)):
            answers = answer_conversations(model, conversations, contexts, settings.max_new_tokens)
            by_model[model_name] = {
                "perplexity": perplexity(model, conversations, contexts),
                **answers.metrics(interval),
            }
        tuned_answers[name] = answers
        metrics[name] = {**by_model[name], BASE: by_model[BASE]}
    rows = [row for answers in tuned_answers.values() for row in answers.examples(parameters.examples)]
    write_table(stage.output / "examples.parquet", rows, EXAMPLES)
    bands = [result.band for result in retrieved]
    return metrics | _gains(metrics) | _write_bands(stage, tuned_answers[RETRIEVED_CONTEXT], bands)


def _retrieve(stage: Stage, conversations: Sequence[Conversation], guides: int) -> list[GuideSearchResult]:
    """The guides that `heddle ask` retrieves for each question; none for an empty question."""
    retriever = open_retriever(stage)
    config = RetrievalConfig(rerank=retriever.reranker is not None)
    return [
        retriever.search(one.question, config, guides) if one.question.strip() else NOTHING_FOUND
        for one in conversations
    ]


def answer_conversations(
    model: Assistant, conversations: Sequence[Conversation], contexts: Sequence[list[str]], answer_tokens: int
) -> AnswerSet:
    """Generate the answer to each conversation's last question, with its context before the first question."""
    prompts = [with_guides(one.prompt, context) for one, context in zip(conversations, contexts, strict=True)]
    return AnswerSet(conversations, contexts, list(model.answers(prompts, answer_tokens)))


def perplexity(model: Assistant, conversations: Sequence[Conversation], contexts: Sequence[list[str]]) -> float:
    """Perplexity of the reference answers: the exponential of the mean cross-entropy of their tokens."""
    chats = (with_guides(one.messages, context) for one, context in zip(conversations, contexts, strict=True))
    losses = model.losses(chats)
    return math.exp(sum(loss for loss, _ in losses) / sum(tokens for _, tokens in losses))


def _write_bands(stage: Stage, answers: AnswerSet, bands: Sequence[Band]) -> dict[str, float]:
    """Write ``plots/bands.csv``: accuracy by the confidence in the retrieved guide.

    Returns:
        Coverage and accuracy of selective answering: `heddle ask` does not answer in the low band.
    """
    correct = answers.correct()
    inside = [band for band, steps in zip(bands, answers.named_steps, strict=True) if steps]
    rows = []
    for name in BANDS:
        of_band = correct[[band == name for band in inside]]
        rows.append((name, len(of_band), f"{of_band.mean():.6f}" if len(of_band) else ""))
    (stage.output / "plots").mkdir()
    write_csv(stage.output / "plots" / "bands.csv", ("band", "conversations", "accuracy"), rows)
    selected = correct[[band != "low" for band in inside]]
    metrics = {}
    if len(correct):
        metrics["answered_share"] = len(selected) / len(correct)
    if len(selected):
        metrics["answered_step_accuracy"] = float(selected.mean())
    return metrics


def _gains(metrics: dict[str, Any]) -> dict[str, float]:
    """How much tuning lowers the perplexity, and how much retrieval raises the accuracy."""
    retrieved, without = metrics[RETRIEVED_CONTEXT], metrics[NO_CONTEXT]
    gains = {"perplexity_ratio": retrieved["perplexity"] / retrieved[BASE]["perplexity"]}
    if "step_accuracy" in retrieved:
        gains["retrieval_gain"] = retrieved["step_accuracy"]["value"] - without["step_accuracy"]["value"]
    return gains
