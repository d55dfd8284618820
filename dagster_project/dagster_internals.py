"""Everything that this project uses of Dagster's private modules, which may change in any version.

Only this module imports them. ``tests/dagster_project/test_dagster_internals.py`` names each with its purpose, so that
an upgrade which moves or changes one fails there first.
"""

from dagster._core.definitions.assets.graph.base_asset_graph import BaseAssetGraph
from dagster._core.definitions.data_version import (
    CODE_VERSION_TAG,
    DATA_VERSION_IS_USER_PROVIDED_TAG,
    DATA_VERSION_TAG,
    INPUT_DATA_VERSION_TAG_PREFIX,
    NULL_EVENT_POINTER,
    CachingStaleStatusResolver,
    StaleStatus,
    get_input_data_version_tag,
    get_input_event_pointer_tag,
)
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition
from dagster._core.execution.api import execute_run
from dagster._core.loader import LoadingContextForTest
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import WorkspaceFileTarget
from dagster._utils.schedules import is_valid_cron_string

__all__ = [
    "CODE_VERSION_TAG",
    "DATA_VERSION_IS_USER_PROVIDED_TAG",
    "DATA_VERSION_TAG",
    "INPUT_DATA_VERSION_TAG_PREFIX",
    "NULL_EVENT_POINTER",
    "BaseAssetGraph",
    "CachingStaleStatusResolver",
    "LoadingContextForTest",
    "StaleStatus",
    "UnresolvedAssetJobDefinition",
    "WorkspaceFileTarget",
    "WorkspaceProcessContext",
    "execute_run",
    "get_input_data_version_tag",
    "get_input_event_pointer_tag",
    "is_valid_cron_string",
]
