"""Images fetched from a site of our own, without the rest of the stage."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from assets.catalog.collector import Harvest
from assets.catalog.crawl_job import Visit
from assets.catalog.drafts import Shown
from assets.catalog.fetching import fetch_images
from assets.catalog.images import ImageInfo, Refused
from heddle.images.originals import Original
from heddle.sources.parameters import Crawled

SIZE = 200_000  # most bytes of an image


def visit(source: str = "shop", proxy: str | None = None, credentials: Any = (None, None), **manners: Any) -> Visit:
    told = {"delay": 0, "back_off": 0.01, "retries": 1, "timeout": 10, "private_addresses": True} | manners
    return Visit(source, Crawled(**told), credentials=credentials, proxy=proxy)


def fetch(
    folder: Path, visits: Sequence[tuple[Visit, list[str]]], processes: int = 1, stamps: dict[str, str] | None = None
) -> dict[str, ImageInfo | Refused]:
    """Fetch images by their addresses; what was found by address, wherever the spool lies."""
    spool = folder / "spool"
    spool.mkdir(exist_ok=True)
    harvest = Harvest(spool, 1e6, SIZE, 1)
    shown: dict[str, Shown] = {}
    for each, urls in visits:
        for number, url in enumerate(urls):
            draft = harvest.listing(each.source, str(number), {}, {}, "row")
            assert draft
            harvest.image_url(draft, url, (stamps or {}).get(url))
        shown |= harvest.wanted(each.source)
    fetch_images([each for each, _ in visits], harvest, lambda: None, processes)
    found: dict[str, ImageInfo | Refused] = {}
    for url, each in shown.items():
        what = each.found
        assert what
        if isinstance(what, ImageInfo):
            assert what.original.read()
            what = what._replace(original=Original("", 0, what.original.size))
        found[url] = what
    return found


def reasons(found: dict[str, ImageInfo | Refused], site: Any) -> dict[str, str]:
    """Why images were refused, by what their addresses say after the site's own."""
    refused = {url: each for url, each in found.items() if isinstance(each, Refused)}
    return {url.removeprefix(site.url): each.reason for url, each in refused.items()}
