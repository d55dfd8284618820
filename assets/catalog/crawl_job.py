"""How one source is asked over the network."""

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from assets.catalog.politeness import Met
from heddle.sources.parameters import Crawled


@dataclass(frozen=True)
class Visit:
    """One crawl of one source: first of its pages, then of the images that its listings show.

    Attributes:
        spider: the class of the pages' spider; it has an attribute `failure`, a message if the source as a whole could
            not be read. None for a source that has no pages.
        arguments: of the spider.
        credentials: the scheme and host that they are for (`https://shop.test`), and the header `Authorization`.
        proxy: through which all requests go, or None for the environment's.
        met: the hosts that were asked for pages, or for images.
    """

    source: str
    manners: Crawled
    spider: type[Any] | None = None
    arguments: dict[str, Any] = field(default_factory=dict, repr=False)
    credentials: tuple[str | None, str | None] = field(default=(None, None), repr=False)
    proxy: str | None = None
    met: Met = field(default_factory=Met, repr=False)


def status_of(status: int) -> str:
    """`404 Not Found`."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
