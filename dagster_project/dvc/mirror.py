"""Report to Dagster what was done outside it: ``dvc repro`` in a terminal, ``git checkout``, ``dvc exp apply``.

The state that Dagster should show is a function of ``dvc.lock`` and the disk. Where the last event of an asset says
otherwise, a runless materialisation with the full set of provenance tags puts it right, so that "unsynced" in the
Dagster UI and "changed" in ``dvc status`` are one statement.
"""

import json
from collections.abc import Mapping

import dagster as dg
import psutil

from dagster_project.dagster_internals import (
    CODE_VERSION_TAG,
    DATA_VERSION_IS_USER_PROVIDED_TAG,
    DATA_VERSION_TAG,
    INPUT_DATA_VERSION_TAG_PREFIX,
    NULL_EVENT_POINTER,
    get_input_data_version_tag,
    get_input_event_pointer_tag,
)
from dagster_project.dvc.project import DvcProject, StageState

MISSING = "missing"


def provenance(state: StageState) -> dict[str, str]:
    """The tags by which Dagster judges staleness, from what ``dvc.lock`` recorded and what lies on disk."""
    tags = {
        DATA_VERSION_TAG: state.data_version or MISSING,
        DATA_VERSION_IS_USER_PROVIDED_TAG: "true",
        CODE_VERSION_TAG: state.output_fault or state.recorded_code_version or MISSING,
    }
    for name, version in state.recorded_input_versions.items():
        if version is not None:  # None: dvc.yaml names an input that the lock does not know yet
            tags[get_input_data_version_tag(dg.AssetKey(name))] = version
            tags[get_input_event_pointer_tag(dg.AssetKey(name))] = NULL_EVENT_POINTER
    return tags


def runless_events(project: DvcProject, instance: dg.DagsterInstance) -> list[dg.AssetMaterialization]:
    """The materialisations that Dagster does not know of; none while DVC is at work."""
    if busy(project):
        return []
    events = []
    for state in project.states().values():
        last = instance.get_latest_materialization_event(dg.AssetKey(state.name))
        if last is None and state.data_version is None:
            continue
        materialization = last.asset_materialization if last else None
        tags = provenance(state)
        if materialization and _judged_by(materialization.tags or {}) == _judged_by(tags):
            continue
        events.append(
            dg.AssetMaterialization(
                asset_key=state.name,
                description="; ".join(state.causes) or "made outside Dagster",
                metadata={"outcome": "mirrored from dvc.lock and the disk", **project.metrics(state.name)},
                tags=tags,
            )
        )
    return events


def mirror(project: DvcProject, instance: dg.DagsterInstance) -> list[str]:
    """Write the missing events into the instance. Returns the names of the assets that were put right."""
    events = runless_events(project, instance)
    for event in events:
        instance.report_runless_asset_event(event)
    return [event.asset_key.to_user_string() for event in events]


def busy(project: DvcProject) -> bool:
    """Whether a DVC process works on the project's outputs at this moment."""
    try:
        holders = json.loads((project.root / ".dvc/tmp/rwlock").read_text())
    except FileNotFoundError:
        return False
    except json.JSONDecodeError:  # DVC rewrites it in place: a half-written one is being written
        return True
    writers = holders.get("write", {}).values()
    return any(psutil.pid_exists(int(writer["pid"])) for writer in writers if writer)


def _judged_by(tags: Mapping[str, str]) -> dict[str, str]:
    """The tags that decide about staleness; event pointers and the rest of a run's tags do not."""
    return {
        key: value
        for key, value in tags.items()
        if key in (DATA_VERSION_TAG, CODE_VERSION_TAG) or key.startswith(f"{INPUT_DATA_VERSION_TAG_PREFIX}/")
    }
