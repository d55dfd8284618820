"""Crawls of pages, shared by every source that has some."""

from typing import Any

from scrapy import Spider
from scrapy.http import Response

from assets.catalog.collector import Harvest
from assets.catalog.crawl_job import Visit, status_of

ERRORS_TOO = {"handle_httpstatus_list": range(400, 600)}
"""Request meta: redirects are followed, and answers of any other status come to the callback."""


class PageSpider(Spider):
    """Asks for pages, and tells the harvest what they say; images are fetched when it is done.

    Attributes:
        failure: why the source as a whole could not be read, for a person; None while all is well.
        visit: for what stands between it and the network.
    """

    name = "pages"

    def __init__(self, harvest: Harvest, visit: Visit | None = None, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.harvest = harvest
        self.visit = visit
        self.failure: str | None = None


def answer_of(response: Response) -> str:
    """`404 Not Found`."""
    return status_of(response.status)
