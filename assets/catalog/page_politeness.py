"""Scrapy made to ask for pages as :mod:`assets.catalog.politeness` says: robots.txt, budgets, back-off, credentials."""

import asyncio
from typing import Any
from urllib.parse import urlsplit

from protego import Protego
from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.downloadermiddlewares.retry import RetryMiddleware
from scrapy.downloadermiddlewares.robotstxt import RobotsTxtMiddleware
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response, TextResponse

from assets.catalog.addresses import AddressRefusedError
from assets.catalog.politeness import ROBOTS_BYTES, Met, crawl_delay, host_of, wait_before_retry
from heddle.sources.parameters import Crawled

_NOTHING_ALLOWED = b"User-agent: *\nDisallow: /\n"


class RobotsForbiddenError(IgnoreRequest):
    """A host's robots.txt forbids a request, or cannot be had; the message says which and what to do."""


class HostBudgetError(IgnoreRequest):
    """A host was asked, or has sent, as much as the parameters allow."""


class Robots(RobotsTxtMiddleware):
    """Scrapy's, but a robots.txt that cannot be had forbids everything, and one that is not there (4xx) nothing.

    Scrapy reads rules out of whatever was answered, and takes a host that does not answer for one that allows all.
    Source: RFC 9309, 2.3.1.
    """

    async def process_request(self, request: Request, spider: Any = None) -> None:
        """Called by Scrapy."""
        if request.meta.get("dont_obey_robotstxt"):
            request.meta.setdefault("download_maxsize", ROBOTS_BYTES)
        try:
            await super().process_request(request)
        except IgnoreRequest as error:
            raise RobotsForbiddenError(_met(self.crawler).forbidden(request.url)) from error

    def process_response(self, request: Request, response: Response) -> Response:
        """Called by Scrapy with what came in the end, after redirects and retries."""
        if not request.meta.get("dont_obey_robotstxt") or response.status // 100 == 2:
            return response
        if response.status // 100 == 4:
            return _rules(request, b"")
        return self._nothing(request, f"answered {response.status}")

    def process_exception(self, request: Request, exception: Exception) -> Response | None:
        """Called by Scrapy. An address that is refused is refused for the request itself, with that for its reason."""
        refused = isinstance(exception, AddressRefusedError) and "redirect_urls" not in request.meta
        if not request.meta.get("dont_obey_robotstxt") or refused:
            return None
        return self._nothing(request, f"cannot be reached ({str(exception) or type(exception).__name__})")

    def _nothing(self, request: Request, what: str) -> Response:
        asked = request.meta.get("redirect_urls", [request.url])[0]
        _met(self.crawler).cannot_be_had(asked, what)
        return _rules(request, _NOTHING_ALLOWED)


class HostBudget:
    """Ends the asking of one host when the source's `host_requests` or `host_gigabytes` are spent."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "HostBudget":
        """Called by Scrapy."""
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        """Called by Scrapy, for retries and robots.txt too."""
        met, host = _met(self._crawler), host_of(request.url)
        if why := met.spent(host, _manners(self._crawler)):
            raise HostBudgetError(why)
        met.requests[host] += 1

    def process_response(self, request: Request, response: Response) -> Response:
        """Called by Scrapy with the bytes as they were sent, not decompressed."""
        _met(self._crawler).bytes[host_of(request.url)] += len(response.body)
        return response


class OwnHost:
    """Sends requests through the source's proxy and its credentials to its own host only; obeys `Crawl-delay`."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "OwnHost":
        """Called by Scrapy."""
        middleware = cls(crawler)
        crawler.signals.connect(middleware.robots_parsed, signal=signals.robots_parsed)
        return middleware

    def robots_parsed(self, robotparser: Any, request: Request) -> None:
        """Called by Scrapy: wait between requests to this host as long as its robots.txt asks, if that is longer."""
        robots: Protego = robotparser.rp
        _met(self._crawler).robots[host_of(request.url)] = robots
        delay = max(crawl_delay(robots), _manners(self._crawler).delay)
        downloader = self._crawler.engine.downloader
        host = downloader.get_slot_key(request)
        downloader.per_slot_settings[host] = {"delay": delay}
        if host in downloader.slots:
            downloader.slots[host].delay = delay

    def process_request(self, request: Request) -> None:
        """Called by Scrapy, for robots.txt too."""
        visit = self._crawler.spider.visit  # type: ignore[union-attr]
        if visit.proxy:
            request.meta["proxy"] = visit.proxy
        host, authorization = visit.credentials
        parts = urlsplit(request.url)
        if authorization and f"{parts.scheme}://{parts.netloc}" == host:
            request.headers["Authorization"] = authorization


class BackOffRetry(RetryMiddleware):
    """Scrapy's retries, each after a wait."""

    async def process_response(self, request: Request, response: Response) -> Request | Response:  # type: ignore[override]
        """Called by Scrapy."""
        answer = super().process_response(request, response)
        if isinstance(answer, Request):
            asked = response.headers.get("Retry-After")
            await asyncio.sleep(self._wait(answer, asked.decode("latin-1") if asked else None))
        return answer

    async def process_exception(self, request: Request, exception: Exception) -> Request | Response | None:  # type: ignore[override]
        """Called by Scrapy."""
        answer = super().process_exception(request, exception)
        if isinstance(answer, Request):
            await asyncio.sleep(self._wait(answer, None))
        return answer

    def _wait(self, request: Request, asked: str | None) -> float:
        return wait_before_retry(request.meta["retry_times"], _manners(self.crawler).back_off, asked)


def _met(crawler: Crawler) -> Met:
    """From the spider rather than the settings, which Scrapy copies and may log."""
    return crawler.spider.visit.met  # type: ignore[union-attr]


def _manners(crawler: Crawler) -> Crawled:
    return crawler.spider.visit.manners  # type: ignore[union-attr]


def _rules(request: Request, body: bytes) -> Response:
    return TextResponse(request.url, body=body, encoding="utf-8", request=request)
