"""What those who fetch images are told, and what they tell: all that crosses between processes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from assets.catalog.images import ImageInfo, Refused


@dataclass(frozen=True)
class Requester:
    """What a request for a source's images bears, and where its images are kept between crawls."""

    user_agent: str
    timeout: float
    private_addresses: bool
    cache: Path
    credentials: tuple[str | None, str | None] = field(repr=False)


@dataclass(frozen=True)
class Setup:
    """What is the same for all requests.

    Attributes:
        spool: folder for the original bytes of images.
        pixels: the most that are decoded.
        size: the most bytes of one image.
        requesters: of the sources.
    """

    spool: Path
    pixels: float
    size: int
    requesters: Sequence[Requester]


class Job(NamedTuple):
    """One request.

    Attributes:
        source: which requester's.
        url: what is asked for now; `asked` is what a listing shows, which may have led there.
        stamp: see :mod:`assets.catalog.image_cache`.
        kept: only look for an image that was kept under this stamp; ask nobody.
        robots: it is a robots.txt.
    """

    number: int
    source: int
    url: str
    asked: str
    stamp: str | None = None
    kept: bool = False
    robots: bool = False
    proxy: str | None = None


@dataclass(slots=True)
class Answer:
    """What came of a job.

    Attributes:
        found: the image, or why there is none; None if one of the following says more.
        leads_to: the address of a redirect.
        robots: status and text of a robots.txt.
        passing: it may be worth another try, after what `Retry-After` asks for.
        kept: only a kept image was looked for.
        bytes: that were sent, as they were transferred.
    """

    number: int
    kept: bool = False
    found: ImageInfo | Refused | None = None
    leads_to: str | None = None
    robots: tuple[int, bytes] | None = None
    passing: bool = False
    retry_after: str | None = None
    bytes: int = 0
