"""Rules that sites set for crawlers: robots.txt (RFC 9309), `X-Robots-Tag`, `Retry-After`; and budgets per host."""

import re
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from importlib.metadata import PackageNotFoundError, version
from math import isfinite
from time import time
from urllib.parse import urlsplit

from protego import Protego

from heddle.sources.parameters import CrawlSettings

AGENT = "Heddle"
CONTENT_DIRECTIVES = ("noai", "noimageai", "noindex", "noimageindex", "none")
"""Directives of `X-Robots-Tag` that forbid the use of an image or a web page."""
API_DIRECTIVES = ("noai", "noimageai")
"""Directives that forbid the use of an API response. WordPress sends `noindex` with every response of its API."""
MAX_ROBOTS_BYTES = 1_000_000  # RFC 9309 requires at least 500 KiB
MAX_WAIT = 60.0  # before a retry, seconds
_DIRECTIVES_WITH_VALUE = ("unavailable_after", "max-snippet", "max-image-preview", "max-video-preview")
_PREFIX = re.compile(r"\s*([\w*][\w.*/-]*)\s*:(.*)", re.DOTALL)


@dataclass
class HostStates:
    """State of the hosts that the crawl of a source contacted, by name and port.

    Attributes:
        requests: number of requests sent, retries and robots.txt included.
        bytes: body bytes received, before decompression.
        robots: parsed robots.txt.
        unreachable: for hosts whose robots.txt is unavailable: why, and what to do.
        seconds: duration of the crawl of the pages.
    """

    requests: Counter[str] = field(default_factory=Counter)
    bytes: Counter[str] = field(default_factory=Counter)
    robots: dict[str, Protego] = field(default_factory=dict)
    unreachable: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    def explain_forbidden(self, url: str) -> str | None:
        """Return why robots.txt forbids a URL, and what to do; None if it allows the URL.

        The robots.txt of the host must have been requested. Source: RFC 9309, 2.3.1.
        """
        host = get_host(url)
        if host in self.unreachable:
            return self.unreachable[host]
        if self.robots[host].can_fetch(url, AGENT):
            return None
        return f"robots.txt forbids {url}; ask the site's owner to allow the user agent {AGENT}"

    def mark_unreachable(self, robots: str, failure: str) -> None:
        """Record that the robots.txt at this URL is unavailable."""
        self.unreachable[get_host(robots)] = (
            f"{robots} {failure}, so all URLs of this host are forbidden (RFC 9309); "
            "check the URL, the network, and whether the site is up"
        )

    def explain_spent_budget(self, host: str, politeness: CrawlSettings) -> str | None:
        """Return which budget of a host is spent; None if a request may be sent."""
        if self.requests[host] >= politeness.host_requests:
            return f"{host} has received `host_requests` = {politeness.host_requests:,} requests"
        if self.bytes[host] >= politeness.host_gigabytes * 1e9:
            return f"{host} has sent `host_gigabytes` = {politeness.host_gigabytes:g}"
        return None


def get_host(url: str) -> str:
    """Return the host of a URL, with its port if the URL contains one."""
    return urlsplit(url).netloc.rpartition("@")[2].lower()


def read_crawl_delay(robots: Protego) -> float:
    """Return the `Crawl-delay` of a robots.txt, seconds; 0 if there is none."""
    delay = float(robots.crawl_delay(AGENT) or 0)
    return delay if isfinite(delay) else 0.0


def format_user_agent(contact: str | None) -> str:
    """Format the header `User-Agent`: program, version and contact."""
    try:
        number = version("heddle")
    except PackageNotFoundError:
        number = "0"
    return f"{AGENT}/{number} (+{contact})" if contact else f"{AGENT}/{number}"


def compute_retry_wait(retry: int, back_off: float, header: str | None) -> float:
    """Compute the seconds before a retry: the value of `Retry-After`, or exponential back-off.

    Args:
        retry: number of this retry, from 1.
        back_off: seconds before the first retry.
        header: value of `Retry-After`, if the response has one.
    """
    requested = parse_retry_after(header)
    wait = back_off * 2.0 ** (retry - 1) if requested is None else requested
    return min(MAX_WAIT, wait)


def parse_retry_after(value: str | None) -> float | None:
    """Parse `Retry-After`, a number of seconds or a date (RFC 9110, 10.2.3), into seconds; None if it is invalid."""
    text = (value or "").strip()
    try:
        return float(text) if text.isdecimal() else max(0.0, parsedate_to_datetime(text).timestamp() - time())
    except ValueError:
        return None


def find_forbidden_use(headers: Iterable[bytes], directives: Collection[str]) -> str | None:
    """Return the first of these directives that `X-Robots-Tag` headers contain for our agent; None if there is none.

    A header is a list of directives. A user agent followed by a colon restricts the next directives to that agent.
    """
    for header in headers:
        agent = None
        for part in header.decode("latin-1").split(","):
            prefix = _PREFIX.fullmatch(part)
            if prefix and prefix[1].lower() not in _DIRECTIVES_WITH_VALUE:
                agent, part = prefix[1].lower(), prefix[2]
            directive = part.partition(":")[0].strip().lower()
            if directive in directives and agent in (None, "*", AGENT.lower()):
                return directive
    return None
