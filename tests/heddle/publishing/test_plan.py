"""The planned change of a draft, for every pair of desired and remote state."""

import html
from dataclasses import replace
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from heddle.publishing.plan import OPEN, Action, DesiredState, RemoteState, field_hashes, is_same, plan_change

TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=12)
VALUES = {
    "title": TEXTS,
    "content": TEXTS,
    "tags": st.lists(TEXTS, max_size=3, unique=True).map(sorted),
    "featured_media": st.integers(1, 9),
    "meta.seo_title": TEXTS,
}
FIELDS = st.fixed_dictionaries(VALUES)
DESIRED = FIELDS.map(lambda fields: DesiredState("shop:1", fields))
SITES = st.sampled_from([lambda value: value, html.escape, lambda text: html.escape(text, quote=False) + "\n"])


def stored(desired: DesiredState, kept: Any = str) -> RemoteState:
    """The remote state after Heddle wrote it, on a site that stores texts with its own escaping."""
    fields = {name: kept(value) if isinstance(value, str) else value for name, value in desired.fields.items()}
    return RemoteState(7, "draft", fields, field_hashes(desired.fields), "2026-01-01T00:00:00", "2026-01-01T00:00:00")


@given(DESIRED)
def test_plan_without_a_draft_creates_one(desired: DesiredState) -> None:
    planned = plan_change(desired, None)
    assert (planned.action, planned.post) == (Action.CREATE, None)
    assert {name: new for name, (_, new) in planned.changes.items()} == {k: v for k, v in desired.fields.items() if v}


@given(DESIRED, SITES)
def test_plan_after_a_write_is_unchanged_whatever_the_escaping(desired: DesiredState, kept: Any) -> None:
    clean = {name: html.escape(value) if isinstance(value, str) else value for name, value in desired.fields.items()}
    desired = DesiredState("shop:1", clean)
    again = lambda text: text.replace("&#x27;", "'") + "\n"  # noqa: E731
    assert plan_change(desired, stored(desired, again)).action is Action.UNCHANGED
    assert plan_change(desired, stored(desired)).action is Action.UNCHANGED


@given(DESIRED, DESIRED)
def test_plan_of_other_content_updates_only_what_differs(before: DesiredState, after: DesiredState) -> None:
    planned = plan_change(after, stored(before))
    different = {name for name in VALUES if not is_same(before.fields[name], after.fields[name])}
    assert set(planned.changes) == different
    assert planned.action is (Action.UPDATE if different else Action.UNCHANGED)
    assert (
        plan_change(after, stored(replace(before, fields={**before.fields, **after.fields}))).action is Action.UNCHANGED
    )


@given(DESIRED, DESIRED, st.sampled_from(sorted(VALUES)), st.data())
def test_plan_skips_a_draft_that_a_person_edited(
    before: DesiredState, after: DesiredState, name: str, data: Any
) -> None:
    remote = stored(before)
    edit = data.draw(VALUES[name])
    assume(not is_same(edit, before.fields[name]))
    planned = plan_change(after, replace(remote, fields={**remote.fields, name: edit}))
    assert (planned.action, planned.changes, name in planned.reason) == (Action.SKIP, {}, True)


@given(DESIRED, DESIRED, st.sampled_from(["publish", "future", "private", "trash"]))
def test_plan_skips_a_draft_of_another_status(before: DesiredState, after: DesiredState, status: str) -> None:
    assert status not in OPEN
    assert plan_change(after, replace(stored(before), status=status)).action is Action.SKIP


@given(DESIRED, DESIRED)
def test_plan_skips_a_later_save_and_lost_hashes(before: DesiredState, after: DesiredState) -> None:
    assert plan_change(after, replace(stored(before), modified="2026-01-01T00:00:09")).action is Action.SKIP
    assert plan_change(after, replace(stored(before), hashes={}, written="")).action is Action.SKIP
