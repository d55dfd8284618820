"""aiohttp sessions that connect only to allowed addresses.

The check runs on the address of each new connection, because a name may resolve to another address later (DNS
rebinding). For the same reason, resolved names are not cached.
"""

import socket
from typing import Any

from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, TCPConnector

from assets.catalog.addresses import check_address

_MAX_LINE_BYTES = 65_536  # of a status line or a header


def open_direct_session(private: bool) -> ClientSession:
    """Open a session that connects to hosts itself.

    Args:
        private: whether private and loopback addresses are allowed.
    """

    def create_socket(address_info: tuple[Any, Any, int, str, tuple[Any, ...]]) -> socket.socket:
        family, kind, protocol, _, (address, *_) = address_info
        check_address(address, private)
        return socket.socket(family, kind, protocol)

    return _open_session(socket_factory=create_socket)


def open_proxy_session() -> ClientSession:
    """Open a session for requests through a proxy, which resolves names and connects."""
    return _open_session()


def _open_session(**arguments: Any) -> ClientSession:
    """Open a session without limits: the scheduler limits concurrency, and each request has its own timeout."""
    connector = TCPConnector(limit=0, use_dns_cache=False, happy_eyeballs_delay=None, **arguments)
    return ClientSession(
        connector=connector,
        cookie_jar=DummyCookieJar(),
        timeout=ClientTimeout(total=None, sock_connect=None),
        auto_decompress=False,  # aiohttp would decompress without a limit
        max_line_size=_MAX_LINE_BYTES,
        max_field_size=_MAX_LINE_BYTES,
    )
