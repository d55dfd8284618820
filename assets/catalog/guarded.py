"""The picture fetcher's connections: to checked addresses only, and no longer than a request may take.

The check stands where a connection is opened, on the very address that is connected to: a name may lead elsewhere the
next time it is asked (DNS rebinding). urllib3's own time limit is one for each read, so that a server which sends a
byte now and then would hold a request for ever; :class:`Watch` ends it.
"""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import unquote

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager, ProxyManager, make_headers
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, LocationParseError, NameResolutionError, NewConnectionError
from urllib3.util import connection, parse_url

from assets.catalog.addresses import AddressRefusedError, objection

_HOSTS = 100  # to which connections are kept open
_POLL = 0.2  # seconds between two looks at the requests that are under way


class Watch:
    """Ends the connections of requests that take too long."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._due: dict[int, float] = {}  # by thread, as each has one request at a time
        self._connections: dict[int, Any] = {}
        threading.Thread(target=self._end_overdue, name="watch", daemon=True).start()

    @contextmanager
    def limit(self, seconds: float) -> Iterator[None]:
        """What this thread does within may take so long.

        Raises:
            TimeoutError: it took longer, whatever error that led to.
        """
        thread = threading.get_ident()
        due = time.monotonic() + seconds
        with self._lock:
            self._due[thread] = due
        try:
            yield
        finally:
            with self._lock:
                self._due.pop(thread)
                self._connections.pop(thread, None)
            if time.monotonic() >= due:  # what was read until then may look like all of it
                raise TimeoutError(f"not done after {seconds:g} s")

    def uses(self, used: HTTPConnection) -> None:
        """This thread's request goes through a connection."""
        with self._lock:
            self._connections[threading.get_ident()] = used

    def end_all(self) -> None:
        """End every request now."""
        with self._lock:
            self._due = dict.fromkeys(self._due, 0.0)

    def _end_overdue(self) -> None:
        while True:
            time.sleep(_POLL)
            now = time.monotonic()
            with self._lock:
                late = [self._connections.get(thread) for thread, due in self._due.items() if due <= now]
                for each in late:
                    if each is not None and each.sock is not None:
                        _shut(each.sock)


class _Watched:
    watch: Watch

    def request(self, *arguments: Any, **named: Any) -> None:
        self.watch.uses(self)  # type: ignore[arg-type]
        super().request(*arguments, **named)  # type: ignore[misc]


class _Checked(_Watched):
    private: bool

    def _new_conn(self: Any) -> socket.socket:
        try:
            found = socket.getaddrinfo(self._dns_host.strip("[]"), self.port, type=socket.SOCK_STREAM)
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error
        except UnicodeError as error:
            raise LocationParseError(f"{self.host}: no name of a host") from error
        addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
        for address in addresses:
            if word := objection(address, self.private):
                raise AddressRefusedError(f"{self.host}: {address} is not asked: {word}")
        for address in addresses[:-1]:
            try:
                return self._connected(address)
            except (ConnectTimeoutError, NewConnectionError):
                continue
        return self._connected(addresses[-1])

    def _connected(self: Any, address: str) -> socket.socket:
        try:
            options = self.socket_options
            return connection.create_connection((address, self.port), self.timeout, socket_options=options)
        except TimeoutError as error:
            raise ConnectTimeoutError(self, f"no connection to {address} in {self.timeout:g} s") from error
        except OSError as error:
            raise NewConnectionError(self, str(error)) from error


def direct(watch: Watch, private: bool, at_once: int) -> PoolManager:
    """Connections to hosts.

    Args:
        private: whether addresses of one's own network may be asked.
        at_once: how many of them to one host are kept open.
    """
    manager = PoolManager(_HOSTS, maxsize=at_once)
    manager.pool_classes_by_scheme = _pools(_Checked, {"watch": watch, "private": private})
    return manager


def by_proxy(watch: Watch, proxy: str, at_once: int) -> ProxyManager:
    """Connections through a proxy, which resolves names and connects."""
    user = parse_url(proxy).auth
    headers = make_headers(proxy_basic_auth=unquote(user)) if user else None
    manager = ProxyManager(proxy, _HOSTS, proxy_headers=headers, maxsize=at_once)
    manager.pool_classes_by_scheme = _pools(_Watched, {"watch": watch})
    return manager


def _pools(kind: type, told: dict[str, Any]) -> dict[str, Any]:
    """Classes of pools whose connections are of this kind."""
    plain = type("HTTPConnection", (kind, HTTPConnection), told)  # by these names messages call them
    secure = type("HTTPSConnection", (kind, HTTPSConnection), told)
    return {
        "http": type("HTTPConnectionPool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
        "https": type("HTTPSConnectionPool", (HTTPSConnectionPool,), {"ConnectionCls": secure}),
    }


def _shut(sock: Any) -> None:
    """End a connection that another thread reads from; TLS is not said goodbye to, as that would wait."""
    with suppress(OSError):  # it may have ended by itself
        socket.socket.shutdown(sock, socket.SHUT_RDWR)
