"""An HTTP client for single questions outside a crawl, as restrained as one: see :mod:`assets.catalog.addresses`."""

import socket
import urllib.request
from typing import Any
from urllib.parse import urlsplit

import httpcore
import httpx

from assets.catalog.addresses import AddressRefusedError, check_url, objection
from heddle.sources.parameters import Crawled


def client(url: str, manners: Crawled) -> httpx.Client:
    """A client for ``url`` and where it redirects to; credentials stay with its host.

    The environment's proxy is used, if there is one for it; then it is the proxy that resolves names.
    """
    host = urlsplit(url).hostname or ""
    proxies = {} if urllib.request.proxy_bypass(host) else urllib.request.getproxies()
    return httpx.Client(
        transport=_guarded(manners.private_addresses),
        mounts={f"{scheme}://": httpx.HTTPTransport(proxy=proxies[scheme]) for scheme in proxies if scheme in _SCHEMES},
        headers={"User-Agent": f"Heddle (+{manners.contact})"},
        timeout=manners.timeout,
        follow_redirects=True,
        event_hooks={"request": [lambda request: check_url(str(request.url), manners.private_addresses)]},
    )


_SCHEMES = ("http", "https")


def _guarded(private: bool) -> httpx.HTTPTransport:
    transport = httpx.HTTPTransport()
    transport._pool._network_backend = _GuardedBackend(private)
    return transport


class _GuardedBackend(httpcore.SyncBackend):
    """Opens connections to addresses that were checked, not to names that may be resolved anew."""

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
            if word := objection(address, self._private):
                raise AddressRefusedError(f"{host}: {address} is not asked: {word}")
        for address in addresses[:-1]:
            try:
                return super().connect_tcp(address, port, *arguments, **named)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return super().connect_tcp(addresses[-1], port, *arguments, **named)
