"""Execute one request for an image or a robots.txt, and examine the image.

Decisions about a host (delays, budgets, redirects, retries) belong to :mod:`assets.catalog.scheduler`. Several
processes may run a :class:`Fetcher` each.
"""

import asyncio
from http import HTTPStatus
from io import BytesIO
from typing import Any
from urllib.parse import urljoin, urlsplit

from aiohttp import (
    ClientError,
    ClientHttpProxyError,
    ClientPayloadError,
    ClientResponse,
    ClientResponseError,
    ClientSession,
)
from urllib3 import HTTPHeaderDict, HTTPResponse
from urllib3.exceptions import DecodeError
from w3lib.url import safe_url_string
from yarl import URL

from assets.catalog.addresses import BlockedAddressError
from assets.catalog.blob_file import AppendOnlyBlobFile
from assets.catalog.crawl_job import format_status
from assets.catalog.fetch_messages import FetchRequest, FetchResult, FetchSettings, SourceSettings
from assets.catalog.image_cache import CachedImage, ImageCache
from assets.catalog.images import ImageRejectedError, ImageRejection, describe_image, open_image
from assets.catalog.politeness import CONTENT_DIRECTIVES, MAX_ROBOTS_BYTES, find_forbidden_use
from assets.catalog.ssrf_aiohttp import open_direct_session, open_proxy_session

REDIRECTS = (301, 302, 303, 307, 308)
RETRYABLE = (408, 429, 500, 502, 503, 504, 522, 524)
"""Statuses of failures that may be temporary."""
_MAX_ERROR_BYTES = 100_000  # bytes that are read of a response without an image
_MAX_INLINE_PIXELS = 4_000_000  # a smaller image is decoded in the event loop, which is faster than a thread


class TooLargeError(Exception):
    """A body is larger than allowed; the message contains the limit."""


class Fetcher:
    """Executes many requests concurrently in one thread, because threads would compete for Python's lock.

    Create, use and close it within one running event loop.
    """

    def __init__(self, settings: FetchSettings) -> None:
        self._settings, self._blob_file = settings, AppendOnlyBlobFile(settings.blob_folder)
        self._direct = {private: open_direct_session(private) for private in (False, True)}
        self._by_proxy = open_proxy_session()
        self._caches = [ImageCache(source.cache) for source in settings.sources]

    async def close(self) -> None:
        """Close all connections."""
        for session in (*self._direct.values(), self._by_proxy):
            await session.close()

    async def execute(self, request: FetchRequest) -> FetchResult:
        """Execute a request. The result contains every failure of the host or the image.

        Raises:
            OSError: the image cannot be written to disk.
        """
        result = FetchResult(request.number, request.cache_only)
        cached = None if request.is_robots else self._caches[request.source].get(request.url)
        body: bytes | None = None
        if not request.cache_only:
            body = await self._fetch(request, cached, result)
        elif cached and not cached.conditions and cached.stamp == request.stamp:
            body = cached.body
        if body is not None:
            await self._examine(body, result)
        return result

    async def _fetch(self, request: FetchRequest, cached: CachedImage | None, result: FetchResult) -> bytes | None:
        """Return the image's bytes, fetched or revalidated; None if there are none, with the reason in the result."""
        fresh: tuple[bytes, HTTPHeaderDict] | None = None
        timeout = self._settings.sources[request.source].timeout
        try:
            async with asyncio.timeout(timeout), self._send(request, cached) as response:
                fresh = await self._read(request, result, response, cached)
        except BlockedAddressError as error:
            result.image = _reject(request, "address_blocked", f"{urlsplit(request.url).hostname}: {error}")
        except TooLargeError as error:
            result.image = _reject(request, "image_too_large", error)
        except DecodeError as error:
            result.image = _reject(request, "image_missing", error)
        except (ClientError, OSError, ValueError) as error:
            result.retryable = True
            result.redirect_url = result.robots = None  # they may be incomplete
            result.image = _reject(request, *_describe_failure(error, timeout))
        if fresh is None:
            return None
        body, headers = fresh
        if cached is None or body is not cached.body:
            self._caches[request.source].put(request.url, headers, request.stamp, body)
        return body

    async def _read(
        self, request: FetchRequest, result: FetchResult, response: ClientResponse, cached: CachedImage | None
    ) -> tuple[bytes, HTTPHeaderDict] | None:
        """Return the image's bytes and the response headers; None if there are none, with the reason in the result."""
        headers = HTTPHeaderDict(
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in response.raw_headers
        )
        location = headers.get("Location")
        if response.status in REDIRECTS and location:
            result.redirect_url = urljoin(request.url, safe_url_string(location.encode("latin-1")))
        if response.status in RETRYABLE:
            result.retryable, result.retry_after = True, headers.get("Retry-After")
        if request.is_robots:
            result.robots = response.status, await _read_body(response, headers, MAX_ROBOTS_BYTES, result)
            return None
        revalidated = cached if response.status == HTTPStatus.NOT_MODIFIED else None
        tags = headers.getlist("X-Robots-Tag")
        if revalidated and not tags:  # a 304 with the header replaces the cached header (RFC 9111, 3.2)
            tags = revalidated.headers.get("X-Robots-Tag", [])
        if tag := find_forbidden_use([each.encode("latin-1") for each in tags], CONTENT_DIRECTIVES):
            result.image = ImageRejection("robots_tag", f"{request.original_url} sent `X-Robots-Tag: {tag}`")
        elif response.status == HTTPStatus.OK:
            return await _read_body(response, headers, self._settings.max_bytes, result), headers
        else:
            await _receive(response, _MAX_ERROR_BYTES, result)  # an unread body would close the connection
            if revalidated:
                return revalidated.body, headers
            detail = f"{request.original_url} returned {format_status(response.status)}"
            result.image = ImageRejection("image_missing", detail)
        return None

    def _send(self, request: FetchRequest, cached: CachedImage | None) -> Any:
        """Return the response as a context manager, which closes the connection of a response that was not read."""
        source = self._settings.sources[request.source]
        headers = {"User-Agent": source.user_agent, "Accept": "*/*", "Accept-Encoding": "identity"}
        if cached:
            headers |= cached.conditions
        own_origin, authorization = source.credentials
        parts = urlsplit(request.url)
        if authorization and f"{parts.scheme}://{parts.netloc}" == own_origin:
            headers["Authorization"] = authorization
        url = URL(request.url, encoded=True)
        if url.user is not None:
            url = url.with_user(None)
        session = self._choose_session(request.proxy, source)
        return session.get(url, headers=headers, allow_redirects=False, proxy=request.proxy)

    def _choose_session(self, proxy: str | None, source: SourceSettings) -> ClientSession:
        return self._direct[source.private_addresses] if proxy is None else self._by_proxy

    async def _examine(self, content: bytes, result: FetchResult) -> None:
        """Examine an image and write its bytes to the blob file."""
        try:
            image = open_image(content, self._settings.max_pixels)
            original = self._blob_file.put(content)
            if image.width * image.height <= _MAX_INLINE_PIXELS:
                result.image = describe_image(image, content, original)
            else:
                result.image = await asyncio.to_thread(describe_image, image, content, original)
        except ImageRejectedError as error:
            result.image = ImageRejection(error.reason, error.detail)


async def _read_body(response: ClientResponse, headers: HTTPHeaderDict, limit: int, result: FetchResult) -> bytes:
    """Return the whole decompressed body.

    Raises:
        TooLargeError: it has more bytes than `limit`; at most one further byte was decompressed.
    """
    length = headers.get("Content-Length", "")
    declared_too_large = length.isdecimal() and int(length) > limit
    body = b"" if declared_too_large else await _receive(response, limit, result)
    if "Content-Encoding" in headers and len(body) <= limit:
        body = _decompress(body, headers, limit + 1)
    if declared_too_large or len(body) > limit:
        raise TooLargeError(f"more than {limit:,} bytes")
    return body


def _decompress(body: bytes, headers: HTTPHeaderDict, limit: int) -> bytes:
    """Return the first `limit` decompressed bytes. urllib3 supports every encoding and stops at the limit."""
    response = HTTPResponse(BytesIO(body), headers, preload_content=False, enforce_content_length=False)
    return response.read(limit)


async def _receive(response: ClientResponse, limit: int, result: FetchResult) -> bytes:
    """Return a body as it was sent, to its end or until it has more bytes than `limit`."""
    body = bytearray()
    async for part in response.content.iter_any():
        result.received_bytes += len(part)
        body += part
        if len(body) > limit:
            break
    return bytes(body)


def _describe_failure(error: Exception, timeout: float) -> tuple[str, str]:
    """Return the quarantine reason and the detail of a request that failed."""
    if isinstance(error, TimeoutError):
        return "image_missing", f"timeout after {timeout:g} s"
    if isinstance(error, ClientPayloadError):
        return "image_truncated", "the server closed the connection before the end of the image"
    if isinstance(error, ClientHttpProxyError):
        return "image_missing", f"the proxy returned {format_status(error.status)}"
    if isinstance(error, ClientResponseError):  # the further lines of its message quote the raw bytes
        return "image_missing", f"invalid HTTP response: {error.message.partition(chr(10))[0]}"
    return "image_missing", str(error) or type(error).__name__


def _reject(request: FetchRequest, reason: str, detail: object) -> ImageRejection:
    return ImageRejection(reason, f"{request.original_url}: {detail}")
