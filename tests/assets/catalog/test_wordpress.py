"""The source `wordpress` against a small site of our own that can misbehave, over a real socket."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from scrapy import Request

from assets.catalog.page_politeness import CredentialsAndDelay
from assets.catalog.politeness import HostStates
from heddle.sources.parameters import CrawlSettings
from tests.support.wordpress_site import FakeSite, crawl, image, outputs, rows, run, wordpress

PASSWORD = "correct horse battery staple"


@pytest.fixture
def site() -> Iterator[FakeSite]:
    running = FakeSite()
    yield running
    running.close()


def test_posts_become_listings(site: FakeSite, tmp_path: Path) -> None:
    done = crawl(tmp_path, site, "fields: {item: acf.kind}")
    assert done.returncode == 0, done.stderr
    listings = rows(tmp_path, "listings")
    assert [row["id"] for row in listings] == [f"shop:{number}" for number in range(1, 6)]
    first = listings[0]
    assert first["title"] == "Chair “0” & table"
    assert first["description"] == "One two"
    assert first["body"] == "<p>One</p><p>two</p>"
    assert (first["categories"], first["tags"], first["item"]) == (["Seats & co"], ["red"], "chair")
    assert (first["created"], first["modified"]) == ("2024-05-01T10:00:00Z", "2024-05-02T10:00:00Z")
    assert {row["sha256"] for row in rows(tmp_path, "images")} == {row["image"] for row in listings}


def test_second_crawl_confirms_every_answer_and_brings_the_same(site: FakeSite, tmp_path: Path) -> None:
    crawl(tmp_path, site)
    first = outputs(tmp_path)
    site.requests.clear()
    crawl(tmp_path, site)
    assert outputs(tmp_path) == first
    pages = [status for path, _, status in site.requests if not path.startswith("/robots")]
    assert pages == [304] * len(pages)
    assert len(pages) == 3 + 5


def test_new_listing_is_seen_through_the_cache(site: FakeSite, tmp_path: Path) -> None:
    crawl(tmp_path, site)
    site.total = 6
    crawl(tmp_path, site)
    assert len(rows(tmp_path, "listings")) == 6


def test_damaged_cache_changes_nothing(site: FakeSite, tmp_path: Path) -> None:
    crawl(tmp_path, site)
    first = outputs(tmp_path)
    kept = [*tmp_path.glob(".heddle/*_cache/shop/*/*")]
    assert len(kept) == 3 + 5
    for file in kept:
        file.write_bytes(file.read_bytes()[:-3])
    crawl(tmp_path, site)
    assert outputs(tmp_path) == first


def test_cache_does_not_cover_up_a_server_that_is_down(site: FakeSite, tmp_path: Path) -> None:
    crawl(tmp_path, site)
    site.answers["/wp-json/wp/v2/posts"] = lambda times: (500, {}, b"")
    done = crawl(tmp_path, site, "retries: 1")
    assert done.returncode == 1
    assert "500 Internal Server Error" in done.stderr


def test_passing_failures_are_retried_after_what_the_server_asks(site: FakeSite, tmp_path: Path) -> None:
    page = site.answer
    site.answers["/images/3"] = lambda times: (503, {"Retry-After": "0"}, b"") if times < 3 else (200, {}, image(3))
    done = crawl(tmp_path, site)
    assert done.returncode == 0, done.stderr
    assert len(rows(tmp_path, "listings")) == 5
    assert site.times["/images/3"] == 3
    assert page is not None


def test_bad_images_go_to_the_quarantine(site: FakeSite, tmp_path: Path) -> None:
    site.total = 8
    site.answers = {
        "/images/0": lambda times: (404, {}, b""),
        "/images/1": lambda times: (200, {}, image(1)[:-400]),
        "/images/2": lambda times: (200, {"Content-Type": "image/png"}, b"<html>login</html>"),
        "/images/3": lambda times: (200, {}, b"\0" * 9_000_000),
        "/images/4": lambda times: (200, {"Content-Length": "99999"}, image(4)),
        "/images/5": lambda times: (301, {"Location": "/images/6"}, b""),
    }
    done = crawl(tmp_path, site, "retries: 1", "timeout: 5")
    assert done.returncode == 0, done.stderr
    reasons = {row["id"]: row["reason"] for row in rows(tmp_path, "quarantine")}
    assert reasons == {
        "shop:1": "image_missing",
        "shop:2": "image_truncated",
        "shop:3": "image_type",
        "shop:4": "image_too_large",
        "shop:5": "image_truncated",
    }
    shared = {row["id"]: row["same_image_as"] for row in rows(tmp_path, "listings") if row["same_image_as"]}
    assert shared == {"shop:7": "shop:6"}
    metrics = json.loads((tmp_path / "data/catalog/metrics.json").read_text())
    assert metrics["listings_fetched"] == 8 == metrics["listings_accepted"] + 5


def test_robots_txt_is_obeyed_for_images(site: FakeSite, tmp_path: Path) -> None:
    site.answers["/robots.txt"] = lambda times: (200, {}, b"User-agent: *\nDisallow: /images/2\n")
    crawl(tmp_path, site)
    assert [(row["id"], row["reason"]) for row in rows(tmp_path, "quarantine")] == [("shop:3", "image_missing")]
    assert site.times["/images/2"] == 0


def test_user_agent_says_who_and_how_to_reach(site: FakeSite, tmp_path: Path) -> None:
    crawl(tmp_path, site)
    agents = {headers["User-Agent"] for _, headers, _ in site.requests}
    assert len(agents) == 1
    agent = agents.pop()
    assert agent.startswith("Heddle/")
    assert "owner@shop.test" in agent


def test_password_reaches_its_host_alone_and_no_output(site: FakeSite, tmp_path: Path) -> None:
    other = FakeSite()
    post = site.post
    site.post = lambda number: json.loads(json.dumps(post(number)).replace(site.url, other.url))  # type: ignore[method-assign]
    settings = ("username: reader", "application_password_env: SHOP_PASSWORD")
    done = crawl(tmp_path, site, *settings, SHOP_PASSWORD=PASSWORD)
    other.close()
    assert done.returncode == 0, done.stderr
    assert all("Authorization" in headers for _, headers, _ in site.requests)
    assert other.requests
    assert not any("Authorization" in headers for _, headers, _ in other.requests)
    secret = next(headers["Authorization"] for _, headers, _ in site.requests).removeprefix("Basic ")
    written = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    for word in (PASSWORD, secret):
        assert word.encode() not in written
        assert word not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ((401, {}, b"{}"), "application_password_env"),
        ((404, {}, b"no"), "/wp-json/"),
        ((200, {"Content-Type": "text/html"}, b"<html>"), "returned text/html, not a JSON list"),
        ((200, {}, b"[]"), "has no posts"),
    ],
)
def test_source_that_cannot_be_read_stops_the_stage(
    site: FakeSite, tmp_path: Path, answer: tuple[int, dict[str, str], bytes], message: str
) -> None:
    site.answers["/wp-json/wp/v2/posts"] = lambda times: answer
    done = crawl(tmp_path, site)
    assert done.returncode == 1
    assert done.stderr.startswith("catalog: source shop: ")
    assert message in done.stderr
    assert not (tmp_path / "data/catalog").exists()


def test_unreachable_site_and_forbidden_api_are_named(site: FakeSite, tmp_path: Path) -> None:
    site.answers["/robots.txt"] = lambda times: (200, {}, b"User-agent: *\nDisallow: /\n")
    assert "robots.txt forbids" in crawl(tmp_path, site).stderr
    site.close()
    done = crawl(tmp_path, site, "retries: 0")
    assert done.returncode == 1
    assert "cannot be reached" in done.stderr
    assert "Traceback" not in done.stderr


def test_missing_password_is_named(site: FakeSite, tmp_path: Path) -> None:
    done = crawl(tmp_path, site, "username: reader", "application_password_env: NO_SUCH_VARIABLE")
    assert "NO_SUCH_VARIABLE is not set" in done.stderr


def test_late_page_failure_stops_stage(site: FakeSite, tmp_path: Path) -> None:
    site.answers["/wp-json/wp/v2/posts"] = lambda times: (
        (200, {"X-WP-TotalPages": "3"}, json.dumps([site.post(0), site.post(1)]).encode())
        if times == 1
        else (403, {}, b"")
    )
    done = crawl(tmp_path, site)
    assert done.returncode == 1
    assert "403 Forbidden" in done.stderr


def test_pages_without_a_total_are_followed_to_the_end(site: FakeSite, tmp_path: Path) -> None:
    answer = site.answer

    def without_total(path: str, query: dict[str, list[str]]) -> tuple[int, dict[str, str], bytes]:
        status, headers, body = answer(path, query)
        headers.pop("X-WP-TotalPages", None)
        return (400, {}, b'{"code": "rest_post_invalid_page_number"}') if body == b"[]" else (status, headers, body)

    site.answer = without_total  # type: ignore[method-assign]
    site.total = 6
    crawl(tmp_path, site)
    assert len(rows(tmp_path, "listings")) == 6


def test_malformed_posts_are_kept_in_the_quarantine(site: FakeSite, tmp_path: Path) -> None:
    good = site.post
    bad = (
        {"meta": {"objects": "a chair"}},
        {"title": {"rendered": ["no", "text"]}},
        {"id": None},
        {"meta": {"price": "dear"}},
    )

    site.post = lambda number: good(number) | bad[number] if number < 4 else good(number)  # type: ignore[method-assign]
    crawl(tmp_path, site)
    quarantine = rows(tmp_path, "quarantine")
    assert [row["id"] for row in quarantine] == ["shop:1", "shop:2", "shop:4", "shop:?"]
    assert {row["reason"] for row in quarantine} == {"malformed_record"}
    assert json.loads(quarantine[0]["record"])["meta"] == {"objects": "a chair"}
    assert [row["id"] for row in rows(tmp_path, "listings")] == ["shop:5"]


@pytest.mark.parametrize(("asked", "delay"), [(None, 0.5), (0.1, 0.5), (3, 3.0)])
def test_crawl_delay_of_robots_txt_is_obeyed_where_it_is_longer(asked: float | None, delay: float) -> None:
    slot = SimpleNamespace(delay=0.5)
    downloader = SimpleNamespace(
        get_slot_key=lambda request: "shop.test", slots={"shop.test": slot}, per_slot_settings={}
    )
    crawl_job = SimpleNamespace(politeness=CrawlSettings(delay=0.5), hosts=HostStates())
    crawler: Any = SimpleNamespace(
        spider=SimpleNamespace(crawl_job=crawl_job), engine=SimpleNamespace(downloader=downloader)
    )
    robots = SimpleNamespace(rp=SimpleNamespace(crawl_delay=lambda agent: asked))
    CredentialsAndDelay(crawler).robots_parsed(robots, Request("http://shop.test/"))
    assert (slot.delay, downloader.per_slot_settings["shop.test"]["delay"]) == (delay, delay)


def test_sources_and_table_image_urls_crawled_together(site: FakeSite, tmp_path: Path) -> None:
    other = FakeSite(2)
    (tmp_path / "table.csv").write_text(
        f"id,image\na,{other.url}/images/8\nb,{other.url}/gone\nc,{other.url}/images/8\nd,ftp://shop.test/1\n"
    )
    columns = "{id: id, image: image}"
    table = f"- {{name: table, kind: table, path: table.csv, columns: {columns}, contact: me@shop.test, delay: 0, "
    table += "private_addresses: true}"
    done = run(tmp_path, wordpress("one", site), wordpress("two", other), table)
    other.close()
    assert done.returncode == 0, done.stderr
    sources = Counter(row["source"] for row in rows(tmp_path, "listings"))
    assert sources == {"one": 5, "table": 1}
    copies = {row["id"]: row["original"] for row in rows(tmp_path, "duplicates")}
    assert copies == {"table:c": "table:a", "two:1": "one:1", "two:2": "one:2"}
    assert [row["id"] for row in rows(tmp_path, "quarantine")] == ["table:b", "table:d"]
    assert other.times["/images/8"] == 1


def test_crawl_that_takes_too_long_stops_the_stage(site: FakeSite, tmp_path: Path) -> None:
    slow = site.answer

    def answer(path: str, query: dict[str, list[str]]) -> tuple[int, dict[str, str], bytes]:
        threading.Event().wait(1.5 if path.startswith("/images") else 0)
        return slow(path, query)

    site.answer = answer  # type: ignore[method-assign]
    done = crawl(tmp_path, site, "time_limit: 0.5", "concurrency: 1")
    assert done.returncode == 1
    assert "raise its `time_limit`" in done.stderr


def test_posts_that_move_up_while_one_is_deleted_are_not_lost(site: FakeSite, tmp_path: Path) -> None:
    answer = site.answer

    def shrinking(path: str, query: dict[str, list[str]]) -> tuple[int, dict[str, str], bytes]:
        if site.times[path] > 1 and path.endswith("/posts") and site.total == 6:  # post 1 goes after the first page
            site.total, post = 5, site.post
            site.post = lambda number: post(number + 1)  # type: ignore[method-assign]
        status, headers, body = answer(path, query)
        return status, headers | ({"X-WP-Total": str(site.total)} if path.endswith("/posts") else {}), body

    site.answer = shrinking  # type: ignore[method-assign]
    site.total = 6
    done = crawl(tmp_path, site, "concurrency: 1")
    assert done.returncode == 0, done.stderr
    assert [row["id"] for row in rows(tmp_path, "listings")] == [f"shop:{number}" for number in range(1, 7)]
