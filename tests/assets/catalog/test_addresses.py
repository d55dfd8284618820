"""No source leads the crawl into our own network: a table of addresses and redirects, none of which is ever reached."""

import csv
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from twisted.internet.endpoints import HostnameEndpoint

from assets.catalog.addresses import BlockedAddressError, blocked_reason, check_url, parse_ip_literal
from assets.catalog.ssrf_httpx import _open_transport
from assets.catalog.ssrf_twisted import _SsrfSafePool
from tests.support.wordpress_site import FakeSite, crawl, image, rows, run, wordpress, write_project

# {port} is that of a server on 127.0.0.1 and ::1 that counts who connects to it.
ADDRESSES = (
    "http://127.0.0.1:{port}/",
    "http://127.1:{port}/",
    "http://127.0.1:{port}/",
    "http://127.255.255.254:{port}/",
    "http://2130706433:{port}/",
    "http://017700000001:{port}/",
    "http://0177.0.0.1:{port}/",
    "http://0x7f000001:{port}/",
    "http://0x7f.0x0.0x0.0x1:{port}/",
    "http://127.0.0.1.:{port}/",
    "http://localhost:{port}/",
    "http://LOCALHOST:{port}/",
    "http://localhost.:{port}/",
    "http://inside.test:{port}/",  # a name that leads to 127.0.0.1
    "http://inside6.test:{port}/",  # ... and one that leads to its IPv6 spelling
    "http://mapped.test:{port}/",  # ... and to ::ffff:127.0.0.1
    "http://0.0.0.0:{port}/",
    "http://0:{port}/",
    "http://[::]:{port}/",
    "http://[::1]:{port}/",
    "http://[0:0:0:0:0:0:0:1]:{port}/",
    "http://[::ffff:127.0.0.1]:{port}/",
    "http://[::ffff:7f00:1]:{port}/",
    "http://[::127.0.0.1]:{port}/",
    "http://[64:ff9b::7f00:1]:{port}/",
    "http://[2002:7f00:1::]:{port}/",
    "http://user:word@127.0.0.1:{port}/",
    "http://far.test@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}#@far.test/",
    "http://127.0.0.1:{port}\\@far.test/",
    "http://\u2460\u2461\u2466.0.0.1:{port}/".replace("\u2460\u2461\u2466", "\uff11\uff12\uff17"),  # full-width digits
    "https://127.0.0.1:{port}/",
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://172.31.255.255/",
    "http://192.168.1.1/",
    "http://100.64.0.1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://169.254.0.1/",
    "http://2852039166/",
    "http://100.100.100.200/",
    "http://168.63.129.16/",
    "http://192.0.0.192/",
    "http://198.18.0.1/",
    "http://224.0.0.1/",
    "http://240.0.0.1/",
    "http://255.255.255.255/",
    "http://[fe80::1]/",
    "http://[fe80::1%25eth0]/",
    "http://[fd00:ec2::254]/",
    "http://[fc00::1]/",
    "http://[ff02::1]/",
    "http://[2001:db8::1]/",
    "http://[2001::7f00:1]/",
    "ftp://127.0.0.1:{port}/",
    "file://127.0.0.1/etc/hostname",
    "file:///etc/hostname",
    "data://text/html,x",
    "s3://127.0.0.1:{port}/x",
    "gopher://127.0.0.1:{port}/x",
)
REDIRECTS = (
    *(address for address in ADDRESSES if address.isascii() and "\\" not in address),
    "//127.0.0.1:{port}/",
    "//localhost:{port}/",
    "data:image/png;base64,AAAA",
    "FILE:///etc/hostname",
    "http:\\\\127.0.0.1:{port}/",
    "javascript:alert(1)",
)
WORLD = """
import ipaddress, socket
names = {"inside.test": "127.0.0.1", "inside6.test": "::1", "mapped.test": "::ffff:127.0.0.1", "far.test": "127.0.0.2"}
real = socket.getaddrinfo
socket.getaddrinfo = lambda name, *more, **named: real(names.get(name, name), *more, **named)
import assets.catalog.addresses as addresses
loopback = ipaddress.ip_network("127.0.0.0/8").address_exclude(ipaddress.ip_network("127.0.0.2/32"))
addresses._PRIVATE = addresses._PRIVATE | {"loopback": (*loopback, ipaddress.ip_network("::1/128"))}
"""
"""Run before the crawl: names of our own, and 127.0.0.2 is the internet."""


class Listener:
    """Counts connections to one port of 127.0.0.1 and ::1."""

    def __init__(self) -> None:
        self.connections = 0
        self._sockets = [socket.create_server(("127.0.0.1", 0))]
        self.port = self._sockets[0].getsockname()[1]
        if socket.has_ipv6:
            with suppress(OSError):  # a machine without IPv6 cannot be reached by it either
                self._sockets.append(socket.create_server(("::1", self.port), family=socket.AF_INET6))
        for one in self._sockets:
            threading.Thread(target=self._listen, args=(one,), daemon=True).start()

    def _listen(self, one: socket.socket) -> None:
        while True:
            try:
                connection, _ = one.accept()
            except OSError:
                return
            self.connections += 1
            connection.close()

    def close(self) -> None:
        for one in self._sockets:
            one.close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    listening = Listener()
    yield listening
    listening.close()


@pytest.fixture
def far(listener: Listener) -> Iterator[ThreadingHTTPServer]:
    """The internet: `far.test` redirects to the address whose number is its path. It would be a proxy, too."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.path)
            number = self.path.rpartition("/")[2]
            self.send_response(302 if number.isdigit() else 404)
            if number.isdigit():
                self.send_header("Location", REDIRECTS[int(number)].format(port=listener.port))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *arguments: Any) -> None:
            pass

    seen: list[str] = []
    server = ThreadingHTTPServer(("127.0.0.2", 0), Handler)
    server.seen = seen  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def crawl_images(folder: Path, addresses: list[str], *settings: str, **environment: str) -> dict[str, dict[str, Any]]:
    """Crawl a table whose rows name these images, and one that is ours; the rows of the quarantine by number."""
    (folder / "ours.png").write_bytes(image(1))
    (folder / "sitecustomize.py").write_text(WORLD)
    with (folder / "table.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([("id", "image"), ("ours", "ours.png"), *enumerate(addresses)])
    lines = ["path: table.csv", "columns: {id: id, image: image}", "contact: me@shop.test", "delay: 0", "retries: 1"]
    lines += ["back_off: 0.01", "timeout: 5", "concurrency: 16", *settings]
    root = str(Path(__file__).parents[3])
    write_project(folder, "\n        ".join(["- name: table", "kind: table", *lines]))
    done = subprocess.run(
        [sys.executable, "-m", "assets.catalog"],
        cwd=folder,
        env=os.environ | environment | {"PYTHONPATH": f"{folder}:{root}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert [row["id"] for row in rows(folder, "listings")] == ["table:ours"]
    return {row["id"].removeprefix("table:"): row for row in rows(folder, "quarantine")}


def test_no_address_of_our_own_network_is_reached(listener: Listener, tmp_path: Path) -> None:
    refused = crawl_images(tmp_path, [address.format(port=listener.port) for address in ADDRESSES])
    assert len(refused) == len(ADDRESSES) >= 40
    for number, address in enumerate(ADDRESSES):
        row = refused[str(number)]
        # What is no host at all, or one that only IPv6 could name, never gets so far as to be refused.
        allowed = ("address_blocked", "image_missing") if _names_no_host(address) else ("address_blocked",)
        assert row["reason"] in allowed, (address, row["detail"])
    assert listener.connections == 0


def _names_no_host(address: str) -> bool:
    return any(part in address for part in ("\\", "inside6", "mapped", "javascript"))


def test_no_redirect_leads_into_our_own_network(listener: Listener, far: Any, tmp_path: Path) -> None:
    addresses = [f"http://far.test:{far.server_port}/{number}" for number in range(len(REDIRECTS))]
    refused = crawl_images(tmp_path, addresses)
    assert sorted(far.seen) == sorted(["/robots.txt", *(f"/{number}" for number in range(len(REDIRECTS)))])
    assert len(refused) == len(REDIRECTS)
    for number, address in enumerate(REDIRECTS):
        row = refused[str(number)]
        allowed = ("address_blocked", "image_missing") if _names_no_host(address) else ("address_blocked",)
        assert row["reason"] in allowed, (address, row["detail"])
    assert listener.connections == 0


def test_no_proxy_is_asked_for_an_address_of_our_own_network(listener: Listener, far: Any, tmp_path: Path) -> None:
    """Names are for the proxy of the environment to resolve; what the address itself shows is refused before."""
    spelled = [address for address in ADDRESSES if "test:" not in address and address.isascii()]
    addresses = [*(address.format(port=listener.port) for address in spelled), "http://far.test/image"]
    proxy = f"http://127.0.0.2:{far.server_port}"
    refused = crawl_images(tmp_path, addresses, http_proxy=proxy, https_proxy=proxy)
    assert set(far.seen) == {"http://far.test/robots.txt", "http://far.test/image"}
    for number, address in enumerate(spelled):
        row = refused[str(number)]
        assert row["reason"] == "address_blocked", (address, row["detail"])
    assert listener.connections == 0


def test_a_source_of_our_own_network_must_say_so(tmp_path: Path) -> None:
    site = FakeSite(2)
    done = run(tmp_path, wordpress("shop", site).replace("private_addresses: true", "private_addresses: false"))
    assert done.returncode == 1
    assert done.stderr.startswith("catalog: source shop: ")
    assert "loopback" in done.stderr
    assert "private_addresses: true" in done.stderr
    assert not site.requests
    site.answers["/images/0"] = lambda times: (302, {"Location": "http://169.254.169.254/latest/meta-data/"}, b"")
    done = crawl(tmp_path, site)
    site.close()
    assert done.returncode == 0, done.stderr
    quarantine = rows(tmp_path, "quarantine")
    assert [(row["id"], row["reason"]) for row in quarantine] == [("shop:1", "address_blocked")]
    assert "cloud metadata" in quarantine[0]["detail"]


@pytest.mark.parametrize(
    ("address", "private", "word"),
    [
        ("127.0.0.1", False, "loopback"),
        ("127.0.0.1", True, None),
        ("::ffff:10.1.2.3", False, "private"),
        ("::ffff:10.1.2.3", True, None),
        ("64:ff9b::a9fe:a9fe", True, "cloud metadata"),
        ("64:ff9b::808:808", False, None),
        ("100.127.255.255", False, "carrier-grade NAT"),
        ("100.128.0.0", False, None),
        ("fd12::1", False, "unique-local"),
        ("fd12::1", True, None),
        ("fd00:ec2::254", True, "cloud metadata"),
        ("169.254.1.1", True, "link-local"),
        ("fe80::1%eth0", True, "link-local"),
        ("0.0.0.0", True, "unspecified"),
        ("224.0.0.251", True, "multicast"),
        ("2002:a00:1::", True, "reserved"),
        ("::7f00:1", True, "reserved"),
        ("8.8.8.8", False, None),
        ("172.32.0.1", False, None),
        ("2606:4700::1111", False, None),
    ],
)
def test_each_address_is_called_what_it_is(address: str, private: bool, word: str | None) -> None:
    assert blocked_reason(address, private) == word


def test_numbers_are_read_as_the_systems_resolver_reads_them() -> None:
    for normalize_url in ("127.1", "2130706433", "0x7F.1", "0177.0.0.1", "127.0.0.1."):
        assert parse_ip_literal(normalize_url) == "127.0.0.1"
    for name in ("face.de", "abc", "127.0.0.1.shop.test", "x", "shop.test"):
        assert parse_ip_literal(name) is None
    check_url("https://shop.test/1.png", private=False)
    with pytest.raises(BlockedAddressError, match="not an http or https URL"):
        check_url("http:///nowhere", private=False)


def test_an_endpoint_of_another_make_is_not_left_unchecked() -> None:
    pool = _SsrfSafePool(SimpleNamespace(_reactor=None), private=False)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"adapt assets/catalog/ssrf_twisted\.py"):
        pool.getConnection("key", object())


def test_httpx_without_its_private_backend_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _open_transport(private=False)
    monkeypatch.setattr(httpx.HTTPTransport, "__init__", lambda transport: setattr(transport, "_pool", object()))
    with pytest.raises(TypeError, match=r"adapt assets/catalog/ssrf_httpx\.py"):
        _open_transport(private=False)


def test_twisted_endpoint_has_the_private_reactor() -> None:
    endpoint = HostnameEndpoint(SimpleNamespace(nameResolver=None), b"shop.test", 80)
    assert hasattr(endpoint, "_reactor"), "Twisted renamed HostnameEndpoint._reactor: adapt ssrf_twisted.py"
