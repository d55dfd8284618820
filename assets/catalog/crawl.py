"""Crawl pages with Scrapy: robots.txt, delay and concurrency per host, back-off, size and time limits."""

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
from assets.catalog.crawl_job import CrawlJob
from assets.catalog.http_cache import AtomicStorage, RevalidatingCache, RevalidatingPolicy
from assets.catalog.page_politeness import BackOffRetry, CredentialsAndDelay, HostBudget, Robots
from assets.catalog.politeness import AGENT, format_user_agent
from assets.catalog.ssrf_twisted import PRIVATE_ADDRESSES, SsrfSafeHandler
from assets.catalog.url_middleware import BoundedCompression, CheckedUrls
from heddle.core.stage import StageError

CACHE = Path(".heddle/http_cache")
MAX_PAGE_BYTES = 64_000_000  # of a page of an API
LOG_LEVEL = "ERROR"
_OFF = (
    *("COOKIES_ENABLED", "REFERER_ENABLED", "METAREFRESH_ENABLED", "STATS_DUMP"),
    *("TELNETCONSOLE_ENABLED", "REMOTE_CONTROL_ENABLED", "MEMUSAGE_ENABLED"),  # these open ports or watch the process
)


def crawl_pages(crawl_jobs: Sequence[CrawlJob], report_progress: Callable[[], None]) -> None:
    """Crawl the pages of all sources concurrently. Call it once per process, as Twisted's reactor starts only once.

    Args:
        report_progress: called about once a second.

    Raises:
        StageError: a source could not be read; the message contains its response and what to do.
    """
    spiders = [(crawl_job, crawl_job.spider) for crawl_job in crawl_jobs if crawl_job.spider]
    process = AsyncCrawlerProcess({"LOG_LEVEL": LOG_LEVEL})
    logging.getLogger("scrapy.downloadermiddlewares.robotstxt").setLevel(logging.CRITICAL)
    crawlers = [(crawl_job, Crawler(spider, _settings(crawl_job), init_reactor=False)) for crawl_job, spider in spiders]
    for crawl_job, crawler in crawlers:
        process.crawl(crawler, crawl_job=crawl_job, **crawl_job.arguments)
    LoopingCall(report_progress).start(1.0, now=False)
    process.start(install_signal_handlers=False)
    for crawl_job, crawler in crawlers:
        _raise_failure(crawl_job, crawler)


def _settings(crawl_job: CrawlJob) -> dict[str, Any]:
    politeness = crawl_job.politeness
    return {
        "BOT_NAME": "heddle",
        "LOG_LEVEL": LOG_LEVEL,
        "LOG_FORMATTER": QuietFormatter,
        "USER_AGENT": format_user_agent(politeness.contact),
        "ROBOTSTXT_OBEY": True,
        "ROBOTSTXT_USER_AGENT": AGENT,
        "DOWNLOAD_DELAY": politeness.delay,
        "CONCURRENT_REQUESTS": 2 * politeness.concurrency,
        "CONCURRENT_REQUESTS_PER_DOMAIN": politeness.concurrency,
        "CONCURRENT_ITEMS": 1,  # there is no item pipeline, and Scrapy starts this many tasks for every response
        "DOWNLOAD_TIMEOUT": politeness.timeout,
        "CLOSESPIDER_TIMEOUT": politeness.time_limit,
        "DOWNLOAD_MAXSIZE": MAX_PAGE_BYTES,
        "DOWNLOAD_WARNSIZE": 0,
        "DOWNLOAD_VERIFY_CERTIFICATES": True,
        # A site must not make the crawler read local files.
        "DOWNLOAD_HANDLERS": dict.fromkeys(SCHEMES, SsrfSafeHandler) | dict.fromkeys(("data", "file", "ftp", "s3")),
        "RETRY_TIMES": politeness.retries,
        "RETRY_GIVE_UP_LOG_LEVEL": "DEBUG",
        PRIVATE_ADDRESSES: politeness.private_addresses,
        "DOWNLOADER_MIDDLEWARES": {
            CheckedUrls: 50,
            RobotsTxtMiddleware: None,
            Robots: 100,
            RetryMiddleware: None,
            BackOffRetry: 550,
            HttpCompressionMiddleware: None,
            BoundedCompression: 590,
            CredentialsAndDelay: 740,
            HttpCacheMiddleware: None,
            RevalidatingCache: 900,
            HostBudget: 950,  # after the cache: counts only requests that are sent
        },
        "HTTPCACHE_ENABLED": True,
        "HTTPCACHE_DIR": str((CACHE / crawl_job.source).absolute()),
        "HTTPCACHE_POLICY": RevalidatingPolicy,
        "HTTPCACHE_STORAGE": AtomicStorage,
    } | dict.fromkeys(_OFF, False)


class QuietFormatter(LogFormatter):
    """Logs no failed downloads: each has an errback that puts it into the quarantine or stops the stage."""

    def download_error(self, *arguments: Any, **named: Any) -> LogFormatterResult | None:  # type: ignore[override]
        """Called by Scrapy."""
        return None


def _raise_failure(crawl_job: CrawlJob, crawler: Crawler) -> None:
    failure = getattr(crawler.spider, "failure", None)
    if failure:
        raise StageError(f"source {crawl_job.source}: {failure}")
    statistics = crawler.stats.get_stats() if crawler.stats else {}
    crawl_job.hosts.seconds = statistics.get("elapsed_time_seconds", 0.0)
    reason = statistics.get("finish_reason")
    if reason == "closespider_timeout":
        limit = crawl_job.politeness.time_limit
        raise StageError(f"source {crawl_job.source}: not finished after {limit:.0f} s; raise its `time_limit`")
    if reason != "finished":
        raise StageError(f"source {crawl_job.source}: the crawl ended early ({reason}); run `dvc repro catalog` again")
    if any(key.startswith("spider_exceptions") for key in statistics):
        raise StageError(f"source {crawl_job.source}: a response could not be processed, see the traceback above")
