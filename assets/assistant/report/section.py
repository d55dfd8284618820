"""How well the assistant answers: with no guide, with guides found for the question, with the right one."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from assets.report.charts.svg import counted
from assets.report.parameters import ReportParameters
from assets.report.report_data import ReportData
from heddle.evaluation.measures import Measure, measures
from heddle.families.family import Family

STAGE = "assistant_evaluation"
SHOWN = {  # what stands before the question, in the evaluation's order -> the same for a person
    "without_guides": "no guide",
    "with_guides": "guides found",
    "with_source": "the right guide",
}
FIGURES = {
    "base_step_accuracy": "right, base",
    "steps_named": "steps named",
    "base_perplexity": "perplexity, base",
    "perplexity": "perplexity, tuned",
    "bleu": "BLEU",
    "rougel": "ROUGE-L",
}


def answers(data: ReportData, family: Family, parameters: ReportParameters) -> dict[str, Any]:
    """The content of the section."""
    known = {measure.key: measure for measure in measures(data.metrics[STAGE])}
    asked = counted(int(data.metrics[STAGE].get("test_conversations", 0)), "conversation")
    return {
        "skipped": data.skipped.get("assistant") or data.skipped.get(STAGE),
        "words": f"{asked} of the test split; no training has seen a word of them.",
        "confidence": data.confidence,
        "figures": FIGURES,
        "rows": [row for shown in SHOWN if (row := _row(shown, known))["known"]],
        "bands": [_band(row) for row in data.plots[STAGE].get("bands", [])],
        "said": known.get("answered_share"),
        "said_right": known.get("answered_step_accuracy"),
        "questions": list(_questions(data.examples[STAGE]))[: parameters.queries],
    }


def _row(shown: str, known: Mapping[str, Measure]) -> dict[str, Any]:
    """The numbers of one kind of guides; None for those that were not measured."""
    right = known.get(f"{shown}_step_accuracy")
    figures = [known.get(f"{shown}_{name}") for name in FIGURES]
    return {"name": SHOWN[shown], "right": right, "figures": figures, "known": any([right, *figures])}


def _band(row: Mapping[str, str]) -> dict[str, Any]:
    """How often an answer is right where the confidence in the guide lies in one band; None where none does."""
    right = float(row["accuracy"]) if row["accuracy"] else None
    return {"name": row["band"], "conversations": int(row["conversations"]), "right": right}


def _questions(rows: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """The conversations, each with what was answered; the evaluation writes all of them for one kind, then the next."""
    said: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        said.setdefault(row["id"], []).append(row)
    for trials in said.values():
        yield {
            "words": trials[0]["question"],
            "reference": trials[0]["reference"],
            "trials": [_trial(name, row) for name, row in zip(SHOWN.values(), trials, strict=False)],
        }


def _trial(name: str, row: Mapping[str, Any]) -> dict[str, Any]:
    first, _, rest = row["context"].partition("\n")
    return {"name": name, "right": row["right"], "answer": row["answer"], "guide": first, "text": rest}
