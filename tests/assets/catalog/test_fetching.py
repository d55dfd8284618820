"""Images are fetched in several processes as they would be in one, and no host is asked more than it bears."""

import gzip
import ipaddress
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from assets.catalog import addresses
from assets.catalog import fetcher as module
from assets.catalog.images import ImageInfo, ImageRejection
from heddle.core.stage import StageError
from tests.support.image_fetch import SIZE, crawl_job, fetch, reasons
from tests.support.source_project import NEAR
from tests.support.wordpress_site import ROOT, FakeSite, image, outputs, rows, run

Response = tuple[int, dict[str, str], bytes]


def numbered(site: FakeSite, count: int) -> list[str]:
    return [f"{site.url}/images/{number}" for number in range(count)]


def misbehave(site: FakeSite) -> list[str]:
    """Let images from the tenth on be bad in every way; the addresses of all."""
    robots = b"User-agent: *\nDisallow: /images/21\n"
    answers: dict[str, Response] = {
        "/robots.txt": (200, {}, robots),
        "/images/10": (404, {}, b""),
        "/images/11": (200, {}, image(11)[:-400]),
        "/images/12": (200, {}, b"<html>"),
        "/images/13": (200, {}, b""),
        "/images/14": (200, {}, bytes(SIZE + 1)),
        "/images/15": (200, {"Content-Encoding": "gzip"}, gzip.compress(bytes(50 * SIZE))),
        "/images/16": (200, {"Content-Length": "99999"}, image(16)),
        "/images/17": (301, {"Location": "/images/3"}, b""),
        "/images/18": (302, {"Location": "/images/18"}, b""),
        "/images/19": (302, {"Location": "http://169.254.169.254/latest"}, b""),
        "/images/20": (302, {"Location": "file:///etc/hostname"}, b""),
        "/images/22": (200, {"X-Robots-Tag": "noai"}, image(22)),
        "/images/23": (302, {"Location": "/images/21"}, b""),
        "/images/24": (500, {}, b""),
        "/images/26": (200, {"Content-Encoding": "gzip"}, gzip.compress(image(26))),
    }
    site.answers = {path: lambda times, response=response: response for path, response in answers.items()}
    site.answers["/images/25"] = lambda times: (503, {}, b"") if times % 2 else (200, {}, image(25))
    return [*numbered(site, 27), "http://shop.test:port/", "ftp://shop.test/1", "http://shop.test\x00/"]


def test_two_processes_bring_what_one_brings(site: FakeSite, tmp_path: Path) -> None:
    urls = misbehave(site)
    once = fetch(tmp_path, [(crawl_job(), urls)])
    expected = dict.fromkeys((f"/images/{number}" for number in (10, 18, 21, 23, 24)), "image_missing")
    expected |= {"/images/11": "image_truncated", "/images/12": "image_type", "/images/13": "image_truncated"}
    expected |= {"/images/14": "image_too_large", "/images/15": "image_too_large"}
    expected |= {"/images/16": "image_truncated", "/images/22": "robots_tag"}
    expected |= dict.fromkeys(("/images/19", "/images/20", *urls[27:]), "address_blocked")
    assert reasons(once, site) == expected
    asked = dict(site.times)
    assert "/images/21" not in asked
    assert asked["/images/18"] == 21
    assert (asked["/images/24"], asked["/images/25"], asked["/robots.txt"]) == (2, 2, 1)
    site.times.clear()
    (tmp_path / "other").mkdir()
    os.chdir(tmp_path / "other")  # with an empty cache
    assert fetch(tmp_path / "other", [(crawl_job(), urls)], processes=2) == once
    assert dict(site.times) == asked


def test_large_images_are_decoded_aside_to_the_same_end(
    site: FakeSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    urls = misbehave(site)
    once = fetch(tmp_path, [(crawl_job(), urls)])
    monkeypatch.setattr(module, "_MAX_INLINE_PIXELS", 0)
    (tmp_path / "other").mkdir()
    os.chdir(tmp_path / "other")
    assert fetch(tmp_path / "other", [(crawl_job(), urls)]) == once


def watched(site: FakeSite, seconds: float) -> tuple[list[int], list[float]]:
    """Let every image take so long; how many were under way at each request, and when each began."""
    answer, lock = site.answer, threading.Lock()
    under_way: list[int] = []
    begun: list[float] = []
    now = [0]

    def slow(path: str, query: dict[str, list[str]]) -> Response:
        with lock:
            now[0] += 1
            under_way.append(now[0])
            begun.append(time.monotonic())
        time.sleep(seconds)
        with lock:
            now[0] -= 1
        return answer(path, query)

    site.answer = slow  # type: ignore[method-assign]
    return under_way, begun


def test_host_limit_holds_across_processes(site: FakeSite, tmp_path: Path) -> None:
    under_way, _ = watched(site, 0.05)
    crawl_jobs = [
        (crawl_job("one", concurrency=8), numbered(site, 30)),
        (crawl_job("two", concurrency=3), numbered(site, 30)),
    ]
    found = fetch(tmp_path, crawl_jobs, processes=2)
    assert all(isinstance(each, ImageInfo) for each in found.values())
    assert max(under_way) == 3  # what the stricter of both sources says
    assert len(under_way) == 62


@pytest.mark.parametrize(("delay", "robots"), [(0.2, ""), (0, "User-agent: heddle\nCrawl-delay: 0.2\n")])
def test_delays_hold_between_all_processes(site: FakeSite, tmp_path: Path, delay: float, robots: str) -> None:
    site.answers["/robots.txt"] = lambda times: (200, {}, robots.encode())
    _, begun = watched(site, 0.0)
    fetch(tmp_path, [(crawl_job(delay=delay, concurrency=8), numbered(site, 8))], processes=2)
    robots, *images = sorted(begun)
    assert len(images) == 8
    # However late a request arrives, it was sent after robots.txt had been, and the delays before it.
    assert all(get_path - robots >= number * 0.2 for number, get_path in enumerate(images))


def test_budgets_are_exact_over_all_processes(site: FakeSite, tmp_path: Path) -> None:
    job = crawl_job(host_requests=20, concurrency=8)
    found = fetch(tmp_path, [(job, numbered(site, 40))], processes=2)
    assert len(site.requests) == 20  # robots.txt among them
    assert list(reasons(found, site).values()) == ["host_budget"] * 21
    sent = sum(len(image(number)) for number in range(3))
    found = fetch(tmp_path, [(crawl_job("other", host_gigabytes=sent / 1e9, concurrency=1), numbered(site, 9))])
    assert reasons(found, site) == {f"/images/{number}": "host_budget" for number in range(3, 9)}


def test_a_name_is_connected_to_where_it_led_when_it_was_checked(
    site: FakeSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """127.0.0.2 counts as the internet; the name leads there when it is asked first, and to ourselves afterwards."""
    outside = FakeSite(host="127.0.0.2")
    loopback = ipaddress.ip_network("127.0.0.0/8").address_exclude(ipaddress.ip_network("127.0.0.2/32"))
    monkeypatch.setattr(addresses, "_PRIVATE", {"loopback": tuple(loopback)})
    real, asked = socket.getaddrinfo, []

    def flipping(name: str, *more: Any, **named: Any) -> Any:
        if name != "flip.test":
            return real(name, *more, **named)
        asked.append(name)
        return real("127.0.0.2" if len(asked) < 3 else "127.0.0.1", *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", flipping)
    port = outside.url.rpartition(":")[2]
    urls = [f"http://flip.test:{port}/images/{number}" for number in range(3)]
    found = fetch(tmp_path, [(crawl_job(private_addresses=False, concurrency=1), urls)])
    outside.close()
    assert [path for path, _, _ in outside.requests] == ["/robots.txt", "/images/0"]
    assert len(asked) == 4  # once for each connection
    refused = [found[url] for url in urls[1:]]
    assert all(isinstance(each, ImageRejection) and each.reason == "address_blocked" for each in refused)
    assert "127.0.0.1 is blocked: loopback" in str(refused[0])


def test_credentials_go_to_the_sources_own_host_alone(site: FakeSite, tmp_path: Path) -> None:
    other = FakeSite()
    site.answers["/images/1"] = lambda times: (302, {"Location": f"{other.url}/images/1"}, b"")
    for own, times in ((site.url, 3), (site.url.replace("http:", "https:"), 0)):
        site.requests.clear()
        job = crawl_job(credentials=(own, "Basic secret"))
        assert not reasons(fetch(tmp_path, [(job, numbered(site, 2))]), site)
        assert sum(headers.get("Authorization") == "Basic secret" for _, headers, _ in site.requests) == times
    other.close()
    assert len(other.requests) == 4
    assert not any("Authorization" in headers for _, headers, _ in other.requests)
    assert "secret" not in repr(job)


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize(
    "at_once", ["HTTP/1.1 200 ", "HTTP/1.1 404 Gone\r\nX-Long: ", "HTTP/1.1 302 Found\r\nLocation: /1"]
)
def test_slow_server_request_times_out(tmp_path: Path, at_once: str) -> None:
    def drip() -> None:
        while True:
            connection, _ = listening.accept()
            threading.Thread(target=feed, args=(connection,), daemon=True).start()

    def feed(connection: socket.socket) -> None:
        with connection:
            connection.recv(10_000)
            try:
                connection.sendall(at_once.encode())
                while True:
                    connection.sendall(b"x")
                    time.sleep(0.1)
            except OSError:
                pass

    listening = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=drip, daemon=True).start()
    url = f"http://127.0.0.1:{listening.getsockname()[1]}/1"
    found = fetch(tmp_path, [(crawl_job(timeout=1, retries=0), [url])])
    assert "robots.txt cannot be reached (timeout after 1 s)" in str(found[url])


def test_a_time_limit_is_for_its_own_source(site: FakeSite, tmp_path: Path) -> None:
    answer = site.answer

    def slow(path: str, query: dict[str, list[str]]) -> Response:
        time.sleep(6 if path == "/images/1" else 0)
        return answer(path, query)

    site.answer = slow  # type: ignore[method-assign]
    quick, patient = numbered(site, 2)
    found = fetch(tmp_path, [(crawl_job("one", time_limit=4), [quick]), (crawl_job("two"), [patient])])
    assert all(isinstance(each, ImageInfo) for each in found.values())


def test_a_stamp_stands_in_for_a_server_that_cannot_be_asked(site: FakeSite, tmp_path: Path) -> None:
    site.etags = False
    urls = numbered(site, 4)
    stamps = dict.fromkeys(urls[:3], "first")
    first = fetch(tmp_path, [(crawl_job(), urls)], stamps=stamps)
    site.times.clear()
    assert fetch(tmp_path, [(crawl_job(), urls)], stamps=stamps | {urls[0]: "second"}) == first
    assert dict(site.times) == {"/robots.txt": 1, "/images/0": 1, "/images/3": 1}
    kept = [*tmp_path.glob(".heddle/image_cache/shop/*/*")]
    assert len(kept) == 3
    for file in kept:
        file.write_bytes(file.read_bytes()[:-1])
    assert fetch(tmp_path, [(crawl_job(), urls)], stamps=stamps) == first
    assert site.times["/images/2"] == 1
    fetch(tmp_path, [(crawl_job(), urls[:2])], stamps=stamps)
    assert len([*tmp_path.glob(".heddle/image_cache/shop/*/*")]) == 2
    watched(site, 3.0)
    with pytest.raises(StageError, match="raise its `time_limit`"):
        fetch(tmp_path, [(crawl_job(time_limit=0.1), urls[2:])])
    assert len([*tmp_path.glob(".heddle/image_cache/shop/*/*")]) == 2  # a crawl that failed forgets nothing


@pytest.mark.slow
def test_killed_crawl_leaves_no_process_and_resumes(site: FakeSite, tmp_path: Path) -> None:
    count = 320  # enough for processes
    content = [image(number) for number in range(count)]
    answer = site.answer

    def slow(path: str, query: dict[str, list[str]]) -> Response:
        time.sleep(0.02)
        return answer(path, query) if path == "/robots.txt" else (200, {}, content[int(path.rpartition("/")[2])])

    site.answer = slow  # type: ignore[method-assign]
    lines = "".join(f"{number},{url}\n" for number, url in enumerate(numbered(site, count)))
    (tmp_path / "table.csv").write_text("id,image\n" + lines)
    options = ["kind: table", "path: table.csv", "columns: {id: id, image: image}", *NEAR]
    source = "\n        ".join(["- name: shop", *options])
    (tmp_path / "whole").mkdir()
    (tmp_path / "whole/table.csv").write_text("id,image\n" + lines)
    assert run(tmp_path / "whole", source).returncode == 0
    site.requests.clear()
    for name in ("params.yaml", "dvc.yaml", "scales/smoke.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text((tmp_path / "whole" / name).read_text())
    process = subprocess.Popen([sys.executable, "-m", "assets.catalog"], env=os.environ | {"PYTHONPATH": str(ROOT)})
    while process.poll() is None and len([*tmp_path.glob(".heddle/image_cache/shop/*/*")]) < count // 4:
        time.sleep(0.01)
    started = psutil.Process(process.pid).children(recursive=True)
    assert len(started) >= min(2, os.cpu_count() or 1)
    process.kill()
    process.wait()
    _, alive = psutil.wait_procs(started, timeout=5)
    assert not alive
    kept = len([*tmp_path.glob(".heddle/image_cache/shop/*/*")])
    assert count // 4 <= kept < count
    site.requests.clear()
    assert run(tmp_path, source).returncode == 0
    statuses = [status for path, _, status in site.requests if path != "/robots.txt"]
    assert (statuses.count(200), statuses.count(304)) == (count - kept, kept)
    assert outputs(tmp_path) == outputs(tmp_path / "whole")
    assert len(rows(tmp_path, "listings")) > 300
