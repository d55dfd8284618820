"""The section of the lineage, from dvc.yaml."""

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from assets.report.lineage import GraphStage, Layout, draw, read_graph
from tests.support.report_page import Page


def test_lineage_shows_the_graph_of_dvc_yaml(page: Page, project: Path) -> None:
    graph = {stage.name: stage.reads for stage in read_graph(project / "dvc.yaml")}
    assert graph == {
        "catalog": (),
        "validated": ("catalog",),
        "clip": ("validated", "catalog"),
        "index": ("clip", "validated"),
        "report": ("index",),
    }
    assert "Where <it> starts." in page.section("lineage")
    drawing = next(attributes for attributes in page.attributes("svg") if attributes["class"] == "chart lineage")
    assert "clip from validated, catalog" in (drawing["aria-label"] or "")


@st.composite
def graphs(draw_: Any) -> list[GraphStage]:
    count = draw_(st.integers(1, 9))
    stages = []
    for number in range(count):
        reads = draw_(st.sets(st.integers(0, number - 1))) if number else set()
        stages.append(GraphStage(f"s{number}", "", "", tuple(f"s{read}" for read in sorted(reads)), (), {}))
    return stages


def reachable(edges: set[tuple[str, str]], source: str) -> set[str]:
    found: set[str] = set()
    front = {source}
    while front:
        front = {target for start, target in edges if start in front} - found
        found |= front
    return found


@given(graphs())
def test_layout_orders_stages_and_hides_implied_arrows(stages: list[GraphStage]) -> None:
    layout = Layout(stages)
    for stage in stages:
        assert all(layout.place[read][0] < layout.place[stage.name][0] for read in stage.reads)
    assert len(set(layout.place.values())) == len(stages)
    every, drawn = {(read, stage.name) for stage in stages for read in stage.reads}, set(layout.edges)
    assert drawn <= every
    for stage in stages:
        assert reachable(drawn, stage.name) == reachable(every, stage.name)
    for edge in drawn:
        assert edge[1] not in reachable(drawn - {edge}, edge[0])
    ET.fromstring(str(draw(stages)))
