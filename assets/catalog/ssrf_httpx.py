"""httpx client that connects only to allowed addresses, for single requests outside a crawl.

httpx has no public option for the network backend of its connections. This module is the only one that sets it through
private attributes; a test fails if an upgrade of httpx or httpcore removes them.
"""

import socket
import urllib.request
from typing import Any
from urllib.parse import urlsplit

import httpcore
import httpx

from assets.catalog.addresses import SCHEMES, check_address, check_url
from heddle.sources.parameters import CrawlSettings


def open_client(url: str, politeness: CrawlSettings) -> httpx.Client:
    """Open a client for ``url`` and its redirects. Credentials are sent to its host only.

    The environment's proxy is used if it applies to the host; the proxy then resolves names.
    """
    host = urlsplit(url).hostname or ""
    proxies = {} if urllib.request.proxy_bypass(host) else urllib.request.getproxies()
    return httpx.Client(
        transport=_open_transport(politeness.private_addresses),
        mounts={f"{scheme}://": httpx.HTTPTransport(proxy=proxies[scheme]) for scheme in proxies if scheme in SCHEMES},
        headers={"User-Agent": f"Heddle (+{politeness.contact})"},
        timeout=politeness.timeout,
        follow_redirects=True,
        event_hooks={"request": [lambda request: check_url(str(request.url), politeness.private_addresses)]},
    )


def _open_transport(private: bool) -> httpx.HTTPTransport:
    transport = httpx.HTTPTransport()
    if not isinstance(transport._pool, httpcore.ConnectionPool) or not hasattr(transport._pool, "_network_backend"):
        raise TypeError("httpx.HTTPTransport has no _pool._network_backend: adapt assets/catalog/ssrf_httpx.py")
    transport._pool._network_backend = _SsrfSafeBackend(private)
    return transport


class _SsrfSafeBackend(httpcore.SyncBackend):
    """Resolves a name once, checks all its addresses, and connects to these addresses."""

    def __init__(self, private: bool) -> None:
        self._private = private

    def connect_tcp(self, host: str, port: int, *arguments: Any, **named: Any) -> httpcore.NetworkStream:
        """Called by httpcore."""
        try:
            resolved = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        addresses = [str(each[4][0]) for each in resolved]
        for address in addresses:
            check_address(address, self._private)
        for address in addresses[:-1]:
            try:
                return super().connect_tcp(address, port, *arguments, **named)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return super().connect_tcp(addresses[-1], port, *arguments, **named)
