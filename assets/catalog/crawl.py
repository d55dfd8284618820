"""Run crawls on Scrapy, politely: robots.txt, delay and concurrency per host, back-off, size and time limits."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from importlib.metadata import PackageNotFoundError, version
from math import isfinite
from pathlib import Path
from time import time
from typing import Any
from urllib.parse import urlsplit

from scrapy import Request, Spider, signals
from scrapy.crawler import AsyncCrawlerProcess, Crawler
from scrapy.downloadermiddlewares.httpcache import HttpCacheMiddleware
from scrapy.downloadermiddlewares.httpcompression import HttpCompressionMiddleware
from scrapy.downloadermiddlewares.retry import RetryMiddleware
from scrapy.downloadermiddlewares.robotstxt import RobotsTxtMiddleware
from scrapy.http import Response
from scrapy.logformatter import LogFormatter, LogFormatterResult
from twisted.internet.task import LoopingCall

from assets.catalog.addresses import SCHEMES
from assets.catalog.connections import BoundedCompression, CheckedUrls, GuardedHandler
from assets.catalog.http_cache import AtomicStorage, ConfirmedCache, ConfirmedPolicy
from assets.catalog.manners import HostBudget, Robots
from assets.parameters.catalog import Crawled
from assets.stage import StageError

CACHE = Path(".heddle/http_cache")
PAGE_BYTES = 64_000_000  # largest page of an API
LOG_LEVEL = "ERROR"
_OFF = (
    *("COOKIES_ENABLED", "REFERER_ENABLED", "METAREFRESH_ENABLED", "STATS_DUMP"),
    *("TELNETCONSOLE_ENABLED", "REMOTE_CONTROL_ENABLED", "MEMUSAGE_ENABLED"),  # these listen or watch
)
LONGEST_WAIT = 60.0  # before a retry, seconds


@dataclass(frozen=True)
class Visit:
    """One crawl of one source.

    Attributes:
        spider: its class; it has an attribute `failure`, a message if the source as a whole could not be read.
        arguments: of the spider.
        proxy: through which all requests go, or None for the environment's.
    """

    source: str
    manners: Crawled
    spider: type[Spider]
    arguments: dict[str, Any] = field(repr=False)
    proxy: str | None = None


def run(visits: Sequence[Visit], tell: Callable[[], None]) -> None:
    """Crawl all sources side by side. Can be called once in a process, as Twisted's reactor cannot start again.

    Args:
        tell: called about once a second.

    Raises:
        StageError: a source could not be read; the message names it, what it answered and what to do.
    """
    if not visits:
        return
    process = AsyncCrawlerProcess({"LOG_LEVEL": LOG_LEVEL})
    logging.getLogger("scrapy.downloadermiddlewares.robotstxt").setLevel(logging.CRITICAL)
    crawlers = [Crawler(visit.spider, _settings(visit), init_reactor=False) for visit in visits]
    for visit, crawler in zip(visits, crawlers, strict=True):
        process.crawl(crawler, **visit.arguments)
    LoopingCall(tell).start(1.0, now=False)
    process.start(install_signal_handlers=False)
    for visit, crawler in zip(visits, crawlers, strict=True):
        _raise_failure(visit, crawler)


def user_agent(contact: str | None) -> str:
    """Who crawls, and how to reach its owner."""
    try:
        number = version("heddle")
    except PackageNotFoundError:
        number = "0"
    return f"Heddle/{number} (+{contact})" if contact else f"Heddle/{number}"


def _settings(visit: Visit) -> dict[str, Any]:
    manners = visit.manners
    return {
        "BOT_NAME": "heddle",
        "LOG_LEVEL": LOG_LEVEL,
        "LOG_FORMATTER": QuietFormatter,
        "USER_AGENT": user_agent(manners.contact),
        "ROBOTSTXT_OBEY": True,
        "ROBOTSTXT_USER_AGENT": "Heddle",
        "DOWNLOAD_DELAY": manners.delay,
        "CONCURRENT_REQUESTS": 2 * manners.concurrency,
        "CONCURRENT_REQUESTS_PER_DOMAIN": manners.concurrency,
        "CONCURRENT_ITEMS": 1,  # no item pipeline; Scrapy starts so many tasks for every answer
        "DOWNLOAD_TIMEOUT": manners.timeout,
        "CLOSESPIDER_TIMEOUT": manners.time_limit,
        "DOWNLOAD_MAXSIZE": PAGE_BYTES,
        "DOWNLOAD_WARNSIZE": 0,
        "DOWNLOAD_VERIFY_CERTIFICATES": True,
        # A site may not point at our own files.
        "DOWNLOAD_HANDLERS": dict.fromkeys(SCHEMES, GuardedHandler) | dict.fromkeys(("data", "file", "ftp", "s3")),
        "RETRY_TIMES": manners.retries,
        "RETRY_GIVE_UP_LOG_LEVEL": "DEBUG",
        "HEDDLE_BACK_OFF": manners.back_off,
        "HEDDLE_PROXY": visit.proxy,
        "HEDDLE_PRIVATE_ADDRESSES": manners.private_addresses,
        "HEDDLE_HOST_REQUESTS": manners.host_requests,
        "HEDDLE_HOST_BYTES": manners.host_gigabytes * 1e9,
        "DOWNLOADER_MIDDLEWARES": {
            CheckedUrls: 50,
            RobotsTxtMiddleware: None,
            Robots: 100,
            RetryMiddleware: None,
            BackOffRetry: 550,
            HttpCompressionMiddleware: None,
            BoundedCompression: 590,
            OwnHost: 740,
            HttpCacheMiddleware: None,
            ConfirmedCache: 900,
            HostBudget: 950,  # beyond the cache: what is really sent
        },
        "HTTPCACHE_ENABLED": True,
        "HTTPCACHE_DIR": str((CACHE / visit.source).absolute()),
        "HTTPCACHE_POLICY": ConfirmedPolicy,
        "HTTPCACHE_STORAGE": AtomicStorage,
    } | dict.fromkeys(_OFF, False)


class QuietFormatter(LogFormatter):
    """Leaves out failed downloads: each has an errback that puts it into the quarantine or stops the stage."""

    def download_error(self, *arguments: Any, **named: Any) -> LogFormatterResult | None:  # type: ignore[override]
        """Called by Scrapy."""
        return None


class OwnHost:
    """Sends requests through the source's proxy and its credentials to its own host only; obeys `Crawl-delay`.

    The credentials come from the spider rather than from the settings, which Scrapy may log.
    """

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._proxy = crawler.settings["HEDDLE_PROXY"]

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "OwnHost":
        """Called by Scrapy."""
        middleware = cls(crawler)
        crawler.signals.connect(middleware.robots_parsed, signal=signals.robots_parsed)
        return middleware

    def robots_parsed(self, robotparser: Any, request: Request) -> None:
        """Called by Scrapy: wait between requests to this host as long as its robots.txt asks, if that is longer."""
        asked = float(robotparser.rp.crawl_delay("Heddle") or 0)
        delay = max(asked if isfinite(asked) else 0.0, self._crawler.settings.getfloat("DOWNLOAD_DELAY"))
        downloader = self._crawler.engine.downloader
        host = downloader.get_slot_key(request)
        downloader.per_slot_settings[host] = {"delay": delay}
        if host in downloader.slots:
            downloader.slots[host].delay = delay

    def process_request(self, request: Request) -> None:
        """Called by Scrapy, for robots.txt too."""
        if self._proxy:
            request.meta["proxy"] = self._proxy
        host, authorization = getattr(self._crawler.spider, "credentials", (None, None))
        if authorization and urlsplit(request.url).netloc == host:
            request.headers["Authorization"] = authorization


class BackOffRetry(RetryMiddleware):
    """Scrapy's retries, each after a wait: what `Retry-After` says, else twice as long as the one before."""

    async def process_response(self, request: Request, response: Response) -> Request | Response:  # type: ignore[override]
        """Called by Scrapy."""
        answer = super().process_response(request, response)
        if isinstance(answer, Request):
            await asyncio.sleep(self._wait(answer, response))
        return answer

    async def process_exception(self, request: Request, exception: Exception) -> Request | Response | None:  # type: ignore[override]
        """Called by Scrapy."""
        answer = super().process_exception(request, exception)
        if isinstance(answer, Request):
            await asyncio.sleep(self._wait(answer, None))
        return answer

    def _wait(self, request: Request, response: Response | None) -> float:
        told = retry_after(response.headers.get("Retry-After")) if response is not None else None
        first: float = self.crawler.settings.getfloat("HEDDLE_BACK_OFF")
        doubled = first * 2.0 ** (request.meta["retry_times"] - 1)
        return min(LONGEST_WAIT, doubled if told is None else told)


def retry_after(value: bytes | None) -> float | None:
    """Seconds that a `Retry-After` header asks for: a number or a date (RFC 9110, 10.2.3); None if it says nothing."""
    text = (value or b"").decode("latin-1").strip()
    try:
        return float(text) if text.isdigit() else max(0.0, parsedate_to_datetime(text).timestamp() - time())
    except ValueError:
        return None


def _raise_failure(visit: Visit, crawler: Crawler) -> None:
    failure = getattr(crawler.spider, "failure", None)
    if failure:
        raise StageError(f"source {visit.source}: {failure}")
    statistics = crawler.stats.get_stats() if crawler.stats else {}
    reason = statistics.get("finish_reason")
    if reason == "closespider_timeout":
        limit = visit.manners.time_limit
        raise StageError(f"source {visit.source}: not done after {limit:.0f} s; raise its `time_limit`")
    if reason != "finished":
        raise StageError(f"source {visit.source}: the crawl ended early ({reason}); run `dvc repro catalog` again")
    if any(key.startswith("spider_exceptions") for key in statistics):
        raise StageError(f"source {visit.source}: an answer could not be handled, see the traceback above")
