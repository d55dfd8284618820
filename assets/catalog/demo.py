"""The source `demo`: the generated shop, served on the loopback interface and crawled like any WordPress site."""

from contextlib import ExitStack

from assets.catalog.collector import OTHER_TABLES, Collector
from assets.catalog.crawl_job import CrawlJob
from assets.catalog.wordpress import WordPressSpider
from assets.catalog.wordpress_post import WordPressSite
from demo_shop.server import serve
from demo_shop.shop import Shop
from heddle.sources.parameters import CrawlSettings, Demo, DemoShop

URL = "http://demo-shop.example"
"""The shop's URL. The shop is crawled as a proxy for this URL, so that no port gets into an output."""


def build_shop(shop: DemoShop, seed: int) -> Shop:
    """Build the shop."""
    return Shop(seed, shop.listings, shop.guides)


class DemoSource:
    """Serves the shop until `stack` is closed."""

    def __init__(self, source: Demo, shop: DemoShop, seed: int, stack: ExitStack) -> None:
        self._source = source
        self._shop = shop
        self._seed = seed
        self._stack = stack

    def gather(self, collector: Collector) -> CrawlJob:
        """Start the server and return the crawl of all its tables."""
        port = self._stack.enter_context(serve(build_shop(self._shop, self._seed)))
        tables = {f"demo-shop/v1/{table}": table for table in OTHER_TABLES if table != "guides"}
        site = WordPressSite(self._source.name, URL, guides="guides", per_page=100, tables=tables)
        politeness = CrawlSettings(delay=0, concurrency=self._source.concurrency, back_off=0.1)
        arguments = {"site": site, "collector": collector}
        return CrawlJob(self._source.name, politeness, WordPressSpider, arguments, proxy=f"http://127.0.0.1:{port}")
