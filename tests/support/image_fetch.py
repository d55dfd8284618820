"""Images fetched from a site of our own, without the rest of the stage."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from assets.catalog.collector import Collector
from assets.catalog.crawl_job import CrawlJob
from assets.catalog.fetch_images import fetch_images
from assets.catalog.images import ImageInfo, ImageRejection
from assets.catalog.listing_drafts import ImageReference
from heddle.images.originals import Original
from heddle.sources.parameters import CrawlSettings

SIZE = 200_000  # most bytes of an image


def crawl_job(
    source: str = "shop", proxy: str | None = None, credentials: Any = (None, None), **politeness: Any
) -> CrawlJob:
    told = {"delay": 0, "back_off": 0.01, "retries": 1, "timeout": 10, "private_addresses": True} | politeness
    return CrawlJob(source, CrawlSettings(**told), credentials=credentials, proxy=proxy)


def fetch(
    folder: Path,
    crawl_jobs: Sequence[tuple[CrawlJob, list[str]]],
    processes: int = 1,
    stamps: dict[str, str] | None = None,
) -> dict[str, ImageInfo | ImageRejection]:
    """Fetch images by their addresses; what was found by address, wherever the spool lies."""
    spool = folder / "spool"
    spool.mkdir(exist_ok=True)
    collector = Collector(spool, 1e6, SIZE, 1)
    shown: dict[str, ImageReference] = {}
    for each, urls in crawl_jobs:
        for number, url in enumerate(urls):
            draft = collector.add_listing(each.source, str(number), {}, {}, "row")
            assert draft
            collector.set_image_url(draft, url, (stamps or {}).get(url))
        shown |= collector.pending_images(each.source)
    fetch_images([each for each, _ in crawl_jobs], collector, lambda: None, processes)
    found: dict[str, ImageInfo | ImageRejection] = {}
    for url, each in shown.items():
        what = each.result
        assert what
        if isinstance(what, ImageInfo):
            assert what.original.read()
            what = what._replace(original=Original("", 0, what.original.size))
        found[url] = what
    return found


def reasons(found: dict[str, ImageInfo | ImageRejection], site: Any) -> dict[str, str]:
    """Why images were refused, by what their addresses say after the site's own."""
    refused = {url: each for url, each in found.items() if isinstance(each, ImageRejection)}
    return {url.removeprefix(site.url): each.reason for url, each in refused.items()}
