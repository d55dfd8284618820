"""Select the assets of a run: changed assets and everything downstream of them."""

from collections.abc import Iterable

import dagster as dg

from dagster_project.dagster_internals import (
    BaseAssetGraph,
    CachingStaleStatusResolver,
    LoadingContextForTest,
    StaleStatus,
)
from dagster_project.dvc.project import DvcProject


def find_unsynced_assets(graph: BaseAssetGraph, instance: dg.DagsterInstance) -> set[str]:
    """Assets that Dagster labels "unsynced" or "never materialized".

    As in ``dvc status``, only the direct inputs of an asset count: an asset downstream of a stale asset is not stale
    until the rerun produces different bytes.
    """
    resolver = CachingStaleStatusResolver(instance, graph, LoadingContextForTest(instance))
    return {
        key.to_user_string()
        for key in graph.materializable_asset_keys
        if resolver.get_status(key) is not StaleStatus.FRESH
    }


def find_stale_assets(project: DvcProject, graph: BaseAssetGraph, instance: dg.DagsterInstance) -> set[str]:
    """Stale assets and everything downstream of them.

    A downstream stage whose inputs turn out to be unchanged is skipped by DVC at no cost. Stages are compared with the
    files on disk, not with the code versions of a code location that was loaded earlier.
    """
    stages = project.states()
    changed = {name for name, state in stages.items() if state.changed}
    changed |= {name for name in find_unsynced_assets(graph, instance) if name not in stages}
    return add_descendants(graph, changed)


def add_descendants(graph: BaseAssetGraph, names: Iterable[str]) -> set[str]:
    """``names`` and every materializable asset downstream of them."""
    found, queue = set(names), list(names)
    while queue:
        for child in graph.get(dg.AssetKey(queue.pop())).child_keys:
            name = child.to_user_string()
            if name not in found:
                found.add(name)
                queue.append(name)
    return found
