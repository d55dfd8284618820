"""Crawl pages on Scrapy, politely: robots.txt, delay and concurrency per host, back-off, size and time limits."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from scrapy.crawler import AsyncCrawlerProcess, Crawler
from scrapy.downloadermiddlewares.httpcache import HttpCacheMiddleware
from scrapy.downloadermiddlewares.httpcompression import HttpCompressionMiddleware
from scrapy.downloadermiddlewares.retry import RetryMiddleware
from scrapy.downloadermiddlewares.robotstxt import RobotsTxtMiddleware
from scrapy.logformatter import LogFormatter, LogFormatterResult
from twisted.internet.task import LoopingCall

from assets.catalog.addresses import SCHEMES
from assets.catalog.connections import BoundedCompression, CheckedUrls, GuardedHandler
from assets.catalog.crawl_job import Visit
from assets.catalog.http_cache import AtomicStorage, ConfirmedCache, ConfirmedPolicy
from assets.catalog.page_politeness import BackOffRetry, HostBudget, OwnHost, Robots
from assets.catalog.politeness import AGENT, user_agent
from heddle.core.stage import StageError

CACHE = Path(".heddle/http_cache")
PAGE_BYTES = 64_000_000  # largest page of an API
LOG_LEVEL = "ERROR"
_OFF = (
    *("COOKIES_ENABLED", "REFERER_ENABLED", "METAREFRESH_ENABLED", "STATS_DUMP"),
    *("TELNETCONSOLE_ENABLED", "REMOTE_CONTROL_ENABLED", "MEMUSAGE_ENABLED"),  # these listen or watch
)


def crawl_pages(visits: Sequence[Visit], tell: Callable[[], None]) -> None:
    """Crawl the pages of all sources side by side. Once in a process at most, as Twisted's reactor starts only once.

    Args:
        tell: called about once a second.

    Raises:
        StageError: a source could not be read; the message names it, what it answered and what to do.
    """
    spiders = [(visit, visit.spider) for visit in visits if visit.spider]
    process = AsyncCrawlerProcess({"LOG_LEVEL": LOG_LEVEL})
    logging.getLogger("scrapy.downloadermiddlewares.robotstxt").setLevel(logging.CRITICAL)
    crawlers = [(visit, Crawler(spider, _settings(visit), init_reactor=False)) for visit, spider in spiders]
    for visit, crawler in crawlers:
        process.crawl(crawler, visit=visit, **visit.arguments)
    LoopingCall(tell).start(1.0, now=False)
    process.start(install_signal_handlers=False)
    for visit, crawler in crawlers:
        _raise_failure(visit, crawler)


def _settings(visit: Visit) -> dict[str, Any]:
    manners = visit.manners
    return {
        "BOT_NAME": "heddle",
        "LOG_LEVEL": LOG_LEVEL,
        "LOG_FORMATTER": QuietFormatter,
        "USER_AGENT": user_agent(manners.contact),
        "ROBOTSTXT_OBEY": True,
        "ROBOTSTXT_USER_AGENT": AGENT,
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
        "HEDDLE_PRIVATE_ADDRESSES": manners.private_addresses,
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


def _raise_failure(visit: Visit, crawler: Crawler) -> None:
    failure = getattr(crawler.spider, "failure", None)
    if failure:
        raise StageError(f"source {visit.source}: {failure}")
    statistics = crawler.stats.get_stats() if crawler.stats else {}
    visit.met.seconds = statistics.get("elapsed_time_seconds", 0.0)
    reason = statistics.get("finish_reason")
    if reason == "closespider_timeout":
        limit = visit.manners.time_limit
        raise StageError(f"source {visit.source}: not done after {limit:.0f} s; raise its `time_limit`")
    if reason != "finished":
        raise StageError(f"source {visit.source}: the crawl ended early ({reason}); run `dvc repro catalog` again")
    if any(key.startswith("spider_exceptions") for key in statistics):
        raise StageError(f"source {visit.source}: an answer could not be handled, see the traceback above")
