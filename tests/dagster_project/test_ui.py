"""``heddle ui`` serves the graph on loopback and follows edits without a manual reload."""

import signal
import socket
import subprocess
import sys
import time

import pytest
from dagster_graphql import DagsterGraphQLClient, DagsterGraphQLClientError

ASSETS = """{ assetNodes { assetKey { path } groupName kinds description hasMaterializePermission staleStatus } }"""
AUTOMATION = """{ repositoriesOrError { ... on RepositoryConnection { nodes {
    schedules { name cronSchedule } sensors { name sensorState { status } } } } } }"""


@pytest.fixture
def client(toy):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "heddle.cli", "ui", "--port", str(port)],
        cwd=toy.root,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    client = DagsterGraphQLClient("127.0.0.1", port_number=port)
    try:
        _until(lambda: _nodes(client))
        yield client
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=600)


def _nodes(client) -> dict[str, dict]:
    try:
        answer = client._execute(ASSETS)
    except (DagsterGraphQLClientError, OSError):
        return {}
    return {node["assetKey"]["path"][-1]: node for node in answer["assetNodes"]}


def _until(condition):
    for _ in range(240):
        value = condition()
        if value:
            return value
        time.sleep(0.5)
    raise AssertionError("it did not come about within two minutes")


@pytest.mark.slow
def test_lineage_schedules_and_sensors_are_in_place_and_edits_turn_assets_stale(toy, client):
    nodes = _nodes(client)
    assert nodes["catalog"]["groupName"] == "ingest"
    assert nodes["catalog"]["description"] == "Where it starts."
    assert set(nodes["catalog"]["kinds"]) == {"dvc", "table"}
    assert nodes["encoder"]["staleStatus"] == "FRESH"
    (repository,) = client._execute(AUTOMATION)["repositoriesOrError"]["nodes"]
    assert {schedule["name"] for schedule in repository["schedules"]} == {"ingest", "retrain"}
    assert {sensor["name"] for sensor in repository["sensors"]} >= {"outside_changes", "source_changes"}

    toy.write("scales/small.yaml", "prepared: {size: 1}\nencoder: {learning_rate: 0.01}\n")

    _until(lambda: _nodes(client).get("encoder", {}).get("staleStatus") == "STALE")
    stale = {name for name, node in _nodes(client).items() if node["staleStatus"] == "STALE"}
    assert stale == {"encoder"} == toy.changed()
