"""Messages between the scheduler and the workers that fetch images; they cross process boundaries."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from assets.catalog.images import ImageInfo, ImageRejection


@dataclass(frozen=True)
class SourceSettings:
    """Settings of all image requests of one source.

    Attributes:
        timeout: of one request, seconds.
        private_addresses: whether private and loopback addresses are allowed.
        cache: folder of the source's image cache.
        credentials: the origin that they are for (`https://shop.test`), and the header `Authorization`.
    """

    user_agent: str
    timeout: float
    private_addresses: bool
    cache: Path
    credentials: tuple[str | None, str | None] = field(repr=False)


@dataclass(frozen=True)
class FetchSettings:
    """Settings of all requests.

    Attributes:
        blob_folder: folder for the original bytes of images.
        max_pixels: pixels of the largest image that is decoded.
        max_bytes: bytes of the largest image.
        sources: settings of each source; :attr:`FetchRequest.source` is an index into them.
    """

    blob_folder: Path
    max_pixels: float
    max_bytes: int
    sources: Sequence[SourceSettings]


class FetchRequest(NamedTuple):
    """One request to fetch an image or a robots.txt.

    Attributes:
        source: index into :attr:`FetchSettings.sources`.
        url: URL to fetch now.
        original_url: URL in the listing, which may have redirected to `url`.
        stamp: see :mod:`assets.catalog.image_cache`.
        cache_only: only look for an image that was cached with this stamp; send no request.
        is_robots: the URL is a robots.txt.
    """

    number: int
    source: int
    url: str
    original_url: str
    stamp: str | None = None
    cache_only: bool = False
    is_robots: bool = False
    proxy: str | None = None


@dataclass(slots=True)
class FetchResult:
    """Result of one :class:`FetchRequest`.

    Attributes:
        image: description of the image, or why there is none; None if one of the next attributes applies.
        redirect_url: target of a redirect.
        robots: status and body of a robots.txt.
        retryable: the failure may be temporary.
        retry_after: value of the header `Retry-After`.
        cache_only: copied from the request.
        received_bytes: body bytes received, before decompression.
    """

    number: int
    cache_only: bool = False
    image: ImageInfo | ImageRejection | None = None
    redirect_url: str | None = None
    robots: tuple[int, bytes] | None = None
    retryable: bool = False
    retry_after: str | None = None
    received_bytes: int = 0
