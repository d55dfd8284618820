"""Each expectation against rows that break it, and its bound."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.validated.columns import build_frame
from assets.validated.suites import Suites
from heddle.validation.expectations import EXPECTATIONS, SUITES
from tests.support.sound_catalogue import ROWS, Tables, sound


def known(tables: Tables) -> dict[str, set[str]]:
    return {
        "images": {row["sha256"] for row in tables["images"]},
        **{name: {row["id"] for row in tables[name]} for name in ("listings", "guides", "queries", "nodes")},
    }


def change(**values: Any) -> Callable[[dict[str, Any]], None]:
    return lambda row: row.update(values)


def talk(*roles: str) -> list[dict[str, str]]:
    return [{"role": role, "content": "words"} for role in roles]


OBJECT = {"label": "chair", "box": [0.0, 0.0, 1.0, 1.0], "attributes": []}
BREAKS: list[tuple[str, Callable[[dict[str, Any]], None]]] = [
    ("images_unique", change(sha256="00" * 32)),
    ("image_hashes_well_formed", change(sha256="XY" * 32)),
    ("image_hashes_well_formed", change(sha256="ab" * 31)),
    ("images_large_enough", change(height=31)),
    ("images_not_slivers", change(width=400)),
    ("ids_unique", change(id="s:00")),
    ("ids_name_their_source", change(id="other:5")),
    ("images_known", change(image="ff" * 32)),
    ("title_present", change(title=None)),
    ("titles_short", change(title="x" * 301)),
    ("price_positive", change(price=0.0)),
    ("price_positive", change(price=-1.0)),
    ("objects_labelled", change(objects=[OBJECT | {"label": " "}, OBJECT])),
    ("boxes_inside_image", change(objects=[OBJECT | {"box": [0.0, 0.0, 1.01, 1.0]}, OBJECT])),
    ("boxes_inside_image", change(objects=[OBJECT | {"box": [0.5, 0.0, 0.5, 1.0]}, OBJECT])),
    ("relations_point_at_objects", change(relations=[{"subject": 0, "predicate": "on", "object": 2}])),
    ("relations_point_at_objects", change(relations=[{"subject": -1, "predicate": "on", "object": 0}])),
    ("relations_point_at_objects", change(relations=[{"subject": 1, "predicate": "on", "object": 1}])),
    ("relations_point_at_objects", change(objects=None)),
    ("body_sanitised", change(body="<p onclick='x()'>a</p>")),
    ("body_sanitised", change(body="<script>x()</script>")),
    ("dates_in_order", change(modified="2023-12-31T00:00:00Z")),
    ("guide_ids_unique", change(id="s:g00")),
    ("text_present", change(text=" \n")),
    ("query_ids_unique", change(id="s:q00")),
    ("question_present", change(text="")),
    ("judgements_unique", change(query="s:q00", guide="s:g00")),
    ("judgements_join_known", change(query="s:none")),
    ("judgements_join_known", change(guide="s:none")),
    ("relevance_in_range", change(relevance=4)),
    ("conversation_ids_unique", change(id="s:c00")),
    ("turns_alternate", change(messages=[])),
    ("turns_alternate", change(messages=talk("user"))),
    ("turns_alternate", change(messages=talk("assistant", "user"))),
    ("turns_alternate", change(messages=talk("user", "user", "assistant"))),
    ("turns_alternate", change(messages=talk("user", "robot"))),
    ("turns_alternate", change(messages=[*talk("user"), {"role": "assistant", "content": ""}])),
    ("preference_ids_unique", change(id="s:p00")),
    ("answers_differ", change(rejected="a ")),
    ("node_ids_unique", change(id="s:n00")),
    ("node_text_present", change(text="")),
    ("edges_join_known_nodes", change(target="s:none")),
    ("edges_no_loops", change(source="s:n05", target="s:n05")),
]


@pytest.fixture
def suites() -> Suites:
    return Suites({})


def test_sound_rows_meet_every_expectation(suites: Suites) -> None:
    tables = sound()
    for suite in SUITES:
        for outcome in suites.check(suite, build_frame(suite, tables[suite], known(tables)))[0]:
            assert outcome.passed, outcome
            assert not outcome.failing
            assert outcome.evaluated == len(tables[suite]), outcome


def test_every_expectation_is_broken_by_some_row() -> None:
    assert {name for name, _ in BREAKS} == {each.name for each in EXPECTATIONS}


@pytest.mark.parametrize(("name", "spoil"), BREAKS, ids=[name for name, _ in BREAKS])
def test_broken_row_fails_its_expectation_alone(
    suites: Suites, name: str, spoil: Callable[[dict[str, Any]], None]
) -> None:
    tables = sound()
    suite = next(each.suite for each in EXPECTATIONS if each.name == name)
    known_before = known(tables)
    spoil(tables[suite][5])
    twins = [0, 5] if name.endswith("_unique") else [5]  # a row that is not unique has a twin that is not, either
    failing = {
        outcome.expectation.name: list(outcome.failing)
        for outcome in suites.check(suite, build_frame(suite, tables[suite], known_before))[0]
        if outcome.failing
    }
    assert failing == {name: twins}


def test_rows_to_which_an_expectation_does_not_apply_do_not_count(suites: Suites) -> None:
    rows = sound()["listings"]
    for row in rows[:10]:
        row.update(price=None, objects=None, relations=None, created=None, body=None)
    found = {
        each.expectation.name: each
        for each in suites.check("listings", build_frame("listings", rows, known(sound())))[0]
    }
    for name in (
        "price_positive",
        "boxes_inside_image",
        "relations_point_at_objects",
        "dates_in_order",
        "body_sanitised",
    ):
        assert (found[name].evaluated, found[name].passed) == (ROWS - 10, True)


@settings(max_examples=20, deadline=None)
@given(failing=st.integers(0, ROWS), bound=st.sampled_from([0.0, 1 / 24, 0.05, 0.125, 0.25, 0.5, 1.0]))
def test_an_expectation_passes_as_long_as_its_bound_holds(failing: int, bound: float) -> None:
    rows = sound()["listings"]
    for row in rows[:failing]:
        row["title"] = None
    found = Suites({"title_present": bound}).check("listings", build_frame("listings", rows, known(sound())))[0]
    outcome = next(each for each in found if each.expectation.name == "title_present")
    assert outcome.passed == (failing <= bound * ROWS + 1e-9)
    assert list(outcome.failing) == list(range(failing))
