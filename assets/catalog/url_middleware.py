"""Scrapy middleware that blocks URLs and limits decompression."""

from typing import Any

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.downloadermiddlewares.httpcompression import HttpCompressionMiddleware
from scrapy.exceptions import DownloadCancelledError, IgnoreRequest
from scrapy.http import Response

from assets.catalog.addresses import BlockedAddressError, check_url
from assets.catalog.ssrf_twisted import PRIVATE_ADDRESSES

_REDIRECTS = (301, 302, 303, 307, 308)


class CheckedUrls:
    """Blocks URLs that name a blocked address, also for proxied requests, and redirects to other schemes."""

    def __init__(self, crawler: Crawler) -> None:
        self._private = crawler.settings.getbool(PRIVATE_ADDRESSES)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "CheckedUrls":
        """Called by Scrapy."""
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        """Called by Scrapy, also for redirected requests and robots.txt."""
        check_url(request.url, self._private)

    def process_response(self, request: Request, response: Response) -> Response:
        """Called by Scrapy, which passes a redirect that it cannot follow to the spider as a response."""
        if response.status in _REDIRECTS and (location := response.headers.get("Location")):
            target = location.decode("latin-1")
            raise BlockedAddressError(f"{request.url} redirects to {target}: not an http or https URL")
        return response


class BoundedCompression(HttpCompressionMiddleware):
    """Scrapy's middleware, but a body that is too large after decompression has an error of its own.

    Scrapy raises the same error as for a request that robots.txt forbids.
    """

    def process_response(self, request: Request, response: Response, spider: Any = None) -> Request | Response:
        """Called by Scrapy."""
        try:
            return super().process_response(request, response)
        except IgnoreRequest as error:
            raise DownloadCancelledError(str(error)) from error
