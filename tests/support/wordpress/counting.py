"""A forward proxy that counts what passes through it."""

import http.client
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit


class Traffic:
    """The answers that passed since :meth:`clear`.

    Attributes:
        url: of the proxy.
        images: URL of an image -> number of its downloads.
        image_bytes: sum of the sizes of these bodies.
        pages: number of answers of the API.
        page_bytes: sum of the sizes of these bodies.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        self.images: Counter[str] = Counter()
        self.image_bytes = self.pages = self.page_bytes = 0

    def count(self, url: str, size: int) -> None:
        with self._lock:
            if "/wp-json/" in url:
                self.pages, self.page_bytes = self.pages + 1, self.page_bytes + size
            elif "/uploads/" in url and size:
                self.images[url] += 1
                self.image_bytes += size

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables of a process whose requests are counted."""
        return {"http_proxy": self.url, "no_proxy": "", "NO_PROXY": ""}


@contextmanager
def counting() -> Iterator[Traffic]:
    """Run a proxy on a free port of 127.0.0.1."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            target = urlsplit(self.path)
            upstream = http.client.HTTPConnection(target.netloc, timeout=600)
            upstream.request("GET", self.path.partition(target.netloc)[2], headers=dict(self.headers))
            answer = upstream.getresponse()
            body = answer.read()
            upstream.close()
            traffic.count(self.path, len(body))
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("connection", "content-length", "transfer-encoding", "date", "server"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    traffic = Traffic(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield traffic
    finally:
        server.shutdown()
        server.server_close()
