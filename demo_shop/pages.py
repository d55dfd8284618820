"""HTML pages without scripts, and sitemaps."""

import html
import math
from collections.abc import Sequence
from datetime import datetime

from demo_shop import wordpress
from demo_shop.shop import Shop

ON_A_PAGE = 48
STYLE = """
*{box-sizing:border-box}
body{margin:0;font:16px/1.55 Georgia,serif;color:#2c2a28;background:#f7f3ec}
header{background:#3c5a52;color:#fdf8ee;padding:1.2rem 2rem}
header a{color:inherit;text-decoration:none;font-size:1.5rem}
header p{margin:0;opacity:.8;font-style:italic}
main{max-width:1180px;margin:2rem auto;padding:0 1.5rem}
.grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(180px,1fr));gap:1.3rem}
.card{background:#fff;border-radius:10px;overflow:hidden;box-shadow:0 1px 4px #0002;
 color:inherit;text-decoration:none;display:flex;flex-direction:column}
.card img{width:100%;height:auto;aspect-ratio:1;object-fit:contain;background:#e6dfd3}
.card div{padding:.7rem .9rem;flex:1}
.card b{display:block;line-height:1.3}
.price{color:#a8432f;font-weight:bold}
.one{display:grid;grid-template-columns:minmax(220px,420px) 1fr;
 gap:2.2rem;background:#fff;padding:2rem;border-radius:12px}
.one img{width:100%;height:auto;border-radius:8px}
figure{margin:0}
figcaption{font-size:.85rem;color:#75706a;margin-top:.4rem}
nav{margin:2rem 0;text-align:center}
nav a{color:#3c5a52;margin:0 .8rem}
.tag{background:#eee6d8;border-radius:99px;padding:.1rem .7rem;font-size:.8rem;margin-right:.3rem}
@media(max-width:700px){.one{grid-template-columns:1fr}
}
"""


def home(shop: Shop, page: int) -> bytes:
    """The home page: a grid of listings in ascending order of id."""
    numbers = range((page - 1) * ON_A_PAGE, min(page * ON_A_PAGE, shop.size))
    cards = "".join(_card(shop, number) for number in numbers)
    last = math.ceil(shop.size / ON_A_PAGE)
    links = "".join(
        f'<a href="/?page={target}">{name}</a>'
        for name, target in (("Earlier finds", page - 1), ("More finds", page + 1))
        if 1 <= target <= last
    )
    return _page(
        "The Second Thread", f'<div class="grid">{cards}</div><nav>{links}<span>Page {page} of {last}</span></nav>'
    )


def _card(shop: Shop, number: int) -> str:
    listing = shop.listing(number)
    return (
        f'<a class="card" href="/shop/{wordpress.slug(number)}/">{_image(shop, number)}<div>'
        f'<b>{html.escape(listing.words.title)}</b><span class="price">£{listing.facts.price:.2f}</span></div></a>'
    )


def _image(shop: Shop, number: int) -> str:
    listing = shop.listing(number)
    if wordpress.kind_at(shop, number) == "no image":
        return ""
    path = wordpress.media_url(shop, number).removeprefix(wordpress.HOME)
    size = f'width="{listing.image.width}" height="{listing.image.height}"'
    return f'<img src="{path}" alt="{html.escape(listing.words.alt_text)}" {size} loading="lazy">'


def listing(shop: Shop, number: int) -> bytes:
    """One listing: image, title, price, texts. Only the API serves hostile HTML; the pages never do."""
    one = shop.listing(number)
    words = one.words
    tags = "".join(f'<span class="tag">{html.escape(tag)}</span>' for tag in words.tags)
    image = _image(shop, number)
    figure = (
        f"<figure>{image}<figcaption>{html.escape(words.caption)}</figcaption></figure>" if image else "<div></div>"
    )
    body = (
        f'<article class="one">{figure}<div><h1>{html.escape(words.title)}</h1>'
        f'<p class="price">£{one.facts.price:.2f}</p><p>{html.escape(words.description)}</p>'
        f"{words.body}<p>{tags}</p></div></article>"
    )
    return _page(words.title, body, words.seo_description, _graph(shop, number))


def _graph(shop: Shop, number: int) -> str:
    """Open Graph metadata of the page."""
    one = shop.listing(number)
    told = {"og:type": "product", "og:title": one.words.title, "og:description": one.words.description}
    told["product:price:amount"] = f"{one.facts.price:.2f}"
    if wordpress.kind_at(shop, number) != "no image":
        told |= {"og:image": wordpress.media_url(shop, number), "og:image:alt": one.words.alt_text}
    return "".join(f'<meta property="{name}" content="{html.escape(value)}">' for name, value in told.items())


def guide(shop: Shop, number: int) -> bytes:
    """One guide."""
    row = shop.guide_row(shop.guides[number])
    return _page(
        row["title"],
        f'<article class="one"><div><h1>{html.escape(row["title"])}</h1>'
        f"<p>{html.escape(row['text'])}</p></div></article>",
    )


def missing() -> bytes:
    """The page of an unknown address."""
    return _page("Not found", '<p>There is nothing here. <a href="/">Back to the shop</a></p>')


def _page(title: str, body: str, description: str = "Second-hand and upcycled", head: str = "") -> bytes:
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width">'
        f'<meta name="description" content="{html.escape(description)}">{head}'
        f"<style>{STYLE}</style></head><body>"
        f'<header><a href="/">The Second Thread</a><p>second-hand and upcycled</p></header>'
        f"<main>{body}</main></body></html>"
    ).encode()


def sitemap_index(addresses: Sequence[str]) -> bytes:
    """A sitemap of sitemaps (sitemaps.org protocol 0.9)."""
    entries = "".join(f"<sitemap><loc>{address}</loc></sitemap>" for address in addresses)
    return f'{XML_HEAD}<sitemapindex xmlns="{NAMESPACE}">{entries}</sitemapindex>'.encode()


def sitemap(entries: Sequence[tuple[str, datetime]]) -> bytes:
    """A sitemap: addresses with the time of their last change."""
    rows = "".join(
        f"<url><loc>{address}</loc><lastmod>{changed:%Y-%m-%dT%H:%M:%SZ}</lastmod></url>"
        for address, changed in entries
    )
    return f'{XML_HEAD}<urlset xmlns="{NAMESPACE}">{rows}</urlset>'.encode()


XML_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"
