"""What a site asks of its visitors, whoever asks it: robots.txt (RFC 9309), `X-Robots-Tag`, `Retry-After`, budgets."""

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

from heddle.sources.parameters import Crawled

AGENT = "Heddle"
CONTENT = ("noai", "noimageai", "noindex", "noimageindex", "none")
"""Directives of `X-Robots-Tag` under which an image or a web page is not taken."""
ANSWER = ("noai", "noimageai")
"""Under which what an API's answer tells is not. WordPress says `noindex` with every one, and means the answer."""
ROBOTS_BYTES = 1_000_000  # RFC 9309 asks for half of it at least
LONGEST_WAIT = 60.0  # before a retry, seconds
_VALUED = ("unavailable_after", "max-snippet", "max-image-preview", "max-video-preview")
_PREFIX = re.compile(r"\s*([\w*][\w.*/-]*)\s*:(.*)", re.DOTALL)


@dataclass
class Met:
    """What the crawl of a source has learnt of the hosts that it asked, each by its name and port.

    Attributes:
        requests: how many were sent, retries and robots.txt among them.
        bytes: that were sent back, as they were transferred.
        robots: what each robots.txt says.
        unreachable: for hosts whose robots.txt could not be had, why.
        seconds: how long its pages were crawled.
    """

    requests: Counter[str] = field(default_factory=Counter)
    bytes: Counter[str] = field(default_factory=Counter)
    robots: dict[str, Protego] = field(default_factory=dict)
    unreachable: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    def forbidden(self, url: str) -> str | None:
        """Why robots.txt forbids an address, and what to do; None if it does not. The host's must be known.

        Source: RFC 9309, 2.3.1: what cannot be had forbids everything.
        """
        host = host_of(url)
        if host in self.unreachable:
            return self.unreachable[host]
        if self.robots[host].can_fetch(url, AGENT):
            return None
        return f"robots.txt forbids {url}; ask the site's owner to allow the user agent {AGENT}"

    def cannot_be_had(self, robots: str, what: str) -> None:
        """Note that a robots.txt, by its address, is not to be had."""
        self.unreachable[host_of(robots)] = (
            f"{robots} {what}, so that nothing of this host may be fetched (RFC 9309); "
            "check the address, the network, and whether the site is up"
        )

    def spent(self, host: str, manners: Crawled) -> str | None:
        """Which budget of a host is spent; None if it may be asked once more."""
        if self.requests[host] >= manners.host_requests:
            return f"{host} was asked `host_requests` = {manners.host_requests:,} times"
        if self.bytes[host] >= manners.host_gigabytes * 1e9:
            return f"{host} has sent `host_gigabytes` = {manners.host_gigabytes:g}"
        return None


def host_of(url: str) -> str:
    """The host of an address, with its port where it names one."""
    return urlsplit(url).netloc.rpartition("@")[2].lower()


def crawl_delay(robots: Protego) -> float:
    """Seconds between two requests that a robots.txt asks for."""
    asked = float(robots.crawl_delay(AGENT) or 0)
    return asked if isfinite(asked) else 0.0


def user_agent(contact: str | None) -> str:
    """Who crawls, and how to reach its owner."""
    try:
        number = version("heddle")
    except PackageNotFoundError:
        number = "0"
    return f"{AGENT}/{number} (+{contact})" if contact else f"{AGENT}/{number}"


def wait_before_retry(times: int, back_off: float, asked: str | None) -> float:
    """Seconds before a request is sent again: what `Retry-After` asks for, else twice as long as the time before.

    Args:
        times: how often it will have been sent again.
        back_off: before the first time, seconds.
        asked: the header's value.
    """
    told = retry_after(asked)
    return min(LONGEST_WAIT, back_off * 2.0 ** (times - 1) if told is None else told)


def retry_after(value: str | None) -> float | None:
    """Seconds that a `Retry-After` header asks for: a number or a date (RFC 9110, 10.2.3); None if it says nothing."""
    text = (value or "").strip()
    try:
        return float(text) if text.isdecimal() else max(0.0, parsedate_to_datetime(text).timestamp() - time())
    except ValueError:
        return None


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
            if directive in directives and agent in (None, "*", AGENT.lower()):
                return directive
    return None
