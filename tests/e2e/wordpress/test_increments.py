"""A second crawl moves what changed and nothing else, and brings what a first crawl would bring."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.wordpress import Site, wordpress_site
from tests.support.wordpress.counting import Traffic, counting
from tests.support.wordpress.crawling import AS_OWNER, PASSWORD, crawl
from tests.support.wordpress.seed import Seeded, listings, seed, upload
from tests.support.wordpress_site import ROOT, image, outputs, rows

COUNT = 16
KEPT = ".heddle/image_cache/shop"


@pytest.fixture
def site() -> Iterator[Site]:
    with wordpress_site() as running:
        yield running


@pytest.fixture
def traffic() -> Iterator[Traffic]:
    with counting() as counted:
        yield counted


def again(folder: Path, site: Site, traffic: Traffic, *settings: str) -> dict[str, bytes]:
    """Crawl through the counting proxy, counted from zero; the bytes of every output."""
    traffic.clear()
    crawl(folder, site, *settings, **traffic.environment)
    return outputs(folder)


def without_tombstones(files: dict[str, bytes]) -> dict[str, bytes]:
    return {name: content for name, content in files.items() if name != "tombstones.parquet"}


def first_crawl(folder: Path, site: Site) -> dict[str, bytes]:
    """What is brought where nothing was kept."""
    crawl(folder, site)
    assert rows(folder, "tombstones") == []
    return without_tombstones(outputs(folder))


def by_id(folder: Path) -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in rows(folder, "listings")}


def replace_file(site: Site, media: dict[str, Any], content: bytes) -> None:
    """Another image behind the same address, as plugins do it: the file first, then the library's entry."""
    (site.folder / "www" / media["source_url"].removeprefix(f"{site.url}/")).write_bytes(content)
    site.php(f"wp_update_post(['ID' => {media['id']}]);")


def test_exactly_what_changed_moves(site: Site, traffic: Traffic, tmp_path: Path) -> None:
    sold = listings(COUNT + 3)
    seeded = seed(site, sold[:COUNT])
    first = again(tmp_path, site, traffic)
    assert sorted(traffic.images.values()) == [1] * COUNT
    assert traffic.image_bytes == sum(len(each.image.content) for each in sold[:COUNT])
    before = by_id(tmp_path)

    assert again(tmp_path, site, traffic) == first
    assert (traffic.images, traffic.image_bytes, traffic.pages) == ({}, 0, 2)

    added, moved = change(site, seeded, sold[COUNT:])
    third = again(tmp_path, site, traffic)
    after = by_id(tmp_path)
    changed, gone = {f"shop:{each.post['id']}" for each in seeded[:3]}, f"shop:{seeded[3].post['id']}"
    assert traffic.images == dict.fromkeys(moved, 1)
    assert {id_ for id_ in before.keys() & after.keys() if before[id_] != after[id_]} == changed
    assert (before.keys() - after.keys(), after.keys() - before.keys()) == ({gone}, added)
    tombstone = {name: before[gone][name] for name in ("id", "url", "modified")}
    assert rows(tmp_path, "tombstones") == [tombstone]
    assert without_tombstones(third) == first_crawl(tmp_path / "fresh", site)
    assert again(tmp_path, site, traffic) == third

    site.php(f"wp_untrash_post({seeded[3].post['id']}); wp_publish_post({seeded[3].post['id']});")
    again(tmp_path, site, traffic)
    assert rows(tmp_path, "tombstones") == []
    assert len(traffic.images) <= 1


def change(site: Site, seeded: list[Seeded], more: list[Any]) -> tuple[set[str], set[str]]:
    """Three changes, one deletion, two additions. Returns the new ids, and the addresses of images that must move."""
    site.api("POST", f"posts/{seeded[0].post['id']}", {"title": "Another title"})
    new = upload(site, more[2])
    site.api("POST", f"posts/{seeded[1].post['id']}", {"featured_media": new["id"]})
    replace_file(site, seeded[2].media, image(1))
    site.api("DELETE", f"posts/{seeded[3].post['id']}")
    added = seed(site, more[:2])
    moved = {new["source_url"], seeded[2].media["source_url"], *(each.media["source_url"] for each in added)}
    return {f"shop:{each.post['id']}" for each in added}, moved


def test_changes_that_do_not_touch_the_posts_date_are_seen(site: Site, traffic: Traffic, tmp_path: Path) -> None:
    seeded = seed(site, listings(6))
    again(tmp_path, site, traffic)
    site.api("POST", f"media/{seeded[0].media['id']}", {"alt_text": "Said in other words", "caption": "And this"})
    tag = seeded[1].post["tags"][0]
    site.api("POST", f"tags/{tag}", {"name": "renamed &amp; new"})
    site.php(f"update_post_meta({seeded[2].post['id']}, 'price', 4711);")
    brought = again(tmp_path, site, traffic)
    after = by_id(tmp_path)
    assert after[f"shop:{seeded[0].post['id']}"]["alt_text"] == "Said in other words"
    assert "renamed & new" in after[f"shop:{seeded[1].post['id']}"]["tags"]
    assert after[f"shop:{seeded[2].post['id']}"]["price"] == 4711
    assert traffic.images.keys() <= {seeded[0].media["source_url"]}  # the library says "changed", not what
    assert without_tombstones(brought) == first_crawl(tmp_path / "fresh", site)


def test_a_killed_crawl_goes_on_where_it_was(site: Site, traffic: Traffic, tmp_path: Path) -> None:
    seed(site, listings(COUNT))
    whole = first_crawl(tmp_path / "fresh", site)
    again(tmp_path, site, traffic, "concurrency: 1", *AS_OWNER)  # writes the project's files
    for file in (tmp_path / KEPT).glob("*/*"):
        file.unlink()
    traffic.clear()
    process = subprocess.Popen(
        [sys.executable, "-m", "assets.catalog"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT), PASSWORD: site.password} | traffic.environment,
        stdout=(tmp_path / "said").open("w"),
        stderr=subprocess.STDOUT,
    )
    while process.poll() is None and len(list((tmp_path / KEPT).glob("*/*"))) < COUNT // 3:
        time.sleep(0.005)
    process.kill()
    assert process.wait() == -9, (tmp_path / "said").read_text()
    time.sleep(0.2)  # what was on its way passes the proxy
    kept, passed = len(list((tmp_path / KEPT).glob("*/*"))), sum(traffic.images.values())
    assert 0 < kept <= passed <= kept + 2 < COUNT
    resumed = again(tmp_path, site, traffic, "concurrency: 1", *AS_OWNER)
    assert sum(traffic.images.values()) == COUNT - kept
    assert without_tombstones(resumed) == whole
