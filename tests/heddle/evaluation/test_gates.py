"""Verdicts of gates, and error messages of the section `gates`."""

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.gates import Gates
from heddle.core.parameters.section import ParameterError, load
from heddle.core.skipped import write_skipped
from heddle.core.stage import write_json
from heddle.evaluation.gate_parameters import Gate
from heddle.evaluation.gates import evaluate_gates, read_metrics, read_skip_reasons

finite = st.floats(allow_nan=False, allow_infinity=False)

NO_GATES: dict[str, tuple[Gate, ...]] = dict.fromkeys(("product", "reranker", "assistant", "recommender", "writer"), ())


def one(**bound: float) -> Gates:
    return Gates(clip=(Gate(metric="clip_evaluation.recall", **bound),), vision=(), **NO_GATES)


@given(finite, finite)
def test_gate_includes_its_bound_and_splits_other_values(value: float, bound: float) -> None:
    metrics = {"clip_evaluation": {"recall": value}}
    (least,), (most,) = evaluate_gates(one(at_least=bound), metrics), evaluate_gates(one(at_most=bound), metrics)
    assert least.passed == (value >= bound)
    assert most.passed == (value <= bound)
    assert (least.passed and most.passed) == (value == bound)
    assert least.value == most.value == value
    assert least.bound == most.bound == bound


@pytest.mark.parametrize("bound", [0.0, -1.0])
def test_gate_with_zero_or_negative_bound_works(bound: float) -> None:
    (verdict,) = evaluate_gates(one(at_most=bound), {"clip_evaluation": {"recall": bound - 1}})
    assert verdict.passed
    assert verdict.bound == bound


@pytest.mark.parametrize(
    ("metrics", "reason"),
    [
        ({}, "stage clip_evaluation has no metrics"),
        ({"clip_evaluation": {"other": 1.0}}, "stage clip_evaluation reports no such metric"),
        ({"clip_evaluation": {"recall": math.nan}}, "found nan"),
        ({"clip_evaluation": {"recall": math.inf}}, "found inf"),
    ],
)
def test_gate_of_a_missing_metric_fails_with_the_reason(metrics: dict[str, dict[str, float]], reason: str) -> None:
    (verdict,) = evaluate_gates(one(at_least=-1), metrics)
    assert not verdict.passed
    assert verdict.value is None
    assert reason in verdict.description


def test_gate_of_a_skipped_stage_shows_the_reason(tmp_path: Path) -> None:
    for stage in ("clip_evaluation", "vision_evaluation"):
        (tmp_path / stage).mkdir()
    write_skipped(tmp_path / "clip_evaluation", "No words; write some.")
    skipped = read_skip_reasons(["clip_evaluation", "vision_evaluation", "product_evaluation"], tmp_path)
    assert skipped == {"clip_evaluation": "No words; write some."}
    (verdict,) = evaluate_gates(one(at_least=0), {"clip_evaluation": {"test_listings": 0}}, skipped)
    assert not verdict.passed
    assert verdict.description.endswith("reports no such metric: No words; write some.")
    (passed,) = evaluate_gates(one(at_least=0), {"clip_evaluation": {"recall": 1}}, skipped)
    assert passed.passed


def test_verdicts_follow_the_order_of_the_gates() -> None:
    gates = Gates(
        clip=(Gate(metric="a.full.x", at_least=0.25),),
        vision=(Gate(metric="b.y", at_most=3),),
        product=(),
        reranker=(),
        assistant=(),
        recommender=(),
        writer=(),
    )
    first, second = evaluate_gates(
        gates, {"a": {"full": {"x": {"value": 0.2, "low": 0.1, "high": 0.3}}}, "b": {"y": 3}}
    )
    assert (first.model, first.metric, first.passed) == ("clip", "a.full.x", False)
    assert first.description == "a.full.x must be at least 0.25, found 0.2"
    assert (second.model, second.metric, second.passed) == ("vision", "b.y", True)
    assert second.direction == "at most"


def test_read_metrics_skips_missing_files(tmp_path: Path) -> None:
    (tmp_path / "clip_evaluation").mkdir()
    write_json(tmp_path / "clip_evaluation" / "metrics.json", {"recall": 0.5})
    assert read_metrics(["clip_evaluation", "clip"], tmp_path) == {"clip_evaluation": {"recall": 0.5}}


@pytest.mark.parametrize(
    ("gates", "message"),
    [
        ("{clip: [{metric: clip_evaluation.x, at_least: 1, at_most: 2}]}", "exactly one of at_least and at_most"),
        ("{clip: [{metric: clip_evaluation.x}]}", "exactly one of at_least and at_most"),
        ("{clip: [{metric: recall, at_least: 1}]}", "gates.clip.0.metric: found 'recall'"),
        ("{clip: [{metric: clip_evaluation.x, at_least: .nan}]}", "gates.clip.0.at_least"),
        ("{clip: [{metric: clip_evaluation.x, atleast: 1}]}", "gates.clip.0.atleast: unknown key"),
        (
            "{clpi: []}",
            "gates.clpi: unknown key; allowed: assistant, clip, product, recommender, reranker, vision, writer",
        ),
    ],
)
def test_gates_section_with_mistakes_names_file_and_key(tmp_path: Path, gates: str, message: str) -> None:
    (tmp_path / "scales").mkdir()
    (tmp_path / "scales" / "smoke.yaml").write_text("{}\n")
    (tmp_path / "params.yaml").write_text(f"scale: smoke\ngates: {gates}\n")
    with pytest.raises(ParameterError) as raised:
        load("gates", Gates, tmp_path)
    assert message in str(raised.value)
    assert "params.yaml" in str(raised.value)
