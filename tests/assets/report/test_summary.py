"""The head of the page: counts, gates and headline metrics, all from the metrics files."""

import re
from pathlib import Path

import pytest

from assets.report.charts.svg import readable
from heddle.core.stage import read_json, write_json
from heddle.evaluation.metric_tree import find, leaves
from tests.support.report_page import Page, write_page
from tests.support.small_project import NUMBERS, write_project

RESULTS = "Test-set results"


@pytest.fixture(scope="module")
def results(page: Page) -> str:
    return page.head.partition(RESULTS)[2]


def test_ingest_counts_are_those_of_the_metrics_files(page: Page, project: Path) -> None:
    catalog = read_json(project / "data" / "catalog" / "metrics.json")
    validated = read_json(project / "data" / "validated" / "metrics.json")
    fetched, accepted = catalog["listings_fetched"], validated["listings_accepted"]
    quarantined, duplicates = validated["listings_quarantined"], catalog["listings_duplicates"]
    assert fetched == accepted + quarantined + duplicates
    ingest = page.head.partition(" Ingest ")[2].partition(" Gates ")[0]
    assert [int(number) for number in re.findall(r"\d+", ingest)[:4]] == [fetched, accepted, quarantined, duplicates]
    assert "24 listings, 1 of 2 gates failed" in page.head
    assert "add up" not in page.words


def test_ingest_counts_that_do_not_add_up_raise_an_alarm(tmp_path: Path) -> None:
    folder = write_project(tmp_path / "project")
    write_json(folder / "data" / "catalog" / "metrics.json", {"listings_fetched": 30})
    assert "The counts do not add up: 2 are missing." in write_page(folder).head


def test_headline_shows_interval_chance_gate_and_upper_bound(results: str) -> None:
    clip = results.partition(" vision ")[0]
    shown = [metric for metric in leaves(NUMBERS) if metric.path != "duplicate_texts"]
    assert len(shown) == 3
    for metric in shown:
        assert readable(metric.value) in clip, metric.path
        if metric.interval:
            assert " \N{EN DASH} ".join(map(readable, metric.interval)) in clip
        if metric.chance is not None:
            assert f"chance {readable(metric.chance)}" in clip
        if metric.upper_bound is not None:
            assert f"upper bound {readable(metric.upper_bound)}" in clip
    assert "gate ≥ 0.600" in clip
    assert clip.index("Recall@10, text to image") < clip.index("Item accuracy, zero-shot")


def test_headline_shows_the_metrics_of_each_model(results: str, project: Path) -> None:
    names = {
        "vision_evaluation": {"item.accuracy": "Accuracy, item", "material.accuracy": "Accuracy, material"},
        "product_evaluation": {
            "full.accuracy": "Accuracy, full",
            "text_only.accuracy": "Accuracy, text only",
            "image_only.accuracy": "Accuracy, image only",
        },
        "writer_evaluation": {
            "full.item_recall": "Item recall, full",
            "full.relations_recall": "Relations recall, full",
            "image_only.item_recall": "Item recall, image only",
            "full.error_detection_auroc": "Error detection AUROC, full",
        },
        "recommender_evaluation": {"graph.auroc": "AUROC, graph", "graph.hits_at_10": "Hits@10, graph"},
        "retrieval_evaluation": {
            "rrf.ndcg_at_10": "NDCG@10, RRF",
            "rrf_reranked.ndcg_at_10": "NDCG@10, RRF reranked",
        },
        "assistant_evaluation": {
            "retrieved_context.step_accuracy": "Step accuracy, retrieved context",
            "oracle_context.step_accuracy": "Step accuracy, oracle context",
        },
    }
    for stage, by_path in names.items():
        metrics = read_json(project / "data" / stage / "metrics.json")
        for path, name in by_path.items():
            metric = find(metrics, path)
            assert metric, path
            assert f"{name} {readable(metric.value)}" in results
    assert "expanded" not in results
    order = [results.index(words) for words in (" clip Embeds", " vision Predicts", " product Predicts")]
    assert order == sorted(order)


def test_gates_show_verdict_value_and_bound(page: Page) -> None:
    gates = page.head.partition(" Gates ")[2].partition(RESULTS)[0]
    assert "clip Recall@10, text to image passed found 0.712, must be at least 0.5" in gates
    assert "clip Item accuracy, zero-shot failed found 0.432, must be at least 0.6" in gates


def test_quarantine_is_counted_by_reason_with_an_example(page: Page) -> None:
    intake = page.section("intake")
    assert re.search(r"image_missing listings 2 shop:800 404", intake)
    assert re.search(r"title_present listings 1 shop:802", intake)
    assert re.search(r"edges_join_known_nodes edges 1 a made_of b", intake)
    assert "shop:900 shop:000 near 3" in intake
    assert "http://shop.example/shop:800" in {attributes["href"] for attributes in page.attributes("a")}
