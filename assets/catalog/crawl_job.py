"""Describe the network crawl of one source."""

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from assets.catalog.politeness import HostStates
from heddle.sources.parameters import CrawlSettings


@dataclass(frozen=True)
class CrawlJob:
    """One crawl of one source: first its pages, then the images of its listings.

    Attributes:
        politeness: limits of the crawl.
        spider: Scrapy spider class for the pages, with an attribute `failure`: a message if the whole source could not
            be read. None for a source without pages.
        arguments: arguments of the spider.
        credentials: the origin that they are for (`https://shop.test`), and the header `Authorization`.
        proxy: proxy of all requests; None uses the environment's.
        hosts: state of the hosts that were contacted.
    """

    source: str
    politeness: CrawlSettings
    spider: type[Any] | None = None
    arguments: dict[str, Any] = field(default_factory=dict, repr=False)
    credentials: tuple[str | None, str | None] = field(default=(None, None), repr=False)
    proxy: str | None = None
    hosts: HostStates = field(default_factory=HostStates, repr=False)


def format_status(status: int) -> str:
    """Format an HTTP status with its phrase: `404 Not Found`."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
