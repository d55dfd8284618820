"""Report changes made outside Dagster: ``dvc repro`` in a terminal, ``git checkout``, ``dvc exp apply``.

The state that Dagster should show is a function of ``dvc.lock`` and the disk. If the last event of an asset differs
from that state, a runless materialization with all provenance tags corrects it. So "unsynced" in the Dagster UI and
"changed" in ``dvc status`` mean the same.
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


def provenance_tags(state: StageState) -> dict[str, str]:
    """The tags from which Dagster computes staleness, read from ``dvc.lock`` and the disk."""
    tags = {
        DATA_VERSION_TAG: state.data_version or MISSING,
        DATA_VERSION_IS_USER_PROVIDED_TAG: "true",
        CODE_VERSION_TAG: state.output_problem or state.recorded_code_version or MISSING,
    }
    for name, version in state.recorded_input_versions.items():
        if version is not None:  # None: an input that is in dvc.yaml but not yet in dvc.lock
            tags[get_input_data_version_tag(dg.AssetKey(name))] = version
            tags[get_input_event_pointer_tag(dg.AssetKey(name))] = NULL_EVENT_POINTER
    return tags


def find_missing_events(project: DvcProject, instance: dg.DagsterInstance) -> list[dg.AssetMaterialization]:
    """Materializations that are missing in Dagster; none while DVC is running."""
    if is_dvc_running(project):
        return []
    events = []
    for state in project.states().values():
        last = instance.get_latest_materialization_event(dg.AssetKey(state.name))
        if last is None and state.data_version is None:
            continue
        materialization = last.asset_materialization if last else None
        tags = provenance_tags(state)
        if materialization and _staleness_tags(materialization.tags or {}) == _staleness_tags(tags):
            continue
        events.append(
            dg.AssetMaterialization(
                asset_key=state.name,
                description="; ".join(state.causes) or "produced outside Dagster",
                metadata={"outcome": "mirrored from dvc.lock and disk", **project.metrics(state.name)},
                tags=tags,
            )
        )
    return events


def mirror(project: DvcProject, instance: dg.DagsterInstance) -> list[str]:
    """Report the missing events to the instance. Returns the names of the corrected assets."""
    events = find_missing_events(project, instance)
    for event in events:
        instance.report_runless_asset_event(event)
    return [event.asset_key.to_user_string() for event in events]


def is_dvc_running(project: DvcProject) -> bool:
    """Whether a DVC process is writing outputs of the project now."""
    try:
        holders = json.loads((project.root / ".dvc/tmp/rwlock").read_text())
    except FileNotFoundError:
        return False
    except json.JSONDecodeError:  # DVC rewrites the file in place, so a partial file means that DVC is running
        return True
    writers = holders.get("write", {}).values()
    return any(psutil.pid_exists(int(writer["pid"])) for writer in writers if writer)


def _staleness_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """The subset of tags that determines staleness, without event pointers and other run tags."""
    return {
        key: value
        for key, value in tags.items()
        if key in (DATA_VERSION_TAG, CODE_VERSION_TAG) or key.startswith(f"{INPUT_DATA_VERSION_TAG_PREFIX}/")
    }
