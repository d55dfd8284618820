"""`heddle registry list` and `heddle status`: what decides about a version, for people, pipes and programs."""

import io
import json
from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from assets.families import FAMILIES
from assets.gates import Gates
from dagster_project.registry import Version
from dagster_project.registry_table import DecisiveMetric, decisive_metrics, registry_table
from dagster_project.status import StageStatus, status_table
from heddle.core.terminal import PipeConsole
from heddle.evaluation.gate_parameters import Gate


def _version(model: str, metrics: dict[str, float]) -> Version:
    return Version(model, "v1.0.0", "0" * 40, datetime(2026, 1, 1), ("champion",), "", metrics)


@given(st.dictionaries(st.from_regex(r"[a-z]{1,5}\.[a-z]{1,5}", fullmatch=True), st.floats(0, 1)))
def test_decisive_metrics_are_gates_and_headline_whatever_else_was_measured(others):
    for family in FAMILIES:
        gated = {gate.path: 0.25 for gate in family.gates}
        found = decisive_metrics(_version(family.name, others | gated), family.gates)
        names = [metric.metric for metric in found]
        assert names[: len(family.gates)] == [gate.path for gate in family.gates]
        assert set(family.headline[:1]) <= set(names)
        assert len(names) == len(set(names)) <= len(family.gates) + 1
        assert [(metric.value, metric.bound) for metric in found[: len(family.gates)]] == [
            (0.25, gate.bound) for gate in family.gates
        ]


def test_decisive_metric_is_printed_with_bound_and_if_it_was_not_measured():
    gates = [Gate(metric="clip_evaluation.text_to_image.recall_at_10", at_least=0.5)]
    (gate,) = decisive_metrics(_version("clip", {"text_to_image.recall_at_10": 0.61}), gates)
    assert str(gate) == "Recall@10, text to image 0.61 (at least 0.5)"
    (missing,) = decisive_metrics(_version("clip", {}), gates)
    assert str(missing) == "Recall@10, text to image not measured (at least 0.5)"
    assert str(DecisiveMetric("full.accuracy", 0.9)) == "Accuracy, full 0.9"


def test_registry_list_shows_gate_and_json_has_every_metric(toy):
    listed = toy.invoke("registry", "list")
    assert listed.exit_code == 0
    (row,) = [line for line in listed.stdout.splitlines() if line.startswith("clip@v1.0.0")]
    assert "Recall, text to image 0.75 (at least 0.5)" in row  # one line, not folded at 80 columns
    assert "letters" not in listed.stdout
    (record,) = json.loads(toy.invoke("registry", "list", "--json").stdout)
    assert record["tag"] == "clip@v1.0.0"
    assert record["metrics"].keys() == {"letters", "text_to_image.recall"}
    gate = {"metric": "text_to_image.recall", "value": 0.75, "direction": "at least", "bound": 0.5}
    assert record["decisive"][0] == gate


def test_registry_list_empty_is_an_empty_json_list(fresh):
    assert json.loads(fresh.invoke("registry", "list", "--json").stdout) == []


def test_status_piped_does_not_fold_and_json_agrees_with_dvc(toy):
    toy.write("words/prepared.txt", "other words\n")
    toy.write("words/encoder.txt", "other words\n")
    records = json.loads(toy.invoke("status", "--json").stdout)
    assert {record["stage"] for record in records if not record["up_to_date"]} == toy.changed()
    assert all(bool(record["causes"]) != record["up_to_date"] for record in records)
    lines = toy.invoke("status").stdout.splitlines()
    assert len(lines) == len(records) + 1  # one line for each stage, under the heading


def test_tables_print_brackets_and_no_control_character():
    attack = "[red]\x1b[2J\u202e"
    version = Version(attack, attack, "0" * 40, datetime(2026, 1, 1), (attack,), "", {attack: 0.5})
    status = StageStatus(attack, False, (attack,), attack, 0.5, None)
    gates = Gates.model_validate({})
    for table in (registry_table([version], gates), status_table([status])):
        file = io.StringIO()
        PipeConsole(file=file).print(table)
        assert "[red]\\x1b[2J\\u202e" in file.getvalue()
        assert not {"\x1b", "\u202e"} & set(file.getvalue())
