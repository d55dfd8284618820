"""The crawl's connections: no further than :mod:`assets.catalog.addresses` allows, and no more than can be held.

The check stands where a connection is opened, on the very address that is connected to. A look-up of our own before it
would be no check: the name may lead elsewhere the next time it is asked (DNS rebinding).
"""

from typing import Any

from scrapy import Request
from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.crawler import Crawler
from scrapy.downloadermiddlewares.httpcompression import HttpCompressionMiddleware
from scrapy.exceptions import DownloadCancelledError, IgnoreRequest
from scrapy.http import Response
from twisted.internet.endpoints import HostnameEndpoint
from twisted.web.client import HTTPConnectionPool

from assets.catalog.addresses import AddressRefusedError, check_url, objection

_REDIRECTS = (301, 302, 303, 307, 308)


class GuardedHandler(HTTP11DownloadHandler):
    """Scrapy's HTTP and HTTPS, with the check. What goes through a proxy is connected, and resolved, by the proxy."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._by_proxy = HTTP11DownloadHandler(crawler)
        self._pool = _GuardedPool(self._pool, crawler.settings.getbool("HEDDLE_PRIVATE_ADDRESSES"))

    async def download_request(self, request: Request) -> Response:
        """Called by Scrapy."""
        if request.meta.get("proxy"):
            return await self._by_proxy.download_request(request)
        return await super().download_request(request)

    async def close(self) -> None:
        """Called by Scrapy at the end."""
        await self._by_proxy.close()
        await super().close()


class _GuardedPool(HTTPConnectionPool):
    """A pool like another one, in which every endpoint opens its connections through :class:`_GuardedReactor`."""

    def __init__(self, pool: HTTPConnectionPool, private: bool) -> None:
        vars(self).update(vars(pool))
        self._guarded = _GuardedReactor(pool._reactor, private)

    def getConnection(self, key: Any, endpoint: Any) -> Any:  # noqa: N802  Twisted's name
        """Called by Twisted for every request; the endpoint is asked only where no connection is left open."""
        opening = getattr(endpoint, "_wrappedEndpoint", endpoint)  # TLS wraps the one that connects
        if not isinstance(opening, HostnameEndpoint):
            raise TypeError(f"{opening!r}: Twisted opens connections by other means than those that are checked")
        opening._reactor = self._guarded
        return super().getConnection(key, endpoint)


class _GuardedReactor:
    """Twisted's reactor, but for connections to refused addresses. A host has been resolved when this is called."""

    def __init__(self, reactor: Any, private: bool) -> None:
        self._reactor = reactor
        self._private = private

    def connectTCP(self, host: str, port: int, *arguments: Any, **named: Any) -> Any:  # noqa: N802  Twisted's name
        word = objection(host, self._private)
        if word:
            raise AddressRefusedError(f"{host} is not asked: {word}")
        return self._reactor.connectTCP(host, port, *arguments, **named)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reactor, name)


class CheckedUrls:
    """Refuses what a URL already shows, so that no proxy is asked for it either, and redirects to other schemes."""

    def __init__(self, crawler: Crawler) -> None:
        self._private = crawler.settings.getbool("HEDDLE_PRIVATE_ADDRESSES")

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "CheckedUrls":
        """Called by Scrapy."""
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        """Called by Scrapy, for redirected requests and robots.txt too."""
        check_url(request.url, self._private)

    def process_response(self, request: Request, response: Response) -> Response:
        """Called by Scrapy: it leaves a redirect that it cannot follow to the spider, as an answer."""
        if response.status in _REDIRECTS and (location := response.headers.get("Location")):
            target = location.decode("latin-1")
            raise AddressRefusedError(f"{request.url} leads to {target}: not an http or https address")
        return response


class BoundedCompression(HttpCompressionMiddleware):
    """Scrapy's, whose word for too much after decompression is the one for a request that robots.txt forbids."""

    def process_response(self, request: Request, response: Response, spider: Any = None) -> Request | Response:
        """Called by Scrapy."""
        try:
            return super().process_response(request, response)
        except IgnoreRequest as error:
            raise DownloadCancelledError(str(error)) from error
