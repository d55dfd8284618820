"""One request for a picture or a robots.txt, to its end, and a look at the picture.

It decides nothing that concerns a host as a whole: whether and when to ask, where a redirect leads, what to try again
is up to :mod:`assets.catalog.fetching`, which may run many of these in several processes.
"""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.client import HTTPException
from typing import Any
from urllib.parse import urljoin, urlsplit

from urllib3 import BaseHTTPResponse, HTTPHeaderDict, PoolManager
from urllib3.exceptions import DecodeError, HTTPError, IncompleteRead, ProtocolError
from w3lib.url import safe_url_string

from assets.catalog.addresses import AddressRefusedError
from assets.catalog.guarded import Watch, by_proxy, direct
from assets.catalog.jobs import Answer, Job, Requester, Setup
from assets.catalog.manners import CONTENT, ROBOTS_BYTES, forbidden_use
from assets.catalog.picture_cache import Kept, PictureCache
from assets.catalog.pictures import PictureError, Refused, described
from assets.catalog.visit import status_of

REDIRECTS = (301, 302, 303, 307, 308)
PASSING = (408, 429, 500, 502, 503, 504, 522, 524)
"""Statuses that may be others a little later."""
_SHORT = 100_000  # bytes of an answer that is no picture


class TooLargeError(Exception):
    """A body is larger than it may be; the message says how large that is."""


class Fetcher:
    """Works off jobs; its methods may be called by many threads."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._watch = Watch()
        self._direct = {private: direct(self._watch, private, setup.at_once) for private in (False, True)}
        self._by_proxy: dict[str, PoolManager] = {}
        self._caches = [PictureCache(requester.cache) for requester in setup.requesters]
        self._decoding = threading.Semaphore(setup.decoded)

    def close(self) -> None:
        """End what is under way."""
        self._watch.end_all()

    def answer(self, job: Job) -> Answer:
        """Do what a job says. What may go wrong with any host or picture is in the answer.

        Raises:
            OSError: what was fetched cannot be written.
        """
        answer = Answer(job.number, job.kept)
        kept = None if job.robots else self._caches[job.source].get(job.url)
        body: bytes | None = None
        if not job.kept:
            body = self._fetched(job, kept, answer)
        elif kept and not kept.conditions and kept.stamp == job.stamp:
            body = kept.body
        if body is not None:
            self._look_at(body, answer)
        return answer

    def _fetched(self, job: Job, kept: Kept | None, answer: Answer) -> bytes | None:
        """The picture's bytes, fetched or confirmed; None if there are none, and the answer says why."""
        fresh: tuple[bytes, HTTPHeaderDict] | None = None
        try:
            with self._response(job, kept) as response:
                try:
                    fresh = self._read(job, answer, response, kept)
                finally:
                    answer.bytes = response.tell()
        except AddressRefusedError as error:
            answer.found = _refused(job, "address_refused", error)
        except TooLargeError as error:
            answer.found = _refused(job, "image_too_large", error)
        except DecodeError as error:
            answer.found = _refused(job, "image_missing", error)
        except (HTTPError, HTTPException, OSError, ValueError) as error:
            answer.passing = True
            answer.leads_to = answer.robots = None  # what was read of them may not be all
            answer.found = _refused(job, "image_missing", str(error) or type(error).__name__)
            if isinstance(error, ProtocolError) and isinstance(error.args[-1], IncompleteRead):
                answer.found = _refused(job, "image_truncated", "the connection was closed before its end")
        if fresh is None:
            return None
        body, headers = fresh
        if kept is None or body is not kept.body:
            self._caches[job.source].keep(job.url, headers, job.stamp, body)
        return body

    def _read(
        self, job: Job, answer: Answer, response: BaseHTTPResponse, kept: Kept | None
    ) -> tuple[bytes, HTTPHeaderDict] | None:
        """The picture's bytes and the answer's headers; None if there are none, and the answer says why."""
        location = response.headers.get("Location")
        if response.status in REDIRECTS and location:
            answer.leads_to = urljoin(job.url, safe_url_string(location.encode("latin-1")))
        if response.status in PASSING:
            answer.passing, answer.retry_after = True, response.headers.get("Retry-After")
        if job.robots:
            answer.robots = response.status, _body(response, ROBOTS_BYTES)
            return None
        confirmed = kept if response.status == HTTPStatus.NOT_MODIFIED else None
        tags = response.headers.getlist("X-Robots-Tag")
        if confirmed and not tags:  # else what a 304 says of use goes for the kept answer (RFC 9111, 3.2)
            tags = confirmed.headers.get("X-Robots-Tag", [])
        if tag := forbidden_use([each.encode("latin-1") for each in tags], CONTENT):
            answer.found = Refused("robots_tag", f"{job.asked} says `X-Robots-Tag: {tag}`")
        elif response.status == HTTPStatus.OK:
            return _body(response, self._setup.size), response.headers
        else:
            response.read(_SHORT, decode_content=False)  # to its end, or the connection is lost for others
            if confirmed:
                return confirmed.body, response.headers
            answer.found = Refused("image_missing", f"{job.asked} answered {status_of(response.status)}")
        return None

    @contextmanager
    def _response(self, job: Job, kept: Kept | None) -> Iterator[BaseHTTPResponse]:
        requester = self._setup.requesters[job.source]
        headers = {"User-Agent": requester.user_agent, "Accept": "*/*"} | (kept.conditions if kept else {})
        own, authorization = requester.credentials
        parts = urlsplit(job.url)
        if authorization and f"{parts.scheme}://{parts.netloc}" == own:
            headers["Authorization"] = authorization
        manager = self._manager(job.proxy, requester)
        options: dict[str, Any] = {"redirect": False, "retries": False, "preload_content": False}
        with self._watch.limit(requester.timeout):
            response = manager.request("GET", job.url, headers=headers, timeout=requester.timeout, **options)
            try:
                yield response
            finally:
                response.close()  # the connection too, unless all was read and others use it already

    def _manager(self, proxy: str | None, requester: Requester) -> PoolManager:
        if proxy is None:
            return self._direct[requester.private_addresses]
        if proxy not in self._by_proxy:
            self._by_proxy[proxy] = by_proxy(self._watch, proxy, self._setup.at_once)
        return self._by_proxy[proxy]

    def _look_at(self, content: bytes, answer: Answer) -> None:
        """Examine a picture, and put its bytes into the spool."""
        path = self._setup.spool / hashlib.sha256(content).hexdigest()
        try:
            with self._decoding:
                answer.found = described(content, path, self._setup.pixels)
        except PictureError as error:
            answer.found = Refused(error.reason, error.detail)
        else:
            if not path.exists():  # else it is whole, or another thread is about to make it so
                path.write_bytes(content)


def _body(response: BaseHTTPResponse, limit: int) -> bytes:
    """All of a body, unpacked.

    Raises:
        TooLargeError: it has more bytes than `limit`; no more of them were unpacked.
    """
    length = response.headers.get("Content-Length", "")
    told = length.isdecimal() and int(length) > limit
    body = b"" if told else response.read(limit + 1)
    if told or len(body) > limit:
        raise TooLargeError(f"more than {limit:,} bytes")
    return body


def _refused(job: Job, reason: str, detail: object) -> Refused:
    return Refused(reason, f"{job.asked}: {detail}")
