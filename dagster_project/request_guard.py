"""Guard in front of Dagster's web server: only the user's own pages and programs may use it.

Dagster answers any ``Host`` and ``Origin`` and executes mutations that come by GET. Without the guard, any web page
that the user opens could start a run: by a form, by an image's address, or by a host name that resolves to 127.0.0.1.
"""

import base64
import binascii
import hmac
from collections.abc import Collection
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
GRAPHQL = "/graphql"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
POLICY_VIOLATION = 1008  # WebSocket close code, RFC 6455


@dataclass(frozen=True)
class Refusal:
    """Answer to a request that is not passed on."""

    status: int
    reason: str
    headers: dict[str, str] = field(default_factory=dict)


class RequestGuard:
    """ASGI middleware that refuses requests of other sites.

    Args:
        app: the guarded application.
        allowed_hosts: host names beside those of loopback, for example of a reverse proxy.
        token: if given, required as a bearer token or as the password of HTTP Basic authentication.
    """

    def __init__(self, app: ASGIApp, allowed_hosts: Collection[str] = (), token: str | None = None) -> None:
        self._app, self._token = app, token
        self._allowed = frozenset(host.lower() for host in allowed_hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on or answer it with a refusal."""
        refusal = None if scope["type"] == "lifespan" else self.check(scope)
        if refusal is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":  # closed before it is accepted: the server answers 403
            await send({"type": "websocket.close", "code": POLICY_VIOLATION, "reason": refusal.reason})
        else:
            headers = {**refusal.headers, "X-Content-Type-Options": "nosniff"}
            await PlainTextResponse(f"{refusal.reason}\n", refusal.status, headers)(scope, receive, send)

    def check(self, scope: Scope) -> Refusal | None:
        """Reason to refuse an HTTP request or the opening of a WebSocket; None to pass it on."""
        headers = Headers(scope=scope)
        if not self._is_known_host(headers):
            return Refusal(403, "unknown host; open the address that `heddle ui` printed, or add --allow-host NAME")
        if not self._is_same_origin(headers):
            return Refusal(403, "requests of other sites are refused")
        if not self._has_token(headers):
            challenge = {"WWW-Authenticate": 'Basic realm="Heddle", charset="UTF-8"'}
            return Refusal(401, "the token in HEDDLE_UI_TOKEN is required as password or bearer token", challenge)
        if scope["type"] == "http":
            return _check_method(scope["method"], scope["path"], headers)
        return None

    def _is_known_host(self, headers: Headers) -> bool:
        hosts = headers.getlist("host")
        return len(hosts) == 1 and _split(f"//{hosts[0]}").hostname in LOOPBACK | self._allowed

    def _is_same_origin(self, headers: Headers) -> bool:
        origins = headers.getlist("origin")
        if not origins:
            return True  # no browser, or a request that a browser makes within the site
        address = _split(origins[0])
        if len(origins) > 1 or address.scheme not in ("http", "https"):
            return False
        return address.netloc.lower() == headers["host"].lower() or address.hostname in self._allowed

    def _has_token(self, headers: Headers) -> bool:
        if self._token is None:
            return True
        return any(
            hmac.compare_digest(secret.encode(), self._token.encode())
            for value in headers.getlist("authorization")
            if (secret := _secret(value)) is not None
        )


def _check_method(method: str, path: str, headers: Headers) -> Refusal | None:
    if method in SAFE_METHODS:
        # Dagster answers a browser's visit with an editor page; any other GET executes its query, mutations too.
        if path == GRAPHQL and "text/html" not in headers.get("accept", ""):
            return Refusal(405, "GraphQL is answered by POST only", {"Allow": "POST"})
        return None
    types = [value.partition(";")[0].strip().lower() for value in headers.getlist("content-type")]
    if types != ["application/json"]:  # a page of another site cannot send this type without being asked first
        return Refusal(415, "the content type must be application/json")
    return None


def _split(address: str) -> SplitResult:
    try:
        return urlsplit(address)
    except ValueError:
        return urlsplit("")


def _secret(authorization: str) -> str | None:
    """Token of an ``Authorization`` header: of the scheme Bearer, or the password of the scheme Basic."""
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(value.strip(), validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return None
