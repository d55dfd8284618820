"""Scrapy download handler that connects only to allowed addresses.

The check runs on the address of each new connection. A separate look-up before it would be no protection, because the
name may resolve to another address the next time (DNS rebinding).

Twisted has no public hook for this check. This module is the only one that uses private attributes of Scrapy's handler
and of Twisted; a test fails if an upgrade removes them.
"""

from typing import Any

from scrapy import Request
from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.crawler import Crawler
from scrapy.http import Response
from twisted.internet.endpoints import HostnameEndpoint
from twisted.web.client import HTTPConnectionPool

from assets.catalog.addresses import check_address

PRIVATE_ADDRESSES = "HEDDLE_PRIVATE_ADDRESSES"
"""Scrapy setting: whether private and loopback addresses are allowed."""


class SsrfSafeHandler(HTTP11DownloadHandler):
    """Scrapy's handler for HTTP and HTTPS with the check. A proxy resolves names and connects itself."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._by_proxy = HTTP11DownloadHandler(crawler)
        self._pool = _SsrfSafePool(self._pool, crawler.settings.getbool(PRIVATE_ADDRESSES))

    async def download_request(self, request: Request) -> Response:
        """Called by Scrapy."""
        if request.meta.get("proxy"):
            return await self._by_proxy.download_request(request)
        return await super().download_request(request)

    async def close(self) -> None:
        """Called by Scrapy at the end."""
        await self._by_proxy.close()
        await super().close()


class _SsrfSafePool(HTTPConnectionPool):
    """A copy of a pool in which every endpoint connects through :class:`_SsrfSafeReactor`."""

    def __init__(self, pool: HTTPConnectionPool, private: bool) -> None:
        vars(self).update(vars(pool))
        self._ssrf_safe_reactor = _SsrfSafeReactor(pool._reactor, private)

    def getConnection(self, key: Any, endpoint: Any) -> Any:  # noqa: N802  Twisted's name
        """Called by Twisted for every request; the endpoint connects only if no connection can be reused."""
        connecting = getattr(endpoint, "_wrappedEndpoint", endpoint)  # TLS wraps the endpoint that connects
        if not isinstance(connecting, HostnameEndpoint) or not hasattr(connecting, "_reactor"):
            raise TypeError(
                f"{connecting!r} is no HostnameEndpoint with a _reactor: adapt assets/catalog/ssrf_twisted.py"
            )
        connecting._reactor = self._ssrf_safe_reactor
        return super().getConnection(key, endpoint)


class _SsrfSafeReactor:
    """Twisted's reactor with a check in `connectTCP`, which is called with the resolved address."""

    def __init__(self, reactor: Any, private: bool) -> None:
        self._reactor = reactor
        self._private = private

    def connectTCP(self, host: str, port: int, *arguments: Any, **named: Any) -> Any:  # noqa: N802  Twisted's name
        check_address(host, self._private)
        return self._reactor.connectTCP(host, port, *arguments, **named)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reactor, name)
