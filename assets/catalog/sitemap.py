"""The source `sitemap`: the pages of any site with a sitemap (https://www.sitemaps.org)."""

import re
import struct
import zlib
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import urlsplit

from lxml.etree import LxmlError
from scrapy import Request
from scrapy.exceptions import CloseSpider, DownloadCancelledError, IgnoreRequest
from scrapy.http import Response, TextResponse
from scrapy.utils.gz import gunzip
from scrapy.utils.sitemap import Sitemap as SitemapFile
from twisted.python.failure import Failure

from assets.catalog.collector import Collector
from assets.catalog.crawl_job import CrawlJob, format_status
from assets.catalog.page_politeness import HostBudgetError
from assets.catalog.politeness import CONTENT_DIRECTIVES, find_forbidden_use
from assets.catalog.rows import qualify_id
from assets.catalog.spiders import PASS_ERRORS, PageSpider
from assets.catalog.web_page import PageError, WebPage, read_page
from heddle.sources.parameters import Sitemap

MAX_SITEMAP_BYTES = 50_000_000  # decompressed: the protocol's limit
MAX_PAGE_BYTES = 4_000_000
MAX_DEPTH = 3  # the protocol allows no index in an index, but some sites have them


class SitemapSource:
    """Crawls one site."""

    def __init__(self, source: Sitemap) -> None:
        self._source = source

    def gather(self, collector: Collector) -> CrawlJob:
        """Return the crawl of the site's pages and their images."""
        return CrawlJob(
            self._source.name, self._source, SitemapSpider, {"collector": collector, "source": self._source}
        )


class SitemapSpider(PageSpider):
    """Crawls sitemaps and their pages."""

    name = "sitemap"

    def __init__(self, source: Sitemap, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._source = source
        self._host = _host(str(source.url))
        self._kinds = {"listings": re.compile(source.listings)}
        if source.guides is not None:
            self._kinds = {"guides": re.compile(source.guides)} | self._kinds
        self._visited: set[str] = set()
        self._pages = 0

    async def start(self) -> AsyncIterator[Any]:
        """Called by Scrapy."""
        for request in self._request_sitemap(str(self._source.url), 0):
            yield request

    def closed(self, reason: str) -> None:
        """Called by Scrapy at the end."""
        if not self._pages and not self.failure:
            patterns = " and ".join(f"`{kind}: {pattern.pattern}`" for kind, pattern in self._kinds.items())
            self.failure = f"none of the {len(self._visited)} URLs in {self._source.url} matches {patterns}"

    def _request_sitemap(self, url: str, depth: int) -> Iterator[Request]:
        if url not in self._visited:
            self._visited.add(url)
            yield Request(
                url,
                self._parse_sitemap,
                errback=self._handle_sitemap_error,
                meta=PASS_ERRORS | {"download_maxsize": MAX_SITEMAP_BYTES},
                cb_kwargs={"depth": depth},
                priority=10,
                dont_filter=True,
            )

    def _parse_sitemap(self, response: Response, depth: int) -> Iterator[Request]:
        if response.status != 200:
            self._reject_sitemap(response.url, depth, f"returned {format_status(response.status)}")
            return
        try:
            packed = response.body[:2] == b"\x1f\x8b"
            content = gunzip(response.body, max_size=MAX_SITEMAP_BYTES) if packed else response.body
            sitemap = SitemapFile(content)
            entries = [entry["loc"] for entry in sitemap]
        except (LxmlError, OSError, EOFError, ValueError, struct.error, zlib.error, StopIteration) as error:
            self._reject_sitemap(response.url, depth, f"not a sitemap: {error or type(error).__name__}")
            return
        if sitemap.type not in ("urlset", "sitemapindex"):
            self._reject_sitemap(response.url, depth, f"not a sitemap: the root element is <{sitemap.type[:80]}>")
            return
        if sitemap.xmliter.error_log:
            self._reject_sitemap(response.url, 1, f"damaged: {sitemap.xmliter.error_log[0].message}")
            del entries[-1:]  # the last URL may be incomplete
        for entry in entries:
            yield from self._request_entry(entry, sitemap.type, depth)

    def _request_entry(self, url: str, type_: str, depth: int) -> Iterator[Request]:
        """Request an entry of a sitemap: a page, or a sitemap if this one is an index."""
        if _host(url) != self._host:
            self._reject_page("listings", url, "a sitemap may contain URLs of its own host only", "other_host")
        elif type_ == "sitemapindex" and depth < MAX_DEPTH:
            yield from self._request_sitemap(url, depth + 1)
        elif type_ == "urlset" and url not in self._visited:
            self._visited.add(url)
            table = next((table for table, pattern in self._kinds.items() if pattern.search(url)), None)
            if table:
                yield self._request_page(url, table)

    def _handle_sitemap_error(self, failure: Failure) -> Iterator[Request]:
        yield from ()  # Scrapy handles CloseSpider in a generator, but not in a plain errback
        request: Request = failure.request  # type: ignore[attr-defined]
        self._reject_sitemap(request.url, request.cb_kwargs["depth"], _describe_failure(failure, MAX_SITEMAP_BYTES))

    def _reject_sitemap(self, url: str, depth: int, detail: str) -> None:
        """Reject a sitemap that cannot be used; if it is the first one, stop the crawl."""
        if depth == 0:
            self._fail(f"{url}: {detail}; `url` must be the URL of a sitemap, which robots.txt often contains")
        self._reject_page("listings", url, detail, "sitemap_unreadable")

    def _request_page(self, url: str, table: str) -> Request:
        self._pages += 1
        if self._pages > self._source.pages:
            self._fail(f"more than {self._source.pages} pages; narrow `listings`, or raise `pages`")
        meta = PASS_ERRORS | {"download_maxsize": MAX_PAGE_BYTES}
        return Request(
            url,
            self._parse_page,
            errback=self._handle_page_error,
            meta=meta,
            cb_kwargs={"url": url, "table": table},
            priority=5,
            dont_filter=True,
        )

    def _parse_page(self, response: Response, url: str, table: str) -> None:
        if response.status != 200:
            self._reject_page(table, url, f"returned {format_status(response.status)}", "page_missing")
            return
        if tag := find_forbidden_use(response.headers.getlist("X-Robots-Tag"), CONTENT_DIRECTIVES):
            self._reject_page(table, url, f"the response has `X-Robots-Tag: {tag}`", "robots_tag")
            return
        try:
            if not isinstance(response, TextResponse):
                raise PageError("not an HTML page")
            page = read_page(response.text, response.url)
        except PageError as error:
            self._reject_page(table, url, str(error), "malformed_record")
            return
        if table == "guides":
            fields = {"id": _path(url), "title": page.fields.get("title"), "text": page.text or None}
            self.collector.add_row("guides", self._source.name, fields, dict(page.fields), url)
        else:
            self._add_listing(page, url)

    def _add_listing(self, page: WebPage, url: str) -> None:
        fields = dict(page.fields) | {"site": self._host}
        record = fields | {"image": page.image}
        draft = self.collector.add_listing(self._source.name, _path(url), fields, record, url, image=page.image)
        if draft is None:
            return
        if page.image:
            self.collector.set_image_url(draft, page.image)
        else:
            self.collector.reject_image(draft, "no_image", "neither JSON-LD nor Open Graph contains an image")

    def _handle_page_error(self, failure: Failure) -> None:
        request = failure.request.cb_kwargs  # type: ignore[attr-defined]
        reason = "host_budget" if failure.check(HostBudgetError) else "page_missing"
        self._reject_page(request["table"], request["url"], _describe_failure(failure, MAX_PAGE_BYTES), reason)

    def _reject_page(self, table: str, url: str, detail: str, reason: str) -> None:
        self.collector.reject(table, qualify_id(self._source.name, _path(url)), url, detail, {"url": url}, reason)

    def _fail(self, message: str) -> None:
        self.failure = self.failure or message
        raise CloseSpider("source_failed")


def _describe_failure(failure: Failure, limit: int) -> str:
    if failure.check(DownloadCancelledError):
        return f"more than {limit:,} bytes"
    error = str(failure.value) or type(failure.value).__name__
    return error if failure.check(IgnoreRequest) else f"cannot be reached ({error})"


def _host(url: str) -> str:
    """Return the host of an http or https URL without `www.`; empty for any other text."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return parts.netloc.lower().removeprefix("www.") if parts.scheme in ("http", "https") else ""


def _path(url: str) -> str:
    """Return the part of a URL after its host, which is the page's id."""
    return "/" + "/".join(url.split("/")[3:])
