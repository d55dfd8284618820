"""Gates: a verdict for each, and mistakes in them told as mistakes in the parameters."""

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heddle.core.parameters.section import ParameterError, load
from heddle.core.skipped import write_skipped
from heddle.core.stage import write_json
from heddle.evaluation.gate_parameters import Gate, Gates
from heddle.evaluation.gates import judge, measured, unmeasured

finite = st.floats(allow_nan=False, allow_infinity=False)

NO_GATES: dict[str, tuple[Gate, ...]] = dict.fromkeys(("product", "reranker", "assistant", "recommender", "writer"), ())


def one(**bound: float) -> Gates:
    return Gates(clip=(Gate(metric="clip_evaluation.recall", **bound),), vision=(), **NO_GATES)


@given(finite, finite)
def test_at_least_and_at_most_include_the_bound_and_split_all_other_values(value: float, bound: float) -> None:
    metrics = {"clip_evaluation": {"recall": value}}
    (least,), (most,) = judge(one(at_least=bound), metrics), judge(one(at_most=bound), metrics)
    assert least.passed == (value >= bound)
    assert most.passed == (value <= bound)
    assert (least.passed and most.passed) == (value == bound)
    assert least.value == most.value == value
    assert least.bound == most.bound == bound


@pytest.mark.parametrize("bound", [0.0, -1.0])
def test_a_bound_may_be_zero_or_negative(bound: float) -> None:
    (verdict,) = judge(one(at_most=bound), {"clip_evaluation": {"recall": bound - 1}})
    assert verdict.passed
    assert verdict.bound == bound


@pytest.mark.parametrize(
    ("metrics", "reason"),
    [
        ({}, "stage clip_evaluation has no metrics"),
        ({"clip_evaluation": {"other": 1.0}}, "stage clip_evaluation reports no such number"),
        ({"clip_evaluation": {"recall": math.nan}}, "found nan"),
        ({"clip_evaluation": {"recall": math.inf}}, "found inf"),
    ],
)
def test_what_was_not_measured_fails_and_says_why(metrics: dict[str, dict[str, float]], reason: str) -> None:
    (verdict,) = judge(one(at_least=-1), metrics)
    assert not verdict.passed
    assert verdict.value is None
    assert reason in verdict.description


def test_where_nothing_could_be_measured_the_reason_is_told(tmp_path: Path) -> None:
    for stage in ("clip_evaluation", "vision_evaluation"):
        (tmp_path / stage).mkdir()
    write_skipped(tmp_path / "clip_evaluation", "No words; write some.")
    absent = unmeasured(["clip_evaluation", "vision_evaluation", "product_evaluation"], tmp_path)
    assert absent == {"clip_evaluation": "No words; write some."}
    (verdict,) = judge(one(at_least=0), {"clip_evaluation": {"test_listings": 0}}, absent)
    assert not verdict.passed
    assert verdict.description.endswith("reports no such number: No words; write some.")
    (told,) = judge(one(at_least=0), {"clip_evaluation": {"recall": 1}}, absent)
    assert told.passed


def test_verdicts_come_in_the_order_of_the_gates_and_name_model_metric_and_bound() -> None:
    gates = Gates(
        clip=(Gate(metric="a.x", at_least=0.25),),
        vision=(Gate(metric="b.y", at_most=3),),
        product=(),
        reranker=(),
        assistant=(),
        recommender=(),
        writer=(),
    )
    first, second = judge(gates, {"a": {"x": 0.2}, "b": {"y": 3}})
    assert (first.model, first.metric, first.passed) == ("clip", "a.x", False)
    assert first.description == "a.x must be at least 0.25, found 0.2"
    assert (second.model, second.metric, second.passed) == ("vision", "b.y", True)
    assert second.direction == "at most"


def test_measured_reads_the_metrics_files_that_are_there(tmp_path: Path) -> None:
    (tmp_path / "clip_evaluation").mkdir()
    write_json(tmp_path / "clip_evaluation" / "metrics.json", {"recall": 0.5})
    assert measured(["clip_evaluation", "clip"], tmp_path) == {"clip_evaluation": {"recall": 0.5}}


@pytest.mark.parametrize(
    ("gates", "told"),
    [
        ("{clip: [{metric: clip_evaluation.x, at_least: 1, at_most: 2}]}", "exactly one of at_least and at_most"),
        ("{clip: [{metric: clip_evaluation.x}]}", "exactly one of at_least and at_most"),
        ("{clip: [{metric: recall, at_least: 1}]}", "gates.clip.0.metric: found 'recall'"),
        ("{clip: [{metric: clip_evaluation.x, at_least: .nan}]}", "gates.clip.0.at_least"),
        ("{clip: [{metric: clip_evaluation.x, atleast: 1}]}", "gates.clip.0.atleast: unknown key"),
        (
            "{clip: [], clpi: []}",
            "gates.clpi: unknown key; allowed: assistant, clip, product, recommender, reranker, vision, writer",
        ),
        ("{}", "gates.clip: missing"),
    ],
)
def test_mistakes_name_file_and_key(tmp_path: Path, gates: str, told: str) -> None:
    (tmp_path / "scales").mkdir()
    (tmp_path / "scales" / "smoke.yaml").write_text("{}\n")
    (tmp_path / "params.yaml").write_text(f"scale: smoke\ngates: {gates}\n")
    with pytest.raises(ParameterError) as raised:
        load("gates", Gates, tmp_path)
    assert told in str(raised.value)
    assert "params.yaml" in str(raised.value)
