"""What went wrong with a Weaviate server: where, what, why and the remedy, and never the key."""

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
LONGEST = 500  # characters of a server's own words
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
    """The key in the environment; None where the server asks for none.

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
    """Of the REST interface, for people."""
    return f"{'https' if settings.secure else 'http'}://{settings.host}:{settings.port}"


@contextmanager
def explained(settings: Weaviate, what: str) -> Iterator[None]:
    """Turn the client's errors into ours.

    They are not chained: what a server or the client says may repeat what it was sent, the key among it.

    Raises:
        StoreError: the client or its transport failed in the block.
    """
    try:
        yield
    except CLIENT_ERRORS as error:
        raise StoreError(f"{address(settings)}: cannot {what}: {_reason(error, settings)}") from None


def quoted(text: str, settings: Weaviate) -> str:
    """A server's own words: in one line, without the key, and not too many."""
    key = os.environ.get(settings.api_key_env, "").strip() if settings.api_key_env else ""
    line = " ".join(text.split())
    return (line.replace(key, "***") if key else line)[:LONGEST]


def _reason(error: Exception, settings: Weaviate) -> str:
    text = str(error).lower()
    status = error.status_code if isinstance(error, UnexpectedStatusCodeError) else None
    if status == 401 or "unauthenticated" in text:
        if settings.api_key_env is None:
            return f"the server asks for an API key; name the variable that holds it in {SECTION}.api_key_env"
        return f"the server refuses the API key; set the environment variable {settings.api_key_env} to a valid one"
    if status in (403, grpc.StatusCode.PERMISSION_DENIED.value[0]):
        return "the API key does not allow it; give it a role that may read and write these collections and aliases"
    if isinstance(error, UNREACHABLE) or "statuscode.unavailable" in text:
        return (
            f"nothing answers there or at its gRPC port {settings.grpc_port}; start the server, "
            f"or mend {SECTION}.host, port, grpc_port or secure"
        )
    if isinstance(error, WeaviateTimeoutError | httpx.TimeoutException) or "deadline exceeded" in text:
        return (
            f"no answer in time; look at the server's load, or raise {SECTION}.query_timeout "
            f"({settings.query_timeout:g} s) or write_timeout ({settings.write_timeout:g} s)"
        )
    return quoted(str(error), settings)
