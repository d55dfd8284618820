"""The image fetcher's connections: to checked addresses only.

The check stands where a connection is opened, on the very address that is connected to: a name may lead elsewhere the
next time it is asked (DNS rebinding), so what was resolved is not kept, and a name's addresses are tried in turn.
"""

import socket
from typing import Any

from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, TCPConnector

from assets.catalog.addresses import AddressRefusedError, objection

_LONGEST_LINE = 65_536  # bytes of a status line or a header


def direct(private: bool) -> ClientSession:
    """Connections to hosts.

    Args:
        private: whether addresses of one's own network may be asked.
    """

    def checked(found: tuple[Any, Any, int, str, tuple[Any, ...]]) -> socket.socket:
        family, kind, protocol, _, (address, *_) = found
        if word := objection(address, private):
            raise AddressRefusedError(f"{address} is not asked: {word}")
        return socket.socket(family, kind, protocol)

    return _session(socket_factory=checked)


def by_proxy() -> ClientSession:
    """Connections to proxies, which resolve names and connect."""
    return _session()


def _session(**told: Any) -> ClientSession:
    """Without limits of its own: how many requests there are at a time, and how long each may take, others decide."""
    connector = TCPConnector(limit=0, use_dns_cache=False, happy_eyeballs_delay=None, **told)
    return ClientSession(
        connector=connector,
        cookie_jar=DummyCookieJar(),
        timeout=ClientTimeout(total=None, sock_connect=None),
        auto_decompress=False,  # it knows no bound
        max_line_size=_LONGEST_LINE,
        max_field_size=_LONGEST_LINE,
    )
