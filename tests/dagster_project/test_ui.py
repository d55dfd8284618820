"""``heddle ui`` serves the graph on loopback and follows edits without a manual reload."""

import pytest
from dagster_graphql import DagsterGraphQLClientError

from tests.support.ui_process import until

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
