"""One request for an image or a robots.txt, to its end, and a look at the image.

It decides nothing that concerns a host as a whole: whether and when to ask, where a redirect leads, what to try again
is up to :mod:`assets.catalog.fetching`, which may run many of these in several processes.
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

from assets.catalog.addresses import AddressRefusedError
from assets.catalog.blob_file import AppendOnlyBlobFile
from assets.catalog.crawl_job import status_of
from assets.catalog.image_cache import ImageCache, Kept
from assets.catalog.images import ImageRejectedError, Refused, described, opened
from assets.catalog.jobs import Answer, Job, Requester, Setup
from assets.catalog.politeness import CONTENT, ROBOTS_BYTES, forbidden_use
from assets.catalog.ssrf import by_proxy, direct

REDIRECTS = (301, 302, 303, 307, 308)
PASSING = (408, 429, 500, 502, 503, 504, 522, 524)
"""Statuses that may be others a little later."""
_SHORT = 100_000  # bytes of an answer that is no image
_QUICK = 4_000_000  # pixels that are decoded so soon that everything else can wait


class TooLargeError(Exception):
    """A body is larger than it may be; the message says how large that is."""


class Fetcher:
    """Works off jobs, many at once in one thread: threads that hand Python's lock around need longer than their work.

    Made, used and closed within a running event loop.
    """

    def __init__(self, setup: Setup) -> None:
        self._setup, self._spool = setup, AppendOnlyBlobFile(setup.spool)
        self._direct = {private: direct(private) for private in (False, True)}
        self._by_proxy = by_proxy()
        self._caches = [ImageCache(requester.cache) for requester in setup.requesters]

    async def close(self) -> None:
        """Close all connections."""
        for session in (*self._direct.values(), self._by_proxy):
            await session.close()

    async def answer(self, job: Job) -> Answer:
        """Do what a job says. What may go wrong with any host or image is in the answer.

        Raises:
            OSError: what was fetched cannot be written.
        """
        answer = Answer(job.number, job.kept)
        kept = None if job.robots else self._caches[job.source].get(job.url)
        body: bytes | None = None
        if not job.kept:
            body = await self._fetched(job, kept, answer)
        elif kept and not kept.conditions and kept.stamp == job.stamp:
            body = kept.body
        if body is not None:
            await self._look_at(body, answer)
        return answer

    async def _fetched(self, job: Job, kept: Kept | None, answer: Answer) -> bytes | None:
        """The image's bytes, fetched or confirmed; None if there are none, and the answer says why."""
        fresh: tuple[bytes, HTTPHeaderDict] | None = None
        timeout = self._setup.requesters[job.source].timeout
        try:
            async with asyncio.timeout(timeout), self._request(job, kept) as response:
                fresh = await self._read(job, answer, response, kept)
        except AddressRefusedError as error:
            answer.found = _refused(job, "address_refused", f"{urlsplit(job.url).hostname}: {error}")
        except TooLargeError as error:
            answer.found = _refused(job, "image_too_large", error)
        except DecodeError as error:
            answer.found = _refused(job, "image_missing", error)
        except (ClientError, OSError, ValueError) as error:
            answer.passing = True
            answer.leads_to = answer.robots = None  # what was read of them may not be all
            answer.found = _refused(job, *_broken(error, timeout))
        if fresh is None:
            return None
        body, headers = fresh
        if kept is None or body is not kept.body:
            self._caches[job.source].keep(job.url, headers, job.stamp, body)
        return body

    async def _read(
        self, job: Job, answer: Answer, response: ClientResponse, kept: Kept | None
    ) -> tuple[bytes, HTTPHeaderDict] | None:
        """The image's bytes and the answer's headers; None if there are none, and the answer says why."""
        headers = HTTPHeaderDict(
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in response.raw_headers
        )
        location = headers.get("Location")
        if response.status in REDIRECTS and location:
            answer.leads_to = urljoin(job.url, safe_url_string(location.encode("latin-1")))
        if response.status in PASSING:
            answer.passing, answer.retry_after = True, headers.get("Retry-After")
        if job.robots:
            answer.robots = response.status, await _body(response, headers, ROBOTS_BYTES, answer)
            return None
        confirmed = kept if response.status == HTTPStatus.NOT_MODIFIED else None
        tags = headers.getlist("X-Robots-Tag")
        if confirmed and not tags:  # else what a 304 says of use goes for the kept answer (RFC 9111, 3.2)
            tags = confirmed.headers.get("X-Robots-Tag", [])
        if tag := forbidden_use([each.encode("latin-1") for each in tags], CONTENT):
            answer.found = Refused("robots_tag", f"{job.asked} says `X-Robots-Tag: {tag}`")
        elif response.status == HTTPStatus.OK:
            return await _body(response, headers, self._setup.size, answer), headers
        else:
            await _received(response, _SHORT, answer)  # to its end, or the connection is lost for others
            if confirmed:
                return confirmed.body, headers
            answer.found = Refused("image_missing", f"{job.asked} answered {status_of(response.status)}")
        return None

    def _request(self, job: Job, kept: Kept | None) -> Any:
        """The request, begun and ended by a with-statement: all of the answer was read, or its connection is closed."""
        requester = self._setup.requesters[job.source]
        headers = {"User-Agent": requester.user_agent, "Accept": "*/*", "Accept-Encoding": "identity"}
        headers |= kept.conditions if kept else {}
        own, authorization = requester.credentials
        parts = urlsplit(job.url)
        if authorization and f"{parts.scheme}://{parts.netloc}" == own:
            headers["Authorization"] = authorization
        url = URL(job.url, encoded=True)
        return self._session(job.proxy, requester).get(
            url if url.user is None else url.with_user(None), headers=headers, allow_redirects=False, proxy=job.proxy
        )

    def _session(self, proxy: str | None, requester: Requester) -> ClientSession:
        return self._direct[requester.private_addresses] if proxy is None else self._by_proxy

    async def _look_at(self, content: bytes, answer: Answer) -> None:
        """Examine an image, and put its bytes into the spool."""
        try:
            image = opened(content, self._setup.pixels)
            original = self._spool.put(content)
            if image.width * image.height <= _QUICK:
                answer.found = described(image, content, original)
            else:
                answer.found = await asyncio.to_thread(described, image, content, original)
        except ImageRejectedError as error:
            answer.found = Refused(error.reason, error.detail)


async def _body(response: ClientResponse, headers: HTTPHeaderDict, limit: int, answer: Answer) -> bytes:
    """All of a body, unpacked.

    Raises:
        TooLargeError: it has more bytes than `limit`; no more of them were unpacked.
    """
    length = headers.get("Content-Length", "")
    told = length.isdecimal() and int(length) > limit
    body = b"" if told else await _received(response, limit, answer)
    if "Content-Encoding" in headers and len(body) <= limit:
        body = _unpacked(body, headers, limit + 1)
    if told or len(body) > limit:
        raise TooLargeError(f"more than {limit:,} bytes")
    return body


def _unpacked(body: bytes, headers: HTTPHeaderDict, most: int) -> bytes:
    """The first bytes of what a body holds, by urllib3, which knows every encoding and stops there."""
    packed = HTTPResponse(BytesIO(body), headers, preload_content=False, enforce_content_length=False)
    return packed.read(most)


async def _received(response: ClientResponse, limit: int, answer: Answer) -> bytes:
    """A body as it was sent, to its end or until it has more bytes than `limit`."""
    body = bytearray()
    async for part in response.content.iter_any():
        answer.bytes += len(part)
        body += part
        if len(body) > limit:
            break
    return bytes(body)


def _broken(error: Exception, timeout: float) -> tuple[str, str]:
    """The reason and the detail of a request that came to no end."""
    if isinstance(error, TimeoutError):
        return "image_missing", f"not done after {timeout:g} s"
    if isinstance(error, ClientPayloadError):
        return "image_truncated", "the connection was closed before its end"
    if isinstance(error, ClientHttpProxyError):
        return "image_missing", f"the proxy answered {status_of(error.status)}"
    if isinstance(error, ClientResponseError):  # whose further lines show the bytes in question
        return "image_missing", f"its answer is not HTTP as it should be: {error.message.partition(chr(10))[0]}"
    return "image_missing", str(error) or type(error).__name__


def _refused(job: Job, reason: str, detail: object) -> Refused:
    return Refused(reason, f"{job.asked}: {detail}")
