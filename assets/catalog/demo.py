"""The source `demo`: the generated shop, served on the loopback interface and crawled as any WordPress site."""

from contextlib import ExitStack

from assets.catalog.collector import OTHER_TABLES, Harvest
from assets.catalog.crawl_job import Visit
from assets.catalog.wordpress import WordPressSpider
from assets.catalog.wordpress_post import Site
from demo_shop.server import serve
from demo_shop.shop import Shop
from heddle.sources.parameters import Crawled, Demo, DemoShop

URL = "http://demo-shop.example"
"""What the shop calls itself whatever its port: it is crawled as its own proxy, so that no port gets into an output."""


def generated(shop: DemoShop, seed: int) -> Shop:
    """The shop of these sizes."""
    return Shop(seed, shop.listings, shop.guides)


class DemoSource:
    """Serves the shop until `stack` is closed, and crawls it."""

    def __init__(self, source: Demo, shop: DemoShop, seed: int, stack: ExitStack) -> None:
        self._source = source
        self._shop = shop
        self._seed = seed
        self._stack = stack

    def gather(self, harvest: Harvest) -> Visit:
        """The crawl of the shop with all its tables."""
        port = self._stack.enter_context(serve(generated(self._shop, self._seed)))
        tables = {f"demo-shop/v1/{table}": table for table in OTHER_TABLES if table != "guides"}
        site = Site(self._source.name, URL, guides="guides", per_page=100, tables=tables)
        manners = Crawled(delay=0, concurrency=self._source.concurrency, back_off=0.1)
        arguments = {"site": site, "harvest": harvest}
        return Visit(self._source.name, manners, WordPressSpider, arguments, proxy=f"http://127.0.0.1:{port}")
