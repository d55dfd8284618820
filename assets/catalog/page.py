"""What a web page tells machines of the thing that it is about: JSON-LD, else Open Graph, else its head; and its words.

Vocabularies: https://schema.org (Product, Article), https://ogp.me. No page is believed to be well-formed.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

from extruct.jsonld import JsonLdExtractor
from extruct.opengraph import OpenGraphExtractor
from lxml.html import HtmlElement, HTMLParser, fromstring
from trafilatura import extract

from heddle.core.html_text import plain_text

PRODUCTS = ("Product", "IndividualProduct", "ProductGroup", "ProductModel", "SomeProducts", "Vehicle", "Book")
ARTICLES = ("Article", "BlogPosting", "NewsArticle", "TechArticle", "HowTo", "Recipe", "Report")
_DEEPEST = 20  # levels of a value that are looked into

Node = Mapping[str, Any]


class PageError(Exception):
    """The page cannot be read."""


@dataclass(frozen=True)
class Page:
    """A page about one thing.

    Attributes:
        told: by fields of a listing.
        image: address of its image; empty if it has none.
        text: the main text, plain; empty if there is none.
    """

    told: Mapping[str, Any]
    image: str
    text: str


def read_page(markup: str, url: str) -> Page:
    """Read a page.

    Raises:
        PageError: there is nothing in it, or nothing that can be parsed.
    """
    try:
        tree = fromstring(markup.encode(), parser=HTMLParser(encoding="utf-8"))
        things = list(_things(_json_ld(tree)))
        graph = {key: value for each in OpenGraphExtractor().extract_items(tree) for key, value in each["properties"]}
        body = extract(markup, url=url, output_format="html", fast=True) or ""
    except Exception as error:  # lxml, extruct and trafilatura meet pages that nobody foresaw
        raise PageError(f"cannot be read as HTML: {type(error).__name__}: {error}") from error
    thing = next((each for kinds in (PRODUCTS, ARTICLES) for each in things if _is_a(each, kinds)), {})
    told = {"url": url, "body": body} | _of_head(tree) | _filled(_of_graph(graph)) | _filled(_of_thing(thing))
    image = _address(thing.get("image")) or graph.get("og:image") or graph.get("og:image:url") or ""
    with suppress(ValueError):  # no address: whoever fetches it says so
        image = urljoin(url, image) if image else ""
    return Page(told, image, plain_text(body))


def _json_ld(tree: HtmlElement) -> list[Any]:
    """What its scripts of JSON-LD say; nothing if one of them is broken, as Open Graph may tell the same."""
    try:
        return list(JsonLdExtractor().extract_items(tree))
    except (ValueError, RecursionError):
        return []


def _things(value: Any, depth: int = 0) -> Iterator[Node]:
    """The things that JSON-LD is about: at the top, in a graph, or what a page is mainly about."""
    if isinstance(value, list) and depth < _DEEPEST:
        for each in value:
            yield from _things(each, depth + 1)
    elif isinstance(value, dict) and depth < _DEEPEST:
        yield value
        for key in ("@graph", "mainEntity", "mainEntityOfPage"):
            yield from _things(value.get(key), depth + 1)


def _is_a(thing: Node, kinds: tuple[str, ...]) -> bool:
    told = thing.get("@type")
    types = told if isinstance(told, list) else [told]
    return any(isinstance(type_, str) and type_.rpartition("/")[2].rpartition(":")[2] in kinds for type_ in types)


def _of_thing(thing: Node) -> dict[str, Any]:
    offers = _first(thing.get("offers"))
    image = _first(thing.get("image"))
    return {
        "title": _text(thing.get("name")) or _text(thing.get("headline")),
        "description": _text(thing.get("description")) or _text(thing.get("abstract")),
        "price": _text(offers.get("price")) or _text(offers.get("lowPrice")),
        "categories": _texts(thing.get("category")) or _texts(thing.get("articleSection")),
        "tags": _texts(thing.get("keywords")),
        "material": _text(thing.get("material")),
        "alt_text": _text(image.get("description")),
        "caption": _text(image.get("caption")),
        "licence": _address(thing.get("license")) or _address(image.get("license")),
        "locale": _text(thing.get("inLanguage")),
        "created": _text(thing.get("datePublished")) or _text(thing.get("dateCreated")),
        "modified": _text(thing.get("dateModified")),
    }


def _of_graph(graph: Mapping[str, str]) -> dict[str, Any]:
    return {
        "title": graph.get("og:title"),
        "description": graph.get("og:description"),
        "price": graph.get("product:price:amount") or graph.get("og:price:amount"),
        "alt_text": graph.get("og:image:alt"),
        "locale": (graph.get("og:locale") or "").replace("_", "-"),
        "categories": _texts(graph.get("article:section") or graph.get("product:category")),
        "tags": _texts(graph.get("article:tag")),
        "created": graph.get("article:published_time"),
        "modified": graph.get("article:modified_time") or graph.get("og:updated_time"),
    }


def _of_head(tree: HtmlElement) -> dict[str, Any]:
    """What every page may say; the title and description are also those that search engines show."""
    title = (tree.findtext(".//title") or "").strip()
    description = next(iter(tree.xpath("//meta[@name='description']/@content")), "")
    return {
        "title": title,
        "description": description,
        "seo_title": title,
        "seo_description": description,
        "locale": next(iter(tree.xpath("/html/@lang")), ""),
        "licence": next(iter(tree.xpath("//*[@rel='license']/@href")), ""),
    }


def _filled(told: Mapping[str, Any]) -> dict[str, Any]:
    return {field: value for field, value in told.items() if value}


def _first(value: Any) -> Node:
    """A thing, or the first of several."""
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, dict):
            return each
    return {}


def _text(value: Any, depth: int = 0) -> str:
    """The words of a value, which may be a list of several or a thing with a name."""
    if isinstance(value, list) and depth < _DEEPEST:
        return next(filter(None, (_text(each, depth + 1) for each in value)), "")
    if isinstance(value, dict) and depth < _DEEPEST:
        return _text(value.get("@value"), depth + 1) or _text(value.get("name"), depth + 1)
    return str(value).strip() if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def _texts(value: Any) -> list[str]:
    """Several, as a list or between commas."""
    if isinstance(value, str):
        return [text.strip() for text in value.split(",") if text.strip()]
    return [text for each in (value if isinstance(value, list) else [value]) if (text := _text(each))]


def _address(value: Any, depth: int = 0) -> str:
    """The address of a value: itself, or its `url`."""
    if isinstance(value, list) and depth < _DEEPEST:
        return next(filter(None, (_address(each, depth + 1) for each in value)), "")
    if isinstance(value, dict) and depth < _DEEPEST:
        keys = ("contentUrl", "url", "@id")
        return next(filter(None, (_address(value.get(key), depth + 1) for key in keys)), "")
    return value.strip() if isinstance(value, str) else ""
