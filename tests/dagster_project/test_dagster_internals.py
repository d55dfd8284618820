"""What this project uses of Dagster's private modules is still there, and still takes the arguments that it gets."""

import importlib
import inspect

import dagster
import pytest

USES = {
    "BaseAssetGraph": "type of the graph in dagster_project/staleness.py",
    "CODE_VERSION_TAG": "staleness of a runless materialisation (dagster_project/dvc/mirror.py)",
    "CachingStaleStatusResolver": "the status that the UI shows (dagster_project/staleness.py)",
    "DATA_VERSION_IS_USER_PROVIDED_TAG": "staleness of a runless materialisation (dagster_project/dvc/mirror.py)",
    "DATA_VERSION_TAG": "staleness of a runless materialisation (dagster_project/dvc/mirror.py)",
    "INPUT_DATA_VERSION_TAG_PREFIX": "staleness of a runless materialisation (dagster_project/dvc/mirror.py)",
    "LoadingContextForTest": "the cache that the resolver reads records through (dagster_project/staleness.py)",
    "NULL_EVENT_POINTER": "inputs that no event in this instance made (dagster_project/dvc/mirror.py)",
    "StaleStatus": "the answers of the resolver (dagster_project/staleness.py)",
    "UnresolvedAssetJobDefinition": "type of the jobs in dagster_project/automation.py",
    "WorkspaceFileTarget": "the web server's code location (dagster_project/webserver.py)",
    "WorkspaceProcessContext": "the web server's connection to its code location (dagster_project/webserver.py)",
    "execute_run": "a run with an id that is known before it starts (dagster_project/run.py)",
    "get_input_data_version_tag": "staleness of a runless materialisation (dagster_project/dvc/mirror.py)",
    "get_input_event_pointer_tag": "staleness of a runless materialisation (dagster_project/dvc/mirror.py)",
    "is_valid_cron_string": "the cron lines that Dagster accepts (dagster_project/schedules.py)",
}
"""Name in ``dagster_project.dagster_internals`` -> what depends on it."""


@pytest.fixture
def internals():
    try:
        return importlib.import_module("dagster_project.dagster_internals")
    except ImportError as error:
        pytest.fail(
            f"dagster {dagster.__version__} has moved or removed a private name: {error}. "
            "Import its replacement in dagster_project/dagster_internals.py."
        )


def test_dagster_internals_list_every_use(internals):
    assert set(internals.__all__) == set(USES)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("CachingStaleStatusResolver", ["instance", "asset_graph", "loading_context"]),
        ("LoadingContextForTest", ["instance"]),
        ("WorkspaceProcessContext", ["instance", "workspace_load_target"]),
        ("execute_run", ["job", "dagster_run", "instance"]),
        ("get_input_data_version_tag", ["input_key"]),
        ("get_input_event_pointer_tag", ["input_key"]),
        ("is_valid_cron_string", ["cron_string"]),
    ],
)
def test_dagster_internals_take_the_arguments_they_get(internals, name, arguments):
    parameters = inspect.signature(getattr(internals, name)).parameters.values()
    required = [each.name for each in parameters if each.default is inspect.Parameter.empty]
    assert required == arguments, f"{name} of dagster {dagster.__version__} changed; it is used for: {USES[name]}"


def test_dagster_internals_know_a_fresh_asset(internals):
    assert internals.StaleStatus.FRESH.value == "FRESH"
    assert internals.get_input_data_version_tag(dagster.AssetKey("a")) == "dagster/input_data_version/a"


def test_dagster_internals_read_a_workspace_file(internals, tmp_path):
    file = tmp_path / "workspace.yaml"
    file.write_text("load_from: [{grpc_server: {location_name: heddle, host: localhost, socket: code.sock}}]")
    (origin,) = internals.WorkspaceFileTarget([str(file)]).create_origins()
    assert (origin.location_name, origin.socket) == ("heddle", "code.sock")
