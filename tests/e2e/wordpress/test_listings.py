"""What is put into a real WordPress is what the stage brings out of it, field for field."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from heddle.core.html_text import one_line, plain_text
from tests.support.wordpress import Site, wordpress_site
from tests.support.wordpress.crawling import SEO, crawl
from tests.support.wordpress.seed import Seeded, labels, listings, seed
from tests.support.wordpress_site import rows

COUNT = 200
pytestmark = pytest.mark.xdist_group("wordpress_listings")
QUOTES_DASHES_TIMES = {0x201C: '"', 0x201D: '"', 0x2033: '"', 0x2013: "-", 0x2014: "-", 0xD7: "x"}
TYPOGRAPHY = QUOTES_DASHES_TIMES | dict.fromkeys((0x2018, 0x2019, 0x2032), "'")


def plainly(text: str | None) -> str:
    """Without what WordPress does to quotes, dashes and spaces (wptexturize, wpautop)."""
    return one_line((text or "").translate(TYPOGRAPHY).replace("…", "...").replace("--", "-").replace("> <", "><"))


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, list[Seeded], Path]]:
    folder = tmp_path_factory.mktemp("listings")
    with wordpress_site() as site:
        seeded = seed(site, listings(COUNT))
        crawl(folder, site, SEO)
        yield site, seeded, folder


def test_every_listing_comes_back_field_for_field(crawled: tuple[Site, list[Seeded], Path]) -> None:
    site, seeded, folder = crawled
    brought = {row["id"]: row for row in rows(folder, "listings")}
    assert len(brought) == COUNT == len(seeded)
    for each in seeded:
        row, words, post = brought[f"shop:{each.post['id']}"], each.listing.words, each.post
        exact = {
            "url": post["link"],
            "alt_text": one_line(words.alt_text),
            "tags": sorted(words.tags),
            "categories": list(each.categories),
            "seo_title": words.seo_title,
            "seo_description": words.seo_description,
            "created": f"{each.listing.facts.created:%Y-%m-%dT%H:%M:%SZ}",
            "modified": f"{post['modified_gmt']}Z",
        }
        assert {name: row[name] for name in exact} == exact
        for name in ("title", "description", "caption"):
            assert plainly(row[name]) == plainly(getattr(words, name)), (row["id"], name)
        assert plainly(plain_text(row["body"])) == plainly(plain_text(words.body))
        assert labelled(row) == rounded(labels(each.listing))
        assert row["context"]["site"] == site.url.removeprefix("http://")


def labelled(row: dict[str, Any]) -> dict[str, Any]:
    """The custom fields of a row, as they were put in."""
    names = ("item", "material", "bin", "product_class", "price", "objects", "relations", "licence")
    told = {name: row[name] for name in names}
    return rounded(told | {name: row["context"][name] for name in ("locale", "preferences")})


def rounded(told: dict[str, Any]) -> dict[str, Any]:
    """With boxes as the table holds them, in 32 bits."""
    objects = [each | {"box": [float(np.float32(edge)) for edge in each["box"]]} for each in told["objects"]]
    return told | {"objects": objects}


def test_every_image_is_the_one_that_was_uploaded(crawled: tuple[Site, list[Seeded], Path]) -> None:
    _, seeded, folder = crawled
    brought = {row["id"]: row["image"] for row in rows(folder, "listings")}
    for each in seeded:
        assert brought[f"shop:{each.post['id']}"] == hashlib.sha256(each.listing.image.content).hexdigest()
