"""The top of the page: what came in, whether the gates passed, how good the models are."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from assets.report.charts.svg import counted, readable
from assets.report.collection import LABELS
from assets.report.intake import Flow, flow
from assets.report.report_data import Facts
from heddle.evaluation.gates import Verdict
from heddle.evaluation.measures import Measure, measures, plain_name

HEADLINES = {  # what is evaluated -> what it does, which numbers of the evaluation tell how well, as patterns
    "clip": (
        "words and images find each other",
        ("text_to_image_recall_at_10", "image_to_text_recall_at_10", "zero_shot_item_accuracy"),
    ),
    "vision": ("names what an image shows", tuple(f"{label}_accuracy" for label in LABELS)),
    "product": ("names the class from all that a listing has", ("accuracy", ".+_alone_accuracy")),
    "retrieval": ("finds the guides for a question", ("(rrf|weighted)(_reranked)?_ndcg_at_10",)),
    "assistant": ("answers from guides", ("with_guides_step_accuracy", "with_source_step_accuracy")),
    "recommender": ("tells what can become what", ("auc", "ndcg_at_10", "hits_at_10")),
    "writer": (
        "writes what a listing needs from its image",
        ("(image_alone_)?(item|material|colour)_right", "relations_right", "error_auc"),
    ),
}
SIGNS = {"at least": "gate ≥", "at most": "gate ≤"}


def summary(facts: Facts, verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """What the template `summary` shows."""
    total = flow(facts)
    models = [_model(facts, model, verdicts) for model in HEADLINES]
    shares = sorted({model["confidence"] for model in models if any(one["interval"] for one in model["bullets"])})
    return {
        "scale": facts.scale,
        "seed": facts.seed,
        "sources": sorted({listing["source"] for listing in facts.listings}),
        "title": _title(facts, total, verdicts),
        "lead": _lead(facts, total),
        "flow": _flow(facts, total),
        "verdicts": [_verdict(verdict) for verdict in verdicts],
        "models": models,
        "confidences": shares,
    }


def _title(facts: Facts, total: Flow, verdicts: Sequence[Verdict]) -> str:
    brought = counted(total.accepted, "listing") if total.accepted else counted(facts.accepted["guides"], "guide")
    failed = sum(not verdict.passed for verdict in verdicts)
    if not verdicts:
        outcome = "no gates set"
    elif failed:
        outcome = f"{failed} of {len(verdicts)} gates failed"
    else:
        outcome = {1: "the gate passed", 2: "both gates passed"}.get(len(verdicts), f"all {len(verdicts)} gates passed")
    return f"{brought}, {outcome}"


def _lead(facts: Facts, total: Flow) -> str:
    guides, index = facts.accepted["guides"], facts.metrics["index"]
    if not total.fetched:
        return (
            f"{counted(guides, 'guide')} and no listing went in. The index answers queries over all of them, "
            f"with {readable(index.get('guide_vocab_size', 0))} different word stems."
        )
    beside = f" and {counted(guides, 'guide')}" if guides else ""
    left_out = total.refused + total.duplicates
    rest = f"{counted(left_out, 'listing')} left out, each with its reason" if left_out else "none was left out"
    return (
        f"Images and words of {counted(total.accepted, 'listing')}{beside} went in; {rest}. "
        f"The index answers queries over all of them, with {readable(index.get('stems', 0))} different word stems."
    )


def _flow(facts: Facts, total: Flow) -> dict[str, Any]:
    """What came in as `catalog` counted it, beside where the rows are now: the two must agree."""
    fetched = facts.metrics["catalog"]["listings_fetched"]
    lost = fetched - total.fetched
    alarm = (
        f"The counts do not add up: {readable(abs(lost))} {'are missing' if lost > 0 else 'too many'}." if lost else ""
    )
    return {"fetched": fetched, "parts": _parts(total), "words": _beside(facts), "alarm": alarm}


def _parts(total: Flow) -> list[dict[str, Any]]:
    return [
        {"name": "accepted", "count": total.accepted, "colour": 0},
        {"name": "refused", "count": total.refused, "colour": 1},
        {"name": "duplicates", "count": total.duplicates, "colour": 3},
    ]


def _beside(facts: Facts) -> str:
    others = Counter(row["table"] for row in facts.quarantine if row["table"] != "listings")
    if not others:
        return "No record of another table was refused."
    counts = ", ".join(f"{readable(count)} of {table}" for table, count in sorted(others.items()))
    return f"Other tables had records refused as well: {counts}."


def _verdict(verdict: Verdict) -> dict[str, Any]:
    number = plain_name(verdict.metric.partition(".")[2])
    found = "not measured" if verdict.value is None else f"found {readable(verdict.value)}"
    return {
        "model": verdict.model,
        "passed": verdict.passed,
        "name": number,
        "words": f"{found}, must be {verdict.direction} {verdict.bound:g}",
    }


def _model(facts: Facts, model: str, verdicts: Sequence[Verdict]) -> dict[str, Any]:
    does, patterns = HEADLINES[model]
    stage = f"{model}_evaluation"
    known = list(measures(facts.metrics[stage]))
    headline = [measure for pattern in patterns for measure in known if re.fullmatch(pattern, measure.key)]
    return {
        "name": model,
        "does": does,
        "absent": facts.absent.get(model) or facts.absent.get(stage),
        "bullets": [_bullet(measure, stage, verdicts) for measure in headline],
        "confidence": facts.confidence[stage],
    }


def _bullet(measure: Measure, stage: str, verdicts: Sequence[Verdict]) -> dict[str, Any]:
    marks = []
    if measure.chance is not None:
        marks.append({"name": "chance", "value": measure.chance, "kind": "chance"})
    marks += [
        {"name": SIGNS[verdict.direction], "value": verdict.bound, "kind": "gate-tick"}
        for verdict in verdicts
        if verdict.metric == f"{stage}.{measure.key}"
    ]
    if measure.ceiling is not None:
        marks.append({"name": "ceiling", "value": measure.ceiling, "kind": "ceiling"})
    return {"name": measure.name, "value": measure.value, "interval": measure.interval, "marks": marks}
