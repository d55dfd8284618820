"""Which assets a run must make: those that changed, and everything downstream of them."""

from collections.abc import Iterable

import dagster as dg

from dagster_project.dagster_internals import (
    BaseAssetGraph,
    CachingStaleStatusResolver,
    LoadingContextForTest,
    StaleStatus,
)
from dagster_project.dvc.project import DvcProject


def dagster_calls_stale(graph: BaseAssetGraph, instance: dg.DagsterInstance) -> set[str]:
    """The assets that Dagster labels "unsynced" or "never materialized".

    Like ``dvc status``, it judges each asset by its own inputs alone: what lies downstream of a stale asset is not
    stale until the rerun gives other bytes.
    """
    resolver = CachingStaleStatusResolver(instance, graph, LoadingContextForTest(instance))
    return {
        key.to_user_string()
        for key in graph.materializable_asset_keys
        if resolver.get_status(key) is not StaleStatus.FRESH
    }


def must_run(project: DvcProject, graph: BaseAssetGraph, instance: dg.DagsterInstance) -> set[str]:
    """The stale assets and all that is downstream of them; a stage among these that gets the same inputs as before is
    found unchanged when its turn comes, and costs nothing.

    Stages are judged by the disk as it is now, not by the code versions of a code location loaded earlier.
    """
    stages = project.states()
    changed = {name for name, state in stages.items() if state.changed}
    changed |= {name for name in dagster_calls_stale(graph, instance) if name not in stages}
    return with_descendants(graph, changed)


def with_descendants(graph: BaseAssetGraph, names: Iterable[str]) -> set[str]:
    """``names`` and every materialisable asset downstream of them."""
    found, queue = set(names), list(names)
    while queue:
        for child in graph.get(dg.AssetKey(queue.pop())).child_keys:
            name = child.to_user_string()
            if name not in found:
                found.add(name)
                queue.append(name)
    return found
