"""The source `demo`: the shop crawled over a real socket. What is planted in it is what comes out."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from assets.validated.stage import validated
from demo_shop.shop import Shop
from heddle.core.schemas import TABLES, read_rows
from heddle.core.stage import Stage

ROOT = Path(__file__).parents[3]
SEED, LISTINGS, GUIDES = 7, 56, 24  # the smallest shop that has one fault of each kind


def project(folder: Path, concurrency: int = 16) -> Path:
    (folder / "scales").mkdir(parents=True, exist_ok=True)
    (folder / "scales/smoke.yaml").write_text(f"demo_shop: {{listings: {LISTINGS}, guides: {GUIDES}}}\n")
    (folder / "dvc.yaml").write_text("stages: {catalog: {params: [{params.yaml: [catalog, demo_shop]}]}}\n")
    (folder / "params.yaml").write_text(
        f"scale: smoke\nseed: {SEED}\ncatalog:\n  sources:\n"
        f"    - {{name: shop, kind: demo, concurrency: {concurrency}}}\n"
    )
    return folder


def start(folder: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "assets.catalog"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def crawl(folder: Path) -> dict[str, bytes]:
    """Run the stage to its end; the bytes of every output."""
    process = start(folder)
    output, _ = process.communicate(timeout=600)
    assert process.returncode == 0, output
    return {file.name: file.read_bytes() for file in sorted((folder / "data/catalog").iterdir())}


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, bytes]]:
    folder = project(tmp_path_factory.mktemp("demo"))
    return folder / "data/catalog", crawl(folder)


@pytest.fixture(scope="module")
def shop() -> Shop:
    return Shop(SEED, LISTINGS, GUIDES)


def by_id(folder: Path, table: str) -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in read_rows(folder / f"{table}.parquet")}


def test_planted_faults_are_what_is_refused(crawled: tuple[Path, dict[str, bytes]], shop: Shop) -> None:
    """Faults that only the expectations of `validated` can see pass here."""
    folder, _ = crawled
    here = {"image_missing", "image_truncated", "image_type", "image_too_large", "no_image", "malformed_record"}
    planted = {f"shop:{fault.id}": fault.reason for fault in shop.faults if fault.reason in here}
    assert set(planted.values()) == here
    assert {key: row["reason"] for key, row in by_id(folder, "quarantine").items()} == planted
    duplicates = {f"shop:{f.id}": (f"shop:{f.original}", f.reason) for f in shop.faults if f.outcome == "duplicate"}
    assert {key: (row["original"], row["kind"]) for key, row in by_id(folder, "duplicates").items()} == duplicates
    accepted = {f"shop:{fault.id}" for fault in shop.faults if fault.outcome == "accepted"}
    assert accepted <= by_id(folder, "listings").keys()


def test_faults_that_pass_here_are_what_validated_refuses(
    crawled: tuple[Path, dict[str, bytes]], shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(crawled[0].parents[1])
    validated(Stage("validated", tmp_path))
    refused = {
        (row["table"], row["id"].replace("shop:", "")): row["reason"]
        for row in read_rows(tmp_path / "quarantine.parquet")
        if row["reason"] != "judgements_join_known"  # judgements of a refused guide follow it
    }
    assert refused == {(f.table, f.id): f.reason for f in shop.faults if f.outcome == "quarantine"}


def test_counts_add_up(crawled: tuple[Path, dict[str, bytes]]) -> None:
    metrics = json.loads(crawled[1]["metrics.json"])
    assert metrics["listings_fetched"] == LISTINGS
    for table in TABLES:
        if table != "images":
            parts = ("accepted", "quarantined", "duplicates")
            assert metrics[f"{table}_fetched"] == sum(metrics.get(f"{table}_{part}", 0) for part in parts)


def test_listings_tell_the_shops_truth(crawled: tuple[Path, dict[str, bytes]], shop: Shop) -> None:
    listings = by_id(crawled[0], "listings")
    for number in range(8):  # before the first faults
        listing = shop.listing(number)
        row = listings[f"shop:{listing.id}"]
        facts = listing.facts
        truth = {"item": facts.item, "material": facts.material, "bin": facts.bin, "price": facts.price}
        assert {
            name: row[name] for name in truth if row[name] is not None
        }.items() <= truth.items()  # some labels are left out
        assert row["item"] is not None or row["material"] is not None
        assert row["title"] == " ".join(listing.words.title.split())
        assert row["context"]["site"] == "demo-shop.example"
        assert "GPSInfo" not in dict(row["exif"])


def test_every_table_comes_whole(crawled: tuple[Path, dict[str, bytes]], shop: Shop) -> None:
    counts = {"guides": GUIDES, "queries": len(shop.queries), "qrels": len(shop.qrels), "preferences": 2 * GUIDES}
    for table, count in counts.items():
        assert len(read_rows(crawled[0] / f"{table}.parquet")) == count
    guides = {row["id"] for row in read_rows(crawled[0] / "guides.parquet")}
    assert {row["guide"] for row in read_rows(crawled[0] / "qrels.parquet")} <= guides


def test_upper_bounds_of_the_shop_are_written(crawled: tuple[Path, dict[str, bytes]], shop: Shop) -> None:
    assert json.loads(crawled[1]["upper_bounds.json"]) == pytest.approx(shop.upper_bounds)


def test_no_port_or_path_gets_into_the_outputs(crawled: tuple[Path, dict[str, bytes]]) -> None:
    for name in TABLES:
        text = str(read_rows(crawled[0] / f"{name}.parquet"))
        assert "127.0.0.1" not in text
        assert str(crawled[0].parent) not in text


@pytest.mark.slow
def test_output_bytes_independent_of_concurrency_cache_and_kill(
    crawled: tuple[Path, dict[str, bytes]], tmp_path: Path
) -> None:
    """One request at a time, killed in the middle, then again over the half-filled cache."""
    folder = project(tmp_path, concurrency=1)
    process = start(folder)
    while process.poll() is None and len(list((folder / ".heddle/image_cache/shop").glob("*/*"))) < 15:
        time.sleep(0.01)
    process.kill()
    process.communicate()
    assert not (folder / "data/catalog").exists()
    assert crawl(folder) == crawled[1]
    assert [path.name for path in (folder / "data").iterdir()] == ["catalog"]
