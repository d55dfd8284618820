"""What a site asks of its visitors: robots.txt (RFC 9309), `X-Robots-Tag`, and an end to requests."""

import re
from collections import Counter
from collections.abc import Collection, Iterable
from typing import Any
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.downloadermiddlewares.robotstxt import RobotsTxtMiddleware
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response, TextResponse

from assets.catalog.addresses import AddressRefusedError

AGENT = "heddle"
CONTENT = ("noai", "noimageai", "noindex", "noimageindex", "none")
"""Directives of `X-Robots-Tag` under which a picture or a web page is not taken."""
ANSWER = ("noai", "noimageai")
"""Under which what an API's answer tells is not. WordPress says `noindex` with every one, and means the answer."""
_VALUED = ("unavailable_after", "max-snippet", "max-image-preview", "max-video-preview")
_PREFIX = re.compile(r"\s*([\w*][\w.*/-]*)\s*:(.*)", re.DOTALL)
_ROBOTS_BYTES = 1_000_000  # RFC 9309 asks for half of it at least
_NOTHING_ALLOWED = b"User-agent: *\nDisallow: /\n"


class RobotsForbiddenError(IgnoreRequest):
    """A host's robots.txt forbids a request, or cannot be had; the message says which and what to do."""


class HostBudgetError(IgnoreRequest):
    """A host was asked, or has sent, as much as the parameters allow."""


class Robots(RobotsTxtMiddleware):
    """Scrapy's, but a robots.txt that cannot be had forbids everything, and one that is not there (4xx) nothing.

    Scrapy reads rules out of whatever was answered, and takes a host that does not answer for one that allows all.
    Source: RFC 9309, 2.3.1.
    """

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._unreachable: dict[str, str] = {}

    async def process_request(self, request: Request, spider: Any = None) -> None:
        """Called by Scrapy."""
        if request.meta.get("dont_obey_robotstxt"):
            request.meta.setdefault("download_maxsize", _ROBOTS_BYTES)
        try:
            await super().process_request(request)
        except IgnoreRequest as error:
            why = self._unreachable.get(urlsplit(request.url).netloc)
            if why is None:
                why = f"robots.txt forbids {request.url}; ask the site's owner to allow the user agent Heddle"
            raise RobotsForbiddenError(why) from error

    def process_response(self, request: Request, response: Response) -> Response:
        """Called by Scrapy with what came in the end, after redirects and retries."""
        if not request.meta.get("dont_obey_robotstxt") or response.status // 100 == 2:
            return response
        if response.status // 100 == 4:
            return _rules(request, b"")
        return self._nothing(request, f"answered {response.status}")

    def process_exception(self, request: Request, exception: Exception) -> Response | None:
        """Called by Scrapy. An address that is refused is refused for the request itself, with that for its reason."""
        refused = isinstance(exception, AddressRefusedError) and "redirect_urls" not in request.meta
        if not request.meta.get("dont_obey_robotstxt") or refused:
            return None
        return self._nothing(request, f"cannot be reached ({str(exception) or type(exception).__name__})")

    def _nothing(self, request: Request, what: str) -> Response:
        asked = request.meta.get("redirect_urls", [request.url])[0]
        self._unreachable[urlsplit(asked).netloc] = (
            f"{asked} {what}, so that nothing of this host may be fetched (RFC 9309); "
            "check the address, the network, and whether the site is up"
        )
        return _rules(request, _NOTHING_ALLOWED)


class HostBudget:
    """Ends the asking of one host when the source's `host_requests` or `host_gigabytes` are spent."""

    def __init__(self, crawler: Crawler) -> None:
        self._most_requests = crawler.settings.getint("HEDDLE_HOST_REQUESTS")
        self._most_bytes = crawler.settings.getfloat("HEDDLE_HOST_BYTES")
        self._requests: Counter[str] = Counter()
        self._bytes: Counter[str] = Counter()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "HostBudget":
        """Called by Scrapy."""
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        """Called by Scrapy, for retries and robots.txt too."""
        host = urlsplit(request.url).netloc
        if self._requests[host] >= self._most_requests:
            raise HostBudgetError(f"{host} was asked `host_requests` = {self._most_requests:,} times")
        if self._bytes[host] >= self._most_bytes:
            raise HostBudgetError(f"{host} has sent `host_gigabytes` = {self._most_bytes / 1e9:g}")
        self._requests[host] += 1

    def process_response(self, request: Request, response: Response) -> Response:
        """Called by Scrapy with the bytes as they were sent, not decompressed."""
        self._bytes[urlsplit(request.url).netloc] += len(response.body)
        return response


def forbidden_use(headers: Iterable[bytes], directives: Collection[str]) -> str | None:
    """The first of some directives that `X-Robots-Tag` headers give us; None if there is none.

    A header is a list of directives; a user agent before a colon restricts those behind it to that agent.
    """
    for header in headers:
        agent = None
        for part in header.decode("latin-1").split(","):
            named = _PREFIX.fullmatch(part)
            if named and named[1].lower() not in _VALUED:
                agent, part = named[1].lower(), named[2]
            directive = part.partition(":")[0].strip().lower()
            if directive in directives and agent in (None, "*", AGENT):
                return directive
    return None


def _rules(request: Request, body: bytes) -> Response:
    return TextResponse(request.url, body=body, encoding="utf-8", request=request)
