"""Cache pages between crawls and revalidate them with ETag and Last-Modified.

The cache never changes the result of a crawl: the server revalidates every cached response (304) before it is used, an
unreachable server is still an error, and an incomplete or damaged entry is ignored.
"""

import hashlib
import json
import os
from pathlib import Path

from scrapy import Spider
from scrapy.downloadermiddlewares.httpcache import HttpCacheMiddleware
from scrapy.extensions.httpcache import RFC2616Policy
from scrapy.http import Headers, Request, Response
from scrapy.responsetypes import responsetypes
from scrapy.settings import BaseSettings

VALIDATORS = ("ETag", "Last-Modified")


def can_revalidate(response: Response) -> bool:
    """Return whether the response has a header for revalidation."""
    return any(name in response.headers for name in VALIDATORS)


class RevalidatingCache(HttpCacheMiddleware):
    """Scrapy's middleware, but a cached response never replaces an unreachable server."""

    DOWNLOAD_EXCEPTIONS = ()  # type: ignore[assignment]

    def spider_closed(self, spider: Spider, reason: str) -> None:  # type: ignore[override]
        """Called by Scrapy. A crawl that ended early keeps all entries for the next one."""
        if reason == "finished":
            super().spider_closed(spider)


class RevalidatingPolicy(RFC2616Policy):
    """RFC 2616, but no cached response is used without revalidation, so that new listings are never missed."""

    def should_cache_response(self, response: Response, request: Request) -> bool:
        """Return whether the response can be revalidated and may be cached."""
        return can_revalidate(response) and super().should_cache_response(response, request)

    def is_cached_response_fresh(self, cachedresponse: Response, request: Request) -> bool:
        """Return False, after adding the validators to the request."""
        self._set_conditional_validators(request, cachedresponse)
        return False

    def is_cached_response_valid(self, cachedresponse: Response, response: Response, request: Request) -> bool:
        """Return whether the server answered 304, whose `X-Robots-Tag` replaces the cached one (RFC 9111, 3.2)."""
        if response.status == 304 and "X-Robots-Tag" in response.headers:
            cachedresponse.headers["X-Robots-Tag"] = response.headers.getlist("X-Robots-Tag")
        return response.status == 304


class AtomicStorage:
    """One file per response: a line of JSON, then the body. Files are written aside, so a kill is harmless."""

    def __init__(self, settings: BaseSettings) -> None:
        self._folder = Path(settings["HTTPCACHE_DIR"])
        self._used: set[Path] = set()

    def open_spider(self, spider: Spider) -> None:
        """Called by Scrapy."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._fingerprint = spider.crawler.request_fingerprinter.fingerprint

    def close_spider(self, spider: Spider) -> None:
        """Called by Scrapy: delete the entries that this crawl did not use."""
        for file in self._folder.glob("*/*"):
            if file not in self._used:
                file.unlink(missing_ok=True)

    def retrieve_response(self, spider: Spider, request: Request) -> Response | None:
        """Return the cached response, or None."""
        file = self._file(request)
        try:
            head, _, body = file.read_bytes().partition(b"\n")
            values = json.loads(head)
            if hashlib.sha256(body).hexdigest() != values["sha256"]:
                return None
            headers = Headers(values["headers"], encoding="latin-1")
            response_class = responsetypes.from_args(headers=headers, url=values["url"], body=body)
            return response_class(url=values["url"], status=values["status"], headers=headers, body=body)
        except (OSError, ValueError, KeyError, AttributeError):
            return None

    def store_response(self, spider: Spider, request: Request, response: Response) -> None:
        """Store a response, unless it was just revalidated and is stored already."""
        if "cached" in response.flags:
            return
        headers = {
            name.decode("latin-1"): [value.decode("latin-1") for value in values]
            for name, values in response.headers.items()
        }
        sha256 = hashlib.sha256(response.body).hexdigest()
        head = {"url": response.url, "status": response.status, "headers": headers, "sha256": sha256}
        file = self._file(request)
        file.parent.mkdir(exist_ok=True)
        temporary = file.parent.with_suffix(f".{os.getpid()}")
        temporary.write_bytes(json.dumps(head).encode() + b"\n" + response.body)
        temporary.rename(file)

    def _file(self, request: Request) -> Path:
        key = self._fingerprint(request).hex()
        file = self._folder / key[:2] / key[2:]
        self._used.add(file)
        return file
