"""Scrapy middleware for :mod:`assets.catalog.politeness`: robots.txt, budgets, back-off, credentials."""

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

from assets.catalog.addresses import BlockedAddressError
from assets.catalog.politeness import MAX_ROBOTS_BYTES, HostStates, compute_retry_wait, get_host, read_crawl_delay
from heddle.sources.parameters import CrawlSettings

_FORBID_ALL = b"User-agent: *\nDisallow: /\n"


class RobotsForbiddenError(IgnoreRequest):
    """A host's robots.txt forbids a request or is unavailable; the message contains what to do."""


class HostBudgetError(IgnoreRequest):
    """The budget of a host is spent."""


class Robots(RobotsTxtMiddleware):
    """Scrapy's middleware, but an unavailable robots.txt forbids everything, and a missing one (4xx) allows everything.

    Scrapy parses rules from any response, and allows everything if the host does not respond.
    Source: RFC 9309, 2.3.1.
    """

    async def process_request(self, request: Request, spider: Any = None) -> None:
        """Called by Scrapy."""
        if request.meta.get("dont_obey_robotstxt"):
            request.meta.setdefault("download_maxsize", MAX_ROBOTS_BYTES)
        try:
            await super().process_request(request)
        except IgnoreRequest as error:
            raise RobotsForbiddenError(_host_states(self.crawler).explain_forbidden(request.url)) from error

    def process_response(self, request: Request, response: Response) -> Response:
        """Called by Scrapy with the final response, after redirects and retries."""
        if not request.meta.get("dont_obey_robotstxt") or response.status // 100 == 2:
            return response
        if response.status // 100 == 4:
            return _robots_response(request, b"")
        return self._forbid_all(request, f"returned {response.status}")

    def process_exception(self, request: Request, exception: Exception) -> Response | None:
        """Called by Scrapy. A blocked address of a robots.txt blocks the request itself, with the same reason."""
        blocked = isinstance(exception, BlockedAddressError) and "redirect_urls" not in request.meta
        if not request.meta.get("dont_obey_robotstxt") or blocked:
            return None
        return self._forbid_all(request, f"cannot be reached ({str(exception) or type(exception).__name__})")

    def _forbid_all(self, request: Request, failure: str) -> Response:
        robots = request.meta.get("redirect_urls", [request.url])[0]
        _host_states(self.crawler).mark_unreachable(robots, failure)
        return _robots_response(request, _FORBID_ALL)


class HostBudget:
    """Stops requests to a host when the source's `host_requests` or `host_gigabytes` are spent."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "HostBudget":
        """Called by Scrapy."""
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        """Called by Scrapy, also for retries and robots.txt."""
        hosts, host = _host_states(self._crawler), get_host(request.url)
        if why := hosts.explain_spent_budget(host, _politeness(self._crawler)):
            raise HostBudgetError(why)
        hosts.requests[host] += 1

    def process_response(self, request: Request, response: Response) -> Response:
        """Called by Scrapy with the body before decompression."""
        _host_states(self._crawler).bytes[get_host(request.url)] += len(response.body)
        return response


class CredentialsAndDelay:
    """Sets the source's proxy, sends its credentials to its own host only, and obeys `Crawl-delay`."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "CredentialsAndDelay":
        """Called by Scrapy."""
        middleware = cls(crawler)
        crawler.signals.connect(middleware.robots_parsed, signal=signals.robots_parsed)
        return middleware

    def robots_parsed(self, robotparser: Any, request: Request) -> None:
        """Called by Scrapy: raise the delay between requests to this host to its `Crawl-delay`."""
        robots: Protego = robotparser.rp
        _host_states(self._crawler).robots[get_host(request.url)] = robots
        delay = max(read_crawl_delay(robots), _politeness(self._crawler).delay)
        downloader = self._crawler.engine.downloader
        host = downloader.get_slot_key(request)
        downloader.per_slot_settings[host] = {"delay": delay}
        if host in downloader.slots:
            downloader.slots[host].delay = delay

    def process_request(self, request: Request) -> None:
        """Called by Scrapy, also for robots.txt."""
        crawl_job = self._crawler.spider.crawl_job  # type: ignore[union-attr]
        if crawl_job.proxy:
            request.meta["proxy"] = crawl_job.proxy
        host, authorization = crawl_job.credentials
        parts = urlsplit(request.url)
        if authorization and f"{parts.scheme}://{parts.netloc}" == host:
            request.headers["Authorization"] = authorization


class BackOffRetry(RetryMiddleware):
    """Scrapy's retries, with back-off before each."""

    async def process_response(self, request: Request, response: Response) -> Request | Response:  # type: ignore[override]
        """Called by Scrapy."""
        answer = super().process_response(request, response)
        if isinstance(answer, Request):
            header = response.headers.get("Retry-After")
            await asyncio.sleep(self._wait(answer, header.decode("latin-1") if header else None))
        return answer

    async def process_exception(self, request: Request, exception: Exception) -> Request | Response | None:  # type: ignore[override]
        """Called by Scrapy."""
        answer = super().process_exception(request, exception)
        if isinstance(answer, Request):
            await asyncio.sleep(self._wait(answer, None))
        return answer

    def _wait(self, request: Request, header: str | None) -> float:
        return compute_retry_wait(request.meta["retry_times"], _politeness(self.crawler).back_off, header)


def _host_states(crawler: Crawler) -> HostStates:
    """Get the state from the spider, as Scrapy copies settings and may log them."""
    return crawler.spider.crawl_job.hosts  # type: ignore[union-attr]


def _politeness(crawler: Crawler) -> CrawlSettings:
    return crawler.spider.crawl_job.politeness  # type: ignore[union-attr]


def _robots_response(request: Request, body: bytes) -> Response:
    return TextResponse(request.url, body=body, encoding="utf-8", request=request)
