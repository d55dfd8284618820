"""What came in, the gates and the headline numbers: all from the metrics files."""

import re
from pathlib import Path

from assets.index.stage import index
from assets.report.charts.svg import readable
from assets.report.stage import report
from heddle.core.stage import read_json, write_json
from tests.support.report_page import Page, read_page
from tests.support.small_project import NUMBERS, run, write_project


def test_the_headline_is_the_metrics_files(page: Page, project: Path) -> None:
    catalog = read_json(project / "data" / "catalog" / "metrics.json")
    validated = read_json(project / "data" / "validated" / "metrics.json")
    fetched, accepted = catalog["listings_fetched"], validated["listings_accepted"]
    refused, duplicates = validated["listings_quarantined"], catalog["listings_duplicates"]
    assert fetched == accepted + refused + duplicates
    head = page.words.split("What came in", 1)[1].split("Gates", 1)[0]
    assert [int(number) for number in re.findall(r"\d+", head)[:4]] == [fetched, accepted, refused, duplicates]
    assert "24 listings, 1 of 2 gates failed" in page.words
    assert "add up" not in page.words


def test_counts_that_do_not_add_up_are_shouted(tmp_path: Path) -> None:
    folder = write_project(tmp_path / "project")
    run(index, folder)
    write_json(folder / "data" / "catalog" / "metrics.json", {"listings_fetched": 30})
    run(report, folder)
    assert "do not add up: 2 are missing" in read_page(folder).words


def test_headline_numbers_stand_beside_interval_chance_gate_and_ceiling(page: Page) -> None:
    head = page.words.split("what they never saw", 1)[1].split("confidence interval", 1)[0]
    for key, value in NUMBERS.items():
        if key != "duplicate_texts":
            assert readable(value) in head, key
    assert "gate ≥ 0.600" in head
    assert head.index("Text to image recall@10") < head.index("Zero-shot item accuracy")


def test_the_headline_tells_of_each_model(page: Page, project: Path) -> None:
    head = page.words.split("what they never saw", 1)[1].split("confidence interval", 1)[0]
    vision = read_json(project / "data" / "vision_evaluation" / "metrics.json")
    product = read_json(project / "data" / "product_evaluation" / "metrics.json")
    assert f"Item accuracy {readable(vision['item_accuracy'])}" in head
    assert f"Material accuracy {readable(vision['material_accuracy'])}" in head
    assert f"Accuracy {readable(product['accuracy'])}" in head
    retrieval = read_json(project / "data" / "retrieval_evaluation" / "metrics.json")
    assistant = read_json(project / "data" / "assistant_evaluation" / "metrics.json")
    assert f"NDCG@10, rrf {readable(retrieval['rrf_ndcg_at_10'])}" in head
    assert f"NDCG@10, rrf reranked {readable(retrieval['rrf_reranked_ndcg_at_10'])}" in head
    assert "expanded" not in head
    assert f"Right answers, with guides {readable(assistant['with_guides_step_accuracy'])}" in head
    assert head.index("clip words and images") < head.index("vision names") < head.index("product names")


def test_gates_are_judged(page: Page) -> None:
    assert re.search(r"recall@10 passed found 0\.712, must be at least 0\.5", page.words)
    assert re.search(r"accuracy failed found 0\.432, must be at least 0\.6", page.words)


def test_refused_records_are_counted_by_reason_with_an_example(page: Page) -> None:
    assert re.search(r"image_missing listings 2 shop:800 404", page.words)
    assert re.search(r"title_present listings 1 shop:802", page.words)
    assert re.search(r"edges_join_known_nodes edges 1 a made_of b", page.words)
    assert "shop:900 shop:000 near 3" in page.words
    assert "http://shop.example/shop:800" in {attributes["href"] for attributes in page.attributes("a")}
