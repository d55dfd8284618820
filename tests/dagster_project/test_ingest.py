"""``heddle ingest`` as a command, and the ages of crawls that ``heddle run`` prints."""

import os
import time
from pathlib import Path

import pytest
from rich.console import Console

from dagster_project.crawl_ages import format_age, print_crawl_ages
from heddle.sources.last_crawl import FOLDER


def test_ingest_runs_catalog_though_nothing_changed(toy):
    ended = toy.heddle("ingest")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert next(line for line in ended.stdout.splitlines() if ": ran in" in line).startswith("catalog: ran in")
    assert "The catalogue is the same as before." in ended.stdout
    assert "heddle run` would run nothing" in ended.stdout
    (run,) = toy.instance.get_runs(limit=1)
    assert run.job_name == "ingest"


@pytest.mark.slow
def test_ingest_changed_catalogue_lists_downstream_stages(toy):
    toy.write("words/catalog.txt", "other words\n")
    ended = toy.heddle("ingest")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "The catalogue has changed." in ended.stdout
    assert "`heddle run` would run: prepared, encoder, encoder_evaluation, index, release" in ended.stdout
    assert toy.changed() == {"prepared", "index"}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "less than a minute ago"),
        (60, "1 minute ago"),
        (7_199, "1 hour ago"),
        (86_399, "23 hours ago"),
        (3 * 86_400, "3 days ago"),
    ],
)
def test_format_age_is_in_the_largest_unit(seconds, text):
    assert format_age(seconds) == text


def test_crawl_ages_name_remote_sources_only(tmp_path: Path) -> None:
    sources = """
scale: small
catalog:
  sources:
    - {name: shop, kind: wordpress, url: "http://shop.example", contact: me@shop.example}
    - {name: other, kind: sitemap, url: "http://other.example/map.xml", contact: me@shop.example}
    - {name: mine, kind: table, path: sources/mine.csv, columns: {id: id}}
    - {name: links, kind: table, path: sources/links.csv, columns: {id: id}, contact: me@shop.example}
    - {name: hub, kind: huggingface, path: owner/products, columns: {id: id}}
    - {name: saved, kind: huggingface, path: sources/saved, columns: {id: id}}
"""
    (tmp_path / "params.yaml").write_text(sources)
    (tmp_path / "scales").mkdir()
    (tmp_path / "scales/small.yaml").write_text("{}\n")
    (tmp_path / "sources/saved").mkdir(parents=True)
    (tmp_path / FOLDER).mkdir(parents=True)
    for name in ("shop", "mine", "links"):
        (tmp_path / FOLDER / name).touch()
    three_days_ago = time.time() - 3 * 86_400 - 60
    os.utime(tmp_path / FOLDER / "shop", (three_days_ago, three_days_ago))
    console = Console(record=True, width=200)
    print_crawl_ages(tmp_path, console)
    assert console.export_text().splitlines() == [
        "Source shop: crawled 3 days ago; heddle ingest crawls it again",
        "Source other: no crawl from here yet; heddle ingest crawls it again",
        "Source links: crawled less than a minute ago; heddle ingest crawls it again",
        "Source hub: no crawl from here yet; heddle ingest crawls it again",
    ]
