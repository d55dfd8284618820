"""Keep pages between crawls and ask servers only whether they changed (ETag, Last-Modified).

A cache must never change what a crawl brings: every kept answer is confirmed by the server (304) before it is used, a
server that is down is not covered up, and a half-written or damaged entry counts as none.
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


def is_confirmable(response: Response) -> bool:
    """Can the server be asked whether this answer is still right?"""
    return any(name in response.headers for name in VALIDATORS)


class ConfirmedCache(HttpCacheMiddleware):
    """Scrapy's middleware, but a kept answer never stands in for a server that cannot be reached."""

    DOWNLOAD_EXCEPTIONS = ()  # type: ignore[assignment]

    def spider_closed(self, spider: Spider, reason: str) -> None:  # type: ignore[override]
        """Called by Scrapy. What a crawl that ended early did not come to is still good for the next."""
        if reason == "finished":
            super().spider_closed(spider)


class ConfirmedPolicy(RFC2616Policy):
    """RFC 2616, but nothing is fresh without the server's word, so that new listings are never hidden."""

    def should_cache_response(self, response: Response, request: Request) -> bool:
        """What can be confirmed later."""
        return is_confirmable(response) and super().should_cache_response(response, request)

    def is_cached_response_fresh(self, cachedresponse: Response, request: Request) -> bool:
        """Never; the request gets the validators."""
        self._set_conditional_validators(request, cachedresponse)
        return False

    def is_cached_response_valid(self, cachedresponse: Response, response: Response, request: Request) -> bool:
        """Only where the server says "not modified"; what it says of use goes for the kept answer (RFC 9111, 3.2)."""
        if response.status == 304 and "X-Robots-Tag" in response.headers:
            cachedresponse.headers["X-Robots-Tag"] = response.headers.getlist("X-Robots-Tag")
        return response.status == 304


class AtomicStorage:
    """One file for each answer: a line of JSON, then the body. Written aside and renamed, so kills do no harm."""

    def __init__(self, settings: BaseSettings) -> None:
        self._folder = Path(settings["HTTPCACHE_DIR"])
        self._used: set[Path] = set()

    def open_spider(self, spider: Spider) -> None:
        """Called by Scrapy."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._fingerprint = spider.crawler.request_fingerprinter.fingerprint

    def close_spider(self, spider: Spider) -> None:
        """Called by Scrapy: forget what the site does not have any more."""
        for file in self._folder.glob("*/*"):
            if file not in self._used:
                file.unlink(missing_ok=True)

    def retrieve_response(self, spider: Spider, request: Request) -> Response | None:
        """The kept answer, or None."""
        file = self._file(request)
        try:
            head, _, body = file.read_bytes().partition(b"\n")
            kept = json.loads(head)
            if hashlib.sha256(body).hexdigest() != kept["sha256"]:
                return None
            headers = Headers(kept["headers"], encoding="latin-1")
            answer = responsetypes.from_args(headers=headers, url=kept["url"], body=body)
            return answer(url=kept["url"], status=kept["status"], headers=headers, body=body)
        except (OSError, ValueError, KeyError, AttributeError):
            return None

    def store_response(self, spider: Spider, request: Request, response: Response) -> None:
        """Keep an answer; one that the server just confirmed lies there already."""
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
