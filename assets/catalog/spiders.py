"""Base class of the spiders of all crawled sources."""

from typing import Any

from scrapy import Spider

from assets.catalog.collector import Collector
from assets.catalog.crawl_job import CrawlJob

PASS_ERRORS = {"handle_httpstatus_list": range(400, 600)}
"""Request meta: redirects are followed, and responses with an error status are passed to the callback."""


class PageSpider(Spider):
    """Requests pages and adds their records to the collector; images are fetched afterwards.

    Attributes:
        failure: why the whole source could not be read; None if it could.
        crawl_job: for the middleware.
    """

    name = "pages"

    def __init__(self, collector: Collector, crawl_job: CrawlJob | None = None, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.collector = collector
        self.crawl_job = crawl_job
        self.failure: str | None = None
