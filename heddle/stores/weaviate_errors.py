"""Translate errors of the Weaviate client to StoreError with address, reason and remedy, without the API key."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import grpc
import httpx
from weaviate.exceptions import (
    UnexpectedStatusCodeError,
    WeaviateBaseError,
    WeaviateConnectionError,
    WeaviateGRPCUnavailableError,
    WeaviateRetryError,
    WeaviateStartUpError,
    WeaviateTimeoutError,
)

from heddle.stores.parameters import Weaviate
from heddle.stores.store import StoreError

CLIENT_ERRORS = (WeaviateBaseError, httpx.HTTPError, grpc.RpcError, grpc.FutureTimeoutError)
SECTION = "published_index.store"
MAX_QUOTE = 500
"""Most characters of a server's message."""
UNREACHABLE = (
    WeaviateConnectionError,
    WeaviateGRPCUnavailableError,
    WeaviateRetryError,
    WeaviateStartUpError,
    httpx.ConnectError,
    httpx.ConnectTimeout,
    grpc.FutureTimeoutError,
)


def api_key(settings: Weaviate) -> str | None:
    """The API key from the environment; None without ``api_key_env``.

    Raises:
        StoreError: the variable is not set.
    """
    if settings.api_key_env is None:
        return None
    key = os.environ.get(settings.api_key_env, "").strip()
    if not key:
        raise StoreError(f"{address(settings)}: set the environment variable {settings.api_key_env} to the API key")
    return key


def address(settings: Weaviate) -> str:
    """Address of the REST interface."""
    return f"{'https' if settings.secure else 'http'}://{settings.host}:{settings.port}"


@contextmanager
def translate_errors(settings: Weaviate, action: str) -> Iterator[None]:
    """Raise the client's errors as StoreError.

    The errors are not chained, since the client's message may contain the API key.

    Raises:
        StoreError: the client or its transport failed in the block.
    """
    try:
        yield
    except CLIENT_ERRORS as error:
        raise StoreError(f"{address(settings)}: cannot {action}: {_reason(error, settings)}") from None


def redact(text: str, settings: Weaviate) -> str:
    """A server's message in one line, shortened and without the API key."""
    key = os.environ.get(settings.api_key_env, "").strip() if settings.api_key_env else ""
    line = " ".join(text.split())
    return (line.replace(key, "***") if key else line)[:MAX_QUOTE]


def _reason(error: Exception, settings: Weaviate) -> str:
    text = str(error).lower()
    status = error.status_code if isinstance(error, UnexpectedStatusCodeError) else None
    if status == 401 or "unauthenticated" in text:
        if settings.api_key_env is None:
            return f"the server requires an API key; set {SECTION}.api_key_env to the name of its variable"
        return f"the server refuses the API key; set the environment variable {settings.api_key_env} to a valid one"
    if status in (403, grpc.StatusCode.PERMISSION_DENIED.value[0]):
        return "the API key lacks the permission; give it a role that may read and write these collections and aliases"
    if isinstance(error, UNREACHABLE) or "statuscode.unavailable" in text:
        return (
            f"no server responds there or at its gRPC port {settings.grpc_port}; start the server, "
            f"or fix {SECTION}.host, port, grpc_port or secure"
        )
    if isinstance(error, WeaviateTimeoutError | httpx.TimeoutException) or "deadline exceeded" in text:
        return (
            f"time limit exceeded; check the server's load, or raise {SECTION}.query_timeout "
            f"({settings.query_timeout:g} s) or write_timeout ({settings.write_timeout:g} s)"
        )
    return redact(str(error), settings)
