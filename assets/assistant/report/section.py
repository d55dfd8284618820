"""The section of ``assistant``: answers without guides, with retrieved guides and with the right guide."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from assets.report.charts.svg import counted
from assets.report.parameters import ReportParameters
from assets.report.report_data import ReportData
from heddle.evaluation.metric_tree import MetricTree, find
from heddle.families.family import Family

STAGE = "assistant_evaluation"
CONTEXTS = {"no_context": "no guide", "retrieved_context": "retrieved guides", "oracle_context": "the right guide"}
"""System of the evaluation, in its order -> its name on the page."""
OTHER_METRICS = {
    "base.step_accuracy": "correct, base",
    "step_recall": "step recall",
    "base.perplexity": "perplexity, base",
    "perplexity": "perplexity, tuned",
    "bleu": "BLEU",
    "rougel": "ROUGE-L",
}


def answers(data: ReportData, family: Family, parameters: ReportParameters) -> dict[str, Any]:
    """The content of the section."""
    metrics = data.metrics[STAGE]
    rows = [_row(system, metrics) for system in CONTEXTS]
    return {
        "skipped": data.skipped.get(family.name) or data.skipped.get(STAGE),
        "words": f"Measured on {counted(int(metrics.get('test_conversations', 0)), 'conversation')} of the test split.",
        "confidence": data.confidence,
        "other_metrics": OTHER_METRICS,
        "rows": [row for row in rows if row["is_measured"]],
        "bands": [_band(row) for row in data.plots[STAGE].get("bands", [])],
        "answered": find(metrics, "answered_share"),
        "answered_correct": find(metrics, "answered_step_accuracy"),
        "questions": list(_questions(data.examples[STAGE]))[: parameters.queries],
    }


def _row(system: str, metrics: MetricTree) -> dict[str, Any]:
    """The metrics of one kind of context; None for those that were not measured."""
    correct = find(metrics, f"{system}.step_accuracy")
    others = [find(metrics, f"{system}.{name}") for name in OTHER_METRICS]
    return {
        "name": CONTEXTS[system],
        "correct": correct,
        "other_metrics": others,
        "is_measured": any(metric is not None for metric in (correct, *others)),
    }


def _band(row: Mapping[str, str]) -> dict[str, Any]:
    """Accuracy in one band of retrieval confidence; None for an empty band."""
    correct = float(row["accuracy"]) if row["accuracy"] else None
    return {"name": row["band"], "conversations": int(row["conversations"]), "correct": correct}


def _questions(rows: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """The conversations, each with its answers in the order of the contexts, as the evaluation writes them."""
    by_conversation: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        by_conversation.setdefault(row["id"], []).append(row)
    for found in by_conversation.values():
        yield {
            "text": found[0]["question"],
            "reference": found[0]["reference"],
            "answers": [_answer(name, row) for name, row in zip(CONTEXTS.values(), found, strict=False)],
        }


def _answer(name: str, row: Mapping[str, Any]) -> dict[str, Any]:
    title, _, text = row["context"].partition("\n")
    return {"name": name, "correct": row["right"], "text": row["answer"], "guide": title, "guide_text": text}
