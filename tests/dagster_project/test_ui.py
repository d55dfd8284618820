"""``heddle ui`` serves the graph on loopback and follows edits without a manual reload."""

import socket

import httpx
import psutil
import pytest
from dagster_graphql import DagsterGraphQLClientError
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from dagster_project.orphaned_runs import find_daemon
from dagster_project.schedules import Schedules
from dagster_project.ui import describe_automations
from tests.support.ui_process import PATIENCE, running_ui, until

ASSETS = """{ assetNodes { assetKey { path } groupName kinds description hasMaterializePermission staleStatus } }"""
AUTOMATION = """{ repositoriesOrError { ... on RepositoryConnection { nodes {
    schedules { name cronSchedule } sensors { name sensorState { status } } } } } }"""


def _nodes(client) -> dict[str, dict]:
    try:
        answer = client._execute(ASSETS)
    except (DagsterGraphQLClientError, OSError):
        return {}
    return {node["assetKey"]["path"][-1]: node for node in answer["assetNodes"]}


@pytest.mark.slow
def test_lineage_schedules_and_sensors_are_in_place_and_edits_turn_assets_stale(toy, ui):
    client = ui.client
    until(lambda: _nodes(client))
    nodes = _nodes(client)
    assert nodes["catalog"]["groupName"] == "ingest"
    assert nodes["catalog"]["description"] == "Where it starts."
    assert set(nodes["catalog"]["kinds"]) == {"dvc", "table"}
    assert nodes["encoder"]["staleStatus"] == "FRESH"
    (repository,) = client._execute(AUTOMATION)["repositoriesOrError"]["nodes"]
    assert {schedule["name"] for schedule in repository["schedules"]} == {"ingest", "retrain"}
    assert {sensor["name"] for sensor in repository["sensors"]} >= {"outside_changes", "source_changes"}

    toy.write("scales/small.yaml", "prepared: {size: 1}\nencoder: {learning_rate: 0.01}\n")

    until(lambda: _nodes(client).get("encoder", {}).get("staleStatus") == "STALE")
    stale = {name for name, node in _nodes(client).items() if node["staleStatus"] == "STALE"}
    assert stale == {"encoder"} == toy.changed()


MUTATION = """mutation { startSchedule(scheduleSelector: {
    repositoryLocationName: "heddle", repositoryName: "__repository__", scheduleName: "ingest"
}) { ... on ScheduleStateResult { scheduleState { status } } ... on PythonError { message } } }"""
TIMES = {"ingest": "0 2 * * *", "retrain": "0 4 * * *", "timezone": "UTC", "source_poll_seconds": 60}


@pytest.mark.slow
def test_other_sites_start_nothing_and_own_pages_do(toy, monkeypatch):
    monkeypatch.setenv("HEDDLE_UI_TOKEN", "secret-of-the-test")
    with running_ui(toy.root) as ui:
        url = f"http://127.0.0.1:{ui.port}"
        for options, status in [
            ({"headers": {}}, 401),
            ({"headers": {"Host": "evil.example"}}, 403),
            ({"headers": {"Origin": "https://evil.example"}}, 403),
        ]:
            answer = httpx.post(f"{url}/graphql", json={"query": MUTATION}, **options)
            assert answer.status_code == status, answer.text
        key = {"Authorization": "Bearer secret-of-the-test"}
        assert httpx.get(f"{url}/graphql", params={"query": MUTATION}, headers=key).status_code == 405
        form = httpx.post(f"{url}/graphql", params={"query": MUTATION}, headers=key, data={"a": "b"})
        assert form.status_code == 415
        assert "ingest" not in {state.instigator_name for state in toy.instance.all_instigator_state()}

        page = httpx.get(url, headers={**key, "Accept": "text/html"})
        assert page.status_code == 200
        own = httpx.post(f"{url}/graphql", json={"query": MUTATION}, headers={**key, "Origin": url}, timeout=60)
        assert own.json()["data"]["startSchedule"]["scheduleState"]["status"] == "RUNNING"
        with connect(
            f"{url.replace('http', 'ws')}/graphql", additional_headers=key, subprotocols=["graphql-ws"]
        ) as channel:
            channel.send('{"type": "connection_init"}')
            assert "connection_ack" in channel.recv(timeout=60)
        with pytest.raises(InvalidStatus, match="403"):
            connect(f"{url.replace('http', 'ws')}/graphql", origin="https://evil.example", additional_headers=key)

        toy.write("scales/small.yaml", "prepared: {size: 1}\nencoder: {learning_rate: 0.01}\n")
        until(lambda: "Reloaded after an edit" in ui.output.read_text())  # the reload sends the token
    assert "Off: schedule ingest, schedule retrain, sensor source_changes" in ui.output.read_text()
    assert "secret-of-the-test" not in ui.output.read_text()
    assert describe_automations(Schedules(**TIMES), toy.instance).startswith("On: schedule ingest. Off: ")
    assert describe_automations(Schedules(**TIMES, enabled=True), toy.instance).endswith("Off: none.")


@pytest.mark.slow
def test_killed_ui_takes_its_processes_with_it(toy):
    with running_ui(toy.root) as ui:
        below = psutil.Process(ui.process.pid).children()
        assert find_daemon(toy.root) in {process.pid for process in below}
        ui.process.kill()
        ui.process.wait()
        assert not psutil.wait_procs(below, timeout=PATIENCE)[1]
    assert find_daemon(toy.root) is None


@pytest.mark.slow
def test_port_in_use_ends_the_ui_with_a_message(toy):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ended = toy.heddle("ui", "--port", str(taken.getsockname()[1]))
    assert ended.returncode == 1
    assert "the web server of the UI ended with code" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert find_daemon(toy.root) is None
