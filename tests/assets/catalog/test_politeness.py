"""What sites ask of a crawl is done: robots.txt that fails, `X-Robots-Tag`, budgets; and nothing swells in memory."""

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import brotli
import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st

from assets.catalog.politeness import API_DIRECTIVES, CONTENT_DIRECTIVES, find_forbidden_use
from tests.support.wordpress_site import FakeSite, crawl, image, rows, wordpress
from tests.support.wordpress_site import run as run_sources

BOMB = b"\0" * 100_000_000


@pytest.fixture
def site() -> Iterator[FakeSite]:
    running = FakeSite()
    yield running
    running.close()


def refused(folder: Path) -> dict[str, str]:
    return {row["id"]: row["reason"] for row in rows(folder, "quarantine")}


def deflated(content: bytes) -> bytes:
    packer = zlib.compressobj(9, wbits=-15)
    return packer.compress(content) + packer.flush()


PACKERS = {
    "gzip": lambda content: gzip.compress(content, 9),
    "deflate": deflated,
    "br": lambda content: brotli.compress(content, quality=5),
    "zstd": lambda content: zstd.compress(content),
    "gzip, gzip": lambda content: gzip.compress(gzip.compress(content, 9), 9),
}


def test_compressed_response_stops_at_image_size_limit(site: FakeSite, tmp_path: Path) -> None:
    site.total = 2 * len(PACKERS) + 2
    for number, (encoding, pack) in enumerate(PACKERS.items()):
        bomb, sound = pack(BOMB), pack(image(number))
        assert len(bomb) < 200_000
        headers = {"Content-Encoding": encoding}
        site.answers[f"/images/{2 * number}"] = lambda times, body=bomb, sent=headers: (200, sent, body)
        site.answers[f"/images/{2 * number + 1}"] = lambda times, body=sound, sent=headers: (200, sent, body)
    first = 2 * len(PACKERS)
    site.answers[f"/images/{first}"] = lambda times: (200, {"Content-Encoding": "gzip"}, b"\x1f\x8bno gzip")
    done = crawl(tmp_path, site, "retries: 0")
    assert done.returncode == 0, done.stderr
    expected = {f"shop:{2 * number + 1}": "image_too_large" for number in range(len(PACKERS))}
    assert refused(tmp_path) == expected | {f"shop:{first + 1}": "image_missing"}
    assert len(rows(tmp_path, "listings")) == len(PACKERS) + 1


def test_a_page_that_swells_stops_the_stage(site: FakeSite, tmp_path: Path) -> None:
    page = gzip.compress(b"[" + b" " * 200_000_000 + b"]", 9)
    site.answers["/wp-json/wp/v2/posts"] = lambda times: (200, {"Content-Encoding": "gzip"}, page)
    done = crawl(tmp_path, site)
    assert done.returncode == 1
    assert "exceeded DOWNLOAD_MAXSIZE" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("status", [500, 503, 302])
def test_a_robots_txt_that_cannot_be_had_forbids_all(site: FakeSite, tmp_path: Path, status: int) -> None:
    """RFC 9309, 2.3.1.4. A redirect without an end counts as one that cannot be had, too."""
    headers = {"Location": "file:///etc/hostname"} if status == 302 else {}
    site.answers["/robots.txt"] = lambda times: (status, headers, b"User-agent: *\nAllow: /\n")
    done = crawl(tmp_path, site, "retries: 1")
    assert done.returncode == 1
    assert f"robots.txt returned {status}" in done.stderr
    assert "RFC 9309" in done.stderr
    assert {path for path, _, _ in site.requests} == {"/robots.txt"}


def test_a_robots_txt_that_is_not_there_forbids_nothing(site: FakeSite, tmp_path: Path) -> None:
    """RFC 9309, 2.3.1.3: nor what it says with a status of 400 to 499."""
    site.answers["/robots.txt"] = lambda times: (403, {}, b"User-agent: *\nDisallow: /\n")
    done = crawl(tmp_path, site)
    assert done.returncode == 0, done.stderr
    assert len(rows(tmp_path, "listings")) == 5


def test_a_tag_for_robots_is_honoured_and_told(site: FakeSite, tmp_path: Path) -> None:
    tags = ["noai", "noimageai, nofollow", "heddle: noindex", "googlebot: noindex", "NONE", "index, follow", "all"]
    site.total = len(tags)
    for number, tag in enumerate(tags):
        site.answers[f"/images/{number}"] = lambda times, number=number, tag=tag: (
            200,
            {"X-Robots-Tag": tag},
            image(number),
        )
    crawl(tmp_path, site)
    assert refused(tmp_path) == dict.fromkeys(("shop:1", "shop:2", "shop:3", "shop:5"), "robots_tag")
    assert "noimageai" in next(row["detail"] for row in rows(tmp_path, "quarantine") if row["id"] == "shop:2")
    assert json.loads((tmp_path / "data/catalog/metrics.json").read_text())["quarantined_robots_tag"] == 4


def test_a_tag_on_a_page_is_for_all_that_it_tells(site: FakeSite, tmp_path: Path) -> None:
    """WordPress says `noindex` of every answer of its API: that is about the answer. `noai` is about what it says."""
    answer = site.answer

    def tagged(path: str, query: dict[str, list[str]]) -> tuple[int, dict[str, str], bytes]:
        status, headers, body = answer(path, query)
        tag = "noai" if query.get("page") == ["2"] else "noindex"
        return status, headers | ({"X-Robots-Tag": tag} if path.startswith("/wp-json") else {}), body

    site.answer = tagged  # type: ignore[method-assign]
    crawl(tmp_path, site)
    assert refused(tmp_path) == {"shop:3": "robots_tag", "shop:4": "robots_tag"}
    assert [row["id"] for row in rows(tmp_path, "listings")] == ["shop:1", "shop:2", "shop:5"]


def test_a_tag_that_is_new_is_seen_through_the_cache(site: FakeSite, tmp_path: Path) -> None:
    crawl(tmp_path, site)
    site.answers["/images/3"] = lambda times: (200, {"X-Robots-Tag": "noai"}, image(3))
    crawl(tmp_path, site)
    assert [status for path, _, status in site.requests if path == "/images/3"] == [200, 304]
    assert refused(tmp_path) == {"shop:4": "robots_tag"}


def test_beyond_a_hosts_budget_the_rest_is_quarantined(site: FakeSite, tmp_path: Path) -> None:
    done = crawl(tmp_path, site, "host_requests: 6", "concurrency: 1")
    assert done.returncode == 0, done.stderr
    assert len(site.requests) == 6
    metrics = json.loads((tmp_path / "data/catalog/metrics.json").read_text())
    assert metrics["listings_accepted"] + metrics["quarantined_host_budget"] == metrics["listings_fetched"] == 5
    assert metrics["quarantined_host_budget"] == 3  # robots.txt and three pages left two
    (tmp_path / "again").mkdir()  # with an empty cache
    done = crawl(tmp_path / "again", site, "host_gigabytes: 1e-6", "concurrency: 1")
    assert done.returncode == 1  # the first page spent it
    assert "host_gigabytes" in done.stderr


def test_pages_beyond_a_budget_are_told_of(site: FakeSite, tmp_path: Path) -> None:
    """With the images of another host, so that pages alone spend the budget."""
    other = FakeSite()
    post = site.post
    site.post = lambda number: json.loads(json.dumps(post(number)).replace(site.url, other.url))  # type: ignore[method-assign]
    done = run_sources(tmp_path, wordpress("shop", site, "host_requests: 3", "concurrency: 1"))
    other.close()
    assert done.returncode == 0, done.stderr
    quarantine = rows(tmp_path, "quarantine")
    over_budget = [row for row in quarantine if row["reason"] == "host_budget" and "&page=" in row["origin"]]
    assert [row["id"] for row in over_budget] == ["shop:?"]


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ([b"noai"], "noai"),
        ([b"index", b"NoImageAI , nofollow"], "noimageai"),
        ([b"otherbot: noindex, noai"], None),
        ([b"otherbot: noindex, Heddle: noai"], "noai"),
        ([b"heddle:noindex"], "noindex"),
        ([b"*: none"], "none"),
        ([b"unavailable_after: Wed, 25 Jun 2025 15:00:00 GMT, noai"], "noai"),
        ([b"max-image-preview: large"], None),
        ([b"noindexing, xnoai"], None),
        ([b""], None),
        ([], None),
    ],
)
def test_tags_are_read_with_their_user_agents(headers: list[bytes], found: str | None) -> None:
    assert find_forbidden_use(headers, CONTENT_DIRECTIVES) == found


def test_noindex_of_a_page_of_the_api_is_not_about_its_listings() -> None:
    assert find_forbidden_use([b"noindex"], API_DIRECTIVES) is None


@given(headers=st.lists(st.binary(max_size=40)))
def test_any_header_can_be_read(headers: list[bytes]) -> None:
    assert find_forbidden_use(headers, CONTENT_DIRECTIVES) in (None, *CONTENT_DIRECTIVES)


@given(before=st.sampled_from(["", "index, ", "unavailable_after: 1 Jan 2030 10:00:00 GMT, "]), after=st.text("a, "))
def test_a_tag_is_found_wherever_it_stands(before: str, after: str) -> None:
    header: Any = f"{before}noai,{after}".encode()
    assert find_forbidden_use([header], CONTENT_DIRECTIVES) == "noai"
