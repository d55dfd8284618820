"""What is done about a draft depends on what stands there and what is wanted: told for every such pair."""

import html
from dataclasses import replace
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from heddle.publishing.plan import OPEN, Kind, Standing, Wanted, hashes_of, same, step_of

TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=12)
VALUES = {
    "title": TEXTS,
    "content": TEXTS,
    "tags": st.lists(TEXTS, max_size=3, unique=True).map(sorted),
    "featured_media": st.integers(1, 9),
    "meta.seo_title": TEXTS,
}
FIELDS = st.fixed_dictionaries(VALUES)
WANTED = FIELDS.map(lambda fields: Wanted("shop:1", fields))
SITES = st.sampled_from([lambda value: value, html.escape, lambda text: html.escape(text, quote=False) + "\n"])


def stored(wanted: Wanted, kept: Any = str) -> Standing:
    """As it stands after we wrote it, on a site that keeps texts in a way of its own."""
    fields = {name: kept(value) if isinstance(value, str) else value for name, value in wanted.fields.items()}
    return Standing(7, "draft", fields, hashes_of(wanted.fields), "2026-01-01T00:00:00", "2026-01-01T00:00:00")


@given(WANTED)
def test_where_nothing_stands_a_draft_is_new(wanted: Wanted) -> None:
    step = step_of(wanted, None)
    assert (step.kind, step.post) == (Kind.NEW, None)
    assert {name: new for name, (_, new) in step.changes.items()} == {k: v for k, v in wanted.fields.items() if v}


@given(WANTED, SITES)
def test_what_was_written_is_unchanged_however_the_site_escapes_it(wanted: Wanted, kept: Any) -> None:
    clean = {name: html.escape(value) if isinstance(value, str) else value for name, value in wanted.fields.items()}
    wanted = Wanted("shop:1", clean)
    again = lambda text: text.replace("&#x27;", "'") + "\n"  # noqa: E731
    assert step_of(wanted, stored(wanted, again)).kind is Kind.UNCHANGED
    assert step_of(wanted, stored(wanted)).kind is Kind.UNCHANGED


@given(WANTED, WANTED)
def test_other_content_changes_exactly_what_differs_and_then_nothing(before: Wanted, after: Wanted) -> None:
    step = step_of(after, stored(before))
    different = {name for name in VALUES if not same(before.fields[name], after.fields[name])}
    assert set(step.changes) == different
    assert step.kind is (Kind.CHANGED if different else Kind.UNCHANGED)
    assert step_of(after, stored(replace(before, fields={**before.fields, **after.fields}))).kind is Kind.UNCHANGED


@given(WANTED, WANTED, st.sampled_from(sorted(VALUES)), st.data())
def test_an_edit_is_left_alone_whatever_is_wanted(before: Wanted, after: Wanted, name: str, data: Any) -> None:
    standing = stored(before)
    edit = data.draw(VALUES[name])
    assume(not same(edit, before.fields[name]))
    step = step_of(after, replace(standing, fields={**standing.fields, name: edit}))
    assert (step.kind, step.changes, name in step.why) == (Kind.LEFT_ALONE, {}, True)


@given(WANTED, WANTED, st.sampled_from(["publish", "future", "private", "trash"]))
def test_what_a_person_decided_on_is_left_alone(before: Wanted, after: Wanted, status: str) -> None:
    assert status not in OPEN
    assert step_of(after, replace(stored(before), status=status)).kind is Kind.LEFT_ALONE


@given(WANTED, WANTED)
def test_a_later_save_or_lost_marks_are_left_alone(before: Wanted, after: Wanted) -> None:
    assert step_of(after, replace(stored(before), modified="2026-01-01T00:00:09")).kind is Kind.LEFT_ALONE
    assert step_of(after, replace(stored(before), hashes={}, written="")).kind is Kind.LEFT_ALONE
