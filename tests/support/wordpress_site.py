"""A small WordPress site of our own that can misbehave, and the stage `catalog` run over it."""

import io
import json
import os
import subprocess
import threading
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
from PIL import Image

from heddle.core.schemas import read_rows
from tests.support.forked import run_module

ROOT = Path(__file__).parents[2]


class FakeSite:
    """A WordPress site with `total` posts. Answers can be replaced by path, and every request is recorded."""

    def __init__(self, total: int = 5, host: str = "127.0.0.1") -> None:
        self.total = total
        self.etags = True
        self.answers: dict[str, Callable[[int], tuple[int, dict[str, str], bytes]]] = {}
        self.requests: list[tuple[str, dict[str, str], int]] = []
        self.times: Counter[str] = Counter()
        self._server = ThreadingHTTPServer((host, 0), self._handler())
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = urlsplit(self.path).path
                site.times[path] += 1
                status, headers, body = site.answer(path, parse_qs(urlsplit(self.path).query))
                etag = f'"{hash(body)}"'
                if site.etags and status == 200:
                    headers = headers | {"ETag": etag}
                    if self.headers.get("If-None-Match") == etag:
                        status, body = 304, b""
                site.requests.append((self.path, dict(self.headers), status))
                self.send_response(status)
                for name, value in ({"Content-Length": str(len(body))} | headers).items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            do_HEAD = do_GET  # noqa: N815

            def log_message(self, *arguments: Any) -> None:
                pass

        return Handler

    def answer(self, path: str, query: dict[str, list[str]]) -> tuple[int, dict[str, str], bytes]:
        if path in self.answers:
            return self.answers[path](self.times[path])
        if path == "/wp-json/wp/v2/posts":
            page, size = int(query["page"][0]), int(query["per_page"][0])
            numbers = range(self.total)[(page - 1) * size : page * size]
            pages = -(-self.total // size)
            headers = {"Content-Type": "application/json", "X-WP-TotalPages": str(pages)}
            return 200, headers, json.dumps([self.post(number) for number in numbers]).encode()
        if path.startswith("/images/"):
            return 200, {"Content-Type": "image/png"}, image(int(path.split("/")[-1]))
        return 404, {}, b"not here"

    def post(self, number: int) -> dict[str, Any]:
        return {
            "id": number + 1,
            "link": f"http://shop.test/{number + 1}",
            "title": {"rendered": f"Chair &#8220;{number}&#8221; &amp; <b>table</b>"},
            "content": {"rendered": "<p>One</p><p onclick='x()'>two<script>steal()</script></p>"},
            "excerpt": {"rendered": ""},
            "date_gmt": "2024-05-01T10:00:00",
            "modified_gmt": "2024-05-02T10:00:00",
            "meta": [],
            "acf": {"kind": "chair"},
            "featured_media": 7,
            "_embedded": {
                "wp:featuredmedia": [{"source_url": f"{self.url}/images/{number}", "alt_text": "a chair"}],
                "wp:term": [
                    [{"taxonomy": "category", "name": "Seats &amp; co"}],
                    [{"taxonomy": "post_tag", "name": "red"}],
                ],
            },
        }


def image(number: int) -> bytes:
    noise = np.random.default_rng(number).integers(0, 256, (12, 12, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).resize((96, 96)).save(file, "PNG")
    return file.getvalue()


def crawl(folder: Path, site: FakeSite, *settings: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the stage over one site."""
    return run(folder, wordpress("shop", site, *settings), **environment)


def wordpress(name: str, site: FakeSite, *settings: str) -> str:
    lines = ["delay: 0", "contact: owner@shop.test", f"url: {site.url}", "per_page: 2", "back_off: 0.01"]
    lines += ["private_addresses: true", *settings]
    return "\n      ".join([f"- name: {name}", "  kind: wordpress", *(f"  {line}" for line in lines)])


def run(folder: Path, *sources: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the stage in a project of its own. A process, as Twisted's reactor starts once in each."""
    write_project(folder, *sources)
    return run_module("assets.catalog", folder=folder, environment=os.environ | environment)


def write_project(folder: Path, *sources: str) -> None:
    """Write the parameters and the graph of a project with these sources."""
    source = "\n      ".join(sources)
    (folder / "scales").mkdir(exist_ok=True)
    (folder / "scales/smoke.yaml").write_text("{}\n")
    files = sorted(path.name for path in folder.iterdir() if path.is_file() and path.suffix != ".yaml")
    stage = {"deps": files, "params": [{"params.yaml": ["catalog", "demo_shop"]}]}
    (folder / "dvc.yaml").write_text(json.dumps({"stages": {"catalog": stage}}))  # JSON is YAML too
    (folder / "params.yaml").write_text(f"scale: smoke\nseed: 1\ncatalog:\n  sources:\n      {source}\n")


def rows(folder: Path, table: str) -> list[dict[str, Any]]:
    return read_rows(folder / "data/catalog" / f"{table}.parquet")


def outputs(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted((folder / "data/catalog").iterdir())}
