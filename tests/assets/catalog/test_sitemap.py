"""The source `sitemap`: pages as machines read them, a site of our own that can misbehave, and the demo shop's."""

import gzip
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.catalog.web_page import PageError, read_page
from demo_shop import Shop
from demo_shop.server import serve
from demo_shop.wordpress import kind_at
from tests.support import wordpress_site
from tests.support.source_project import NEAR

URL = "https://shop.test/chairs/1"
WORDS = "An oak chair with a woven seat, made by hand a long time ago and mended with care last winter. " * 5
PRODUCT = {
    "@context": "https://schema.org/",
    "@type": "Product",
    "name": "Oak chair",
    "description": "Old & sound",
    "image": ["/1.jpg", "/2.jpg"],
    "category": "Seats",
    "keywords": "oak, woven",
    "material": "oak",
    "offers": {"@type": "Offer", "price": "12.50", "priceCurrency": "EUR"},
    "license": "https://creativecommons.org/licenses/by/4.0/",
}


def page(head: str = "", body: str = f"<article><h1>Chair</h1><p>{WORDS}</p></article>") -> str:
    return f"<!DOCTYPE html><html lang='en'><head><title>The title</title>{head}</head><body>{body}</body></html>"


def ld(*things: Any) -> str:
    return "".join(f'<script type="application/ld+json">{json.dumps(thing)}</script>' for thing in things)


def test_json_ld_tells_of_a_product() -> None:
    read = read_page(page(ld(PRODUCT)), URL)
    assert read.image == "https://shop.test/1.jpg"
    expected = {"title": "Oak chair", "description": "Old & sound", "price": "12.50", "categories": ["Seats"]}
    expected |= {"tags": ["oak", "woven"], "material": "oak", "licence": "https://creativecommons.org/licenses/by/4.0/"}
    assert {field: read.fields[field] for field in expected} == expected
    assert read.fields["seo_title"] == "The title"
    assert WORDS[:60] in read.text
    assert WORDS[:60] in read.fields["body"]


@pytest.mark.parametrize(
    "head",
    [
        ld({"@context": "https://schema.org", "@graph": [{"@type": "WebSite", "name": "no"}, PRODUCT]}),
        ld([{"@type": ["Thing", "http://schema.org/Product"], **{k: v for k, v in PRODUCT.items() if k != "@type"}}]),
        ld({"@type": "WebPage", "name": "no", "mainEntity": PRODUCT}),
        ld({"@type": "Article", "headline": "no"}) + ld(PRODUCT),
        ld(PRODUCT) + '<meta property="og:title" content="fewer fields">',
        ld(PRODUCT | {"image": {"@type": "ImageObject", "contentUrl": "/1.jpg"}, "offers": [PRODUCT["offers"]]}),
    ],
)
def test_a_product_is_found_wherever_it_stands(head: str) -> None:
    read = read_page(page(head), URL)
    assert (read.fields["title"], read.fields["price"], read.image) == ("Oak chair", "12.50", "https://shop.test/1.jpg")


def test_open_graph_tells_what_json_ld_does_not() -> None:
    head = '<meta property="og:title" content="Chair"><meta property="og:image" content="https://cdn.test/1.jpg">'
    head += '<meta property="product:price:amount" content="3"><meta property="og:locale" content="en_GB">'
    for broken in ("", '<script type="application/ld+json">{"@type": </script>'):
        read = read_page(page(head + broken), URL)
        assert (read.fields["title"], read.fields["price"], read.fields["locale"]) == ("Chair", "3", "en-GB")
        assert read.image == "https://cdn.test/1.jpg"


def test_a_page_that_tells_machines_nothing_has_its_head() -> None:
    read = read_page(page("<meta name='description' content='All about it'><link rel='license' href='/cc0'>"), URL)
    found = {field: read.fields[field] for field in ("title", "description", "locale", "licence")}
    assert found == {"title": "The title", "description": "All about it", "locale": "en", "licence": "/cc0"}
    assert read.image == ""


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*PRODUCT, "@value", "url"]), inner),
    max_leaves=8,
)


@settings(max_examples=60)
@given(fields=st.dictionaries(st.sampled_from([*PRODUCT, "@graph", "mainEntity"]), values), product=st.booleans())
def test_no_json_ld_makes_a_page_unreadable(fields: dict[str, Any], product: bool) -> None:
    read = read_page(page(ld(fields | ({"@type": "Product"} if product else {}))), URL)
    assert isinstance(read.image, str)
    assert all(isinstance(value, str | list) for value in read.fields.values())


PARTS = ["<p>", "<html", "<meta property='og:image'", "<!--", "&#0;", "<title>", ">", "x", "\0", "<![CDATA["]


@settings(max_examples=60)
@given(words=st.text(max_size=60) | st.lists(st.sampled_from(PARTS)).map("".join), framed=st.booleans())
def test_a_page_is_read_or_refused(words: str, framed: bool) -> None:
    with suppress(PageError):
        assert read_page(page(words, words) if framed else words, URL).fields["url"] == URL


NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"


def sitemap(*urls: str, kind: str = "urlset", entry: str = "url") -> bytes:
    entries = "".join(f"<{entry}><loc>{url}</loc></{entry}>" for url in urls)
    return f'<?xml version="1.0"?><{kind} xmlns="{NAMESPACE}">{entries}</{kind}>'.encode()


def crawl(folder: Path, url: str, *settings: str, **environment: str) -> Any:
    lines = [f"url: {url}", *NEAR, *settings]
    return wordpress_site.run(folder, "\n        ".join(["- name: s", "kind: sitemap", *lines]), **environment)


HTML = {"Content-Type": "text/html; charset=utf-8"}


def shop_with_faults(site: wordpress_site.FakeSite) -> None:
    """Three sound products, a guide, and one fault of each kind."""

    def product(number: int, **changes: Any) -> bytes:
        return page(
            ld(PRODUCT | {"name": f"Chair {number}", "image": f"{site.url}/images/{number}"} | changes)
        ).encode()

    answers = {f"/shop/{number}": (200, HTML, product(number)) for number in (1, 2, 3)}
    answers |= {
        "/shop/dear": (200, HTML, product(4, offers={"price": "a lot"})),
        "/shop/bare": (200, HTML, page().encode()),
        "/shop/empty": (200, HTML, b""),
        "/shop/film": (200, {"Content-Type": "video/mp4"}, bytes(range(256))),
        "/shop/big": (200, HTML, b"<p>" * 2_000_000),
        "/blog/mend": (200, HTML, page().encode()),
        "/robots.txt": (200, {}, b"User-agent: *\nDisallow: /shop/secret\n"),
        "/blog.xml": (200, {}, sitemap(f"{site.url}/blog/mend", f"{site.url}/about", "https://other.test/shop/1")),
        "/cut.xml": (200, {}, sitemap(f"{site.url}/about", f"{site.url}/x")[:-30]),
        "/bomb.xml.gz": (200, {}, gzip.compress(bytes(60_000_000))),
        "/empty.xml": (200, {}, b""),
    }
    names = ["1", "2", "3", "dear", "bare", "empty", "film", "big", "secret", "gone", "1"]
    listed = sitemap(*(f"{site.url}/shop/{name}" for name in names))
    answers["/shop.xml.gz"] = (200, {"Content-Type": "application/gzip"}, gzip.compress(listed))
    maps = ["shop.xml.gz", "blog.xml", "none.xml", "cut.xml", "bomb.xml.gz", "map.xml", "empty.xml"]
    index = sitemap(*(f"{site.url}/{name}" for name in maps), kind="sitemapindex", entry="sitemap")
    answers["/map.xml"] = (200, {}, index)
    for path, answer in answers.items():
        site.answers[path] = lambda times, answer=answer: answer


REFUSED = {
    "s:/shop/dear": "malformed_record",
    "s:/shop/bare": "no_image",
    "s:/shop/empty": "malformed_record",
    "s:/shop/film": "malformed_record",
    "s:/shop/big": "page_missing",
    "s:/shop/secret": "page_missing",
    "s:/shop/gone": "page_missing",
    "s:/none.xml": "sitemap_unreadable",
    "s:/cut.xml": "sitemap_unreadable",
    "s:/bomb.xml.gz": "sitemap_unreadable",
    "s:/empty.xml": "sitemap_unreadable",
    "s:/shop/1": "other_host",
}


def test_an_index_leads_to_pages_images_and_guides(tmp_path: Path) -> None:
    site = wordpress_site.FakeSite()
    shop_with_faults(site)
    try:
        done = crawl(tmp_path, f"{site.url}/map.xml", "listings: /shop/", "guides: ^[^?]*/blog/")
    finally:
        site.close()
    assert done.returncode == 0, done.stderr
    listings = wordpress_site.rows(tmp_path, "listings")
    sound = [(f"s:/shop/{number}", f"Chair {number}", 12.5, PRODUCT["license"]) for number in (1, 2, 3)]
    assert [(row["id"], row["title"], row["price"], row["licence"]) for row in listings] == sound
    guides = wordpress_site.rows(tmp_path, "guides")
    assert [row["id"] for row in guides] == ["s:/blog/mend"]
    assert WORDS[:60] in guides[0]["text"]
    quarantine = {row["id"]: (row["reason"], row["detail"]) for row in wordpress_site.rows(tmp_path, "quarantine")}
    assert {id_: reason for id_, (reason, _) in quarantine.items()} == REFUSED
    assert "robots.txt" in quarantine["s:/shop/secret"][1]
    asked = [path for path, _, _ in site.requests]
    assert not {"/shop/secret", "/about", "/x"} & set(asked)
    assert len(asked) == len(set(asked))


@pytest.mark.parametrize(
    ("path", "settings", "message"),
    [
        ("/page", [], "not a sitemap: the root element is <html>"),
        ("/map.xml", ["listings: /nowhere/"], "none of the 3 URLs in"),
        ("/map.xml", ["pages: 1"], "more than 1 pages; narrow `listings`, or raise `pages`"),
        ("/secret.xml", [], "robots.txt"),
    ],
)
def test_a_site_that_cannot_be_read_is_an_error(tmp_path: Path, path: str, settings: list[str], message: str) -> None:
    site = wordpress_site.FakeSite()
    site.answers["/page"] = lambda times: (200, {"Content-Type": "text/html"}, page().encode())
    site.answers["/map.xml"] = lambda times: (200, {}, sitemap(f"{site.url}/a", f"{site.url}/b"))
    site.answers["/robots.txt"] = lambda times: (200, {}, b"User-agent: *\nDisallow: /secret.xml\n")
    try:
        done = crawl(tmp_path, f"{site.url}{path}", *settings)
    finally:
        site.close()
    assert done.returncode == 1
    assert "source s: " in done.stderr
    assert message in done.stderr


def test_the_demo_shop_by_its_sitemap_is_the_demo_shop(tmp_path: Path) -> None:
    shop = Shop(seed=7, listings=56, guides=8)
    with serve(shop) as port:
        settings = ["listings: /shop/", "guides: /guides/", "concurrency: 16"]
        done = crawl(tmp_path, "http://demo-shop.example/sitemap.xml", *settings, http_proxy=f"http://127.0.0.1:{port}")
    assert done.returncode == 0, done.stderr
    assert len(wordpress_site.rows(tmp_path, "guides")) == 8
    came = {row["title"]: row for row in wordpress_site.rows(tmp_path, "listings")}
    sound = [number for number in range(56) if not kind_at(shop, number)]
    assert len(sound) > 20
    for number in sound:
        one = shop.listing(number)
        assert came[one.words.title]["price"] == pytest.approx(one.facts.price, abs=0.005)
        assert came[one.words.title]["alt_text"] == one.words.alt_text
