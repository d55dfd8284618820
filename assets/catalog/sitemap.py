"""The source `sitemap`: the pages of any site that has a sitemap (https://www.sitemaps.org), crawled politely."""

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

from assets.catalog.collector import Harvest
from assets.catalog.crawl_job import Visit
from assets.catalog.page import Page, PageError, read_page
from assets.catalog.page_politeness import HostBudgetError
from assets.catalog.politeness import CONTENT, forbidden_use
from assets.catalog.rows import full_id
from assets.catalog.spiders import ERRORS_TOO, PageSpider, answer_of
from heddle.sources.parameters import Sitemap

LARGEST_SITEMAP = 50_000_000  # bytes, unpacked: the protocol's own limit
LARGEST_PAGE = 4_000_000  # bytes
DEEPEST = 3  # an index may name sitemaps only; some name further indexes


class SitemapSource:
    """Crawls one site."""

    def __init__(self, source: Sitemap) -> None:
        self._source = source

    def gather(self, harvest: Harvest) -> Visit:
        """The crawl that brings the pages of the site and their images."""
        return Visit(self._source.name, self._source, SitemapSpider, {"harvest": harvest, "source": self._source})


class SitemapSpider(PageSpider):
    """Sitemaps and their pages."""

    name = "sitemap"

    def __init__(self, source: Sitemap, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._source = source
        self._host = _host(str(source.url))
        self._kinds = {"listings": re.compile(source.listings)}
        if source.guides is not None:
            self._kinds = {"guides": re.compile(source.guides)} | self._kinds
        self._seen: set[str] = set()
        self._pages = 0

    async def start(self) -> AsyncIterator[Any]:
        """Called by Scrapy."""
        for request in self._map(str(self._source.url), 0):
            yield request

    def closed(self, reason: str) -> None:
        """Called by Scrapy at the end."""
        if not self._pages and not self.failure:
            patterns = " and ".join(f"`{kind}: {pattern.pattern}`" for kind, pattern in self._kinds.items())
            self.failure = f"none of the {len(self._seen)} addresses in {self._source.url} fits {patterns}"

    def _map(self, url: str, depth: int) -> Iterator[Request]:
        if url not in self._seen:
            self._seen.add(url)
            yield Request(
                url,
                self._map_arrived,
                errback=self._map_failed,
                meta=ERRORS_TOO | {"download_maxsize": LARGEST_SITEMAP},
                cb_kwargs={"depth": depth},
                priority=10,
                dont_filter=True,
            )

    def _map_arrived(self, response: Response, depth: int) -> Iterator[Request]:
        if response.status != 200:
            self._bad_map(response.url, depth, f"answered {answer_of(response)}")
            return
        try:
            packed = response.body[:2] == b"\x1f\x8b"
            content = gunzip(response.body, max_size=LARGEST_SITEMAP) if packed else response.body
            sitemap = SitemapFile(content)
            entries = [entry["loc"] for entry in sitemap]
        except (LxmlError, OSError, EOFError, ValueError, struct.error, zlib.error, StopIteration) as error:
            self._bad_map(response.url, depth, f"is no sitemap: {error or type(error).__name__}")
            return
        if sitemap.type not in ("urlset", "sitemapindex"):
            self._bad_map(response.url, depth, f"is no sitemap: it begins with <{sitemap.type[:80]}>")
            return
        if sitemap.xmliter.error_log:
            self._bad_map(response.url, 1, f"is damaged: {sitemap.xmliter.error_log[0].message}")
            del entries[-1:]  # it may have been cut
        for entry in entries:
            yield from self._entry(entry, sitemap.type, depth)

    def _entry(self, url: str, type_: str, depth: int) -> Iterator[Request]:
        """The request for what a sitemap names: a page, or a sitemap if this one is an index."""
        if _host(url) != self._host:
            self._refuse_page("listings", url, "a sitemap may name addresses of its own host only", "other_host")
        elif type_ == "sitemapindex" and depth < DEEPEST:
            yield from self._map(url, depth + 1)
        elif type_ == "urlset" and url not in self._seen:
            self._seen.add(url)
            table = next((table for table, pattern in self._kinds.items() if pattern.search(url)), None)
            if table:
                yield self._page(url, table)

    def _map_failed(self, failure: Failure) -> Iterator[Request]:
        yield from ()  # a generator, as Scrapy minds CloseSpider while it iterates, but not in a plain errback
        request: Request = failure.request  # type: ignore[attr-defined]
        self._bad_map(request.url, request.cb_kwargs["depth"], _why(failure, LARGEST_SITEMAP))

    def _bad_map(self, url: str, depth: int, detail: str) -> None:
        """A sitemap cannot be used: the only one ends the stage, one of several is refused."""
        if depth == 0:
            self._fail(f"{url} {detail}; `url` must be that of a sitemap, which robots.txt often names")
        self._refuse_page("listings", url, detail, "sitemap_unreadable")

    def _page(self, url: str, table: str) -> Request:
        self._pages += 1
        if self._pages > self._source.pages:
            self._fail(f"more than {self._source.pages} pages; narrow `listings`, or raise `pages`")
        meta = ERRORS_TOO | {"download_maxsize": LARGEST_PAGE}
        return Request(
            url,
            self._page_arrived,
            errback=self._page_failed,
            meta=meta,
            cb_kwargs={"url": url, "table": table},
            priority=5,
            dont_filter=True,
        )

    def _page_arrived(self, response: Response, url: str, table: str) -> None:
        if response.status != 200:
            self._refuse_page(table, url, f"answered {answer_of(response)}", "page_missing")
            return
        if tag := forbidden_use(response.headers.getlist("X-Robots-Tag"), CONTENT):
            self._refuse_page(table, url, f"it says `X-Robots-Tag: {tag}`", "robots_tag")
            return
        try:
            if not isinstance(response, TextResponse):
                raise PageError("no page but something else")
            page = read_page(response.text, response.url)
        except PageError as error:
            self._refuse_page(table, url, str(error), "malformed_record")
            return
        if table == "guides":
            told = {"id": _path(url), "title": page.told.get("title"), "text": page.text or None}
            self.harvest.row("guides", self._source.name, told, dict(page.told), url)
        else:
            self._listing(page, url)

    def _listing(self, page: Page, url: str) -> None:
        told = dict(page.told) | {"site": self._host}
        record = told | {"image": page.image}
        draft = self.harvest.listing(self._source.name, _path(url), told, record, url, image=page.image)
        if draft is None:
            return
        if page.image:
            self.harvest.image_url(draft, page.image)
        else:
            self.harvest.refuse_image(draft, "no_image", "neither JSON-LD nor Open Graph names an image")

    def _page_failed(self, failure: Failure) -> None:
        told = failure.request.cb_kwargs  # type: ignore[attr-defined]
        reason = "host_budget" if failure.check(HostBudgetError) else "page_missing"
        self._refuse_page(told["table"], told["url"], _why(failure, LARGEST_PAGE), reason)

    def _refuse_page(self, table: str, url: str, detail: str, reason: str) -> None:
        self.harvest.refuse(table, full_id(self._source.name, _path(url)), url, detail, {"url": url}, reason)

    def _fail(self, message: str) -> None:
        self.failure = self.failure or message
        raise CloseSpider("source_failed")


def _why(failure: Failure, limit: int) -> str:
    if failure.check(DownloadCancelledError):
        return f"more than {limit:,} bytes"
    what = str(failure.value) or type(failure.value).__name__
    return what if failure.check(IgnoreRequest) else f"cannot be reached ({what})"


def _host(url: str) -> str:
    """The host of an http or https address, `www.` aside; nothing if it is none."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return parts.netloc.lower().removeprefix("www.") if parts.scheme in ("http", "https") else ""


def _path(url: str) -> str:
    """The part of an address after its host, which tells a page from the others of its site."""
    return "/" + "/".join(url.split("/")[3:])
