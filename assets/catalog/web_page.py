"""Extract a listing's fields from a web page: from JSON-LD, else Open Graph, else the HTML head; and its main text.

Vocabularies: https://schema.org (Product, Article), https://ogp.me. Pages may be malformed in any way.
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
_MAX_DEPTH = 20  # nested levels of a JSON-LD value

Node = Mapping[str, Any]


class PageError(Exception):
    """The page cannot be read."""


@dataclass(frozen=True)
class WebPage:
    """A page about one thing.

    Attributes:
        fields: values by fields of a listing.
        image: URL of its image; empty if there is none.
        text: main text without markup; empty if there is none.
    """

    fields: Mapping[str, Any]
    image: str
    text: str


def read_page(markup: str, url: str) -> WebPage:
    """Read a page.

    Raises:
        PageError: the page is empty or cannot be parsed.
    """
    try:
        tree = fromstring(markup.encode(), parser=HTMLParser(encoding="utf-8"))
        things = list(_iterate_nodes(_read_json_ld(tree)))
        graph = {key: value for each in OpenGraphExtractor().extract_items(tree) for key, value in each["properties"]}
        body = extract(markup, url=url, output_format="html", fast=True) or ""
    except Exception as error:  # lxml, extruct and trafilatura raise many types of errors
        raise PageError(f"cannot be read as HTML: {type(error).__name__}: {error}") from error
    thing = next((each for kinds in (PRODUCTS, ARTICLES) for each in things if _has_type(each, kinds)), {})
    fields = (
        {"url": url, "body": body}
        | _read_head(tree)
        | _drop_empty(_read_open_graph(graph))
        | _drop_empty(_read_node(thing))
    )
    image = _url(thing.get("image")) or graph.get("og:image") or graph.get("og:image:url") or ""
    with suppress(ValueError):  # an invalid URL is rejected when it is fetched
        image = urljoin(url, image) if image else ""
    return WebPage(fields, image, plain_text(body))


def _read_json_ld(tree: HtmlElement) -> list[Any]:
    """Read its JSON-LD; empty if any of it is invalid, as Open Graph may contain the same fields."""
    try:
        return list(JsonLdExtractor().extract_items(tree))
    except (ValueError, RecursionError):
        return []


def _iterate_nodes(value: Any, depth: int = 0) -> Iterator[Node]:
    """Iterate over JSON-LD nodes: at the top level, in a graph, or as the main entity."""
    if isinstance(value, list) and depth < _MAX_DEPTH:
        for each in value:
            yield from _iterate_nodes(each, depth + 1)
    elif isinstance(value, dict) and depth < _MAX_DEPTH:
        yield value
        for key in ("@graph", "mainEntity", "mainEntityOfPage"):
            yield from _iterate_nodes(value.get(key), depth + 1)


def _has_type(thing: Node, kinds: tuple[str, ...]) -> bool:
    value = thing.get("@type")
    types = value if isinstance(value, list) else [value]
    return any(isinstance(type_, str) and type_.rpartition("/")[2].rpartition(":")[2] in kinds for type_ in types)


def _read_node(thing: Node) -> dict[str, Any]:
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
        "licence": _url(thing.get("license")) or _url(image.get("license")),
        "locale": _text(thing.get("inLanguage")),
        "created": _text(thing.get("datePublished")) or _text(thing.get("dateCreated")),
        "modified": _text(thing.get("dateModified")),
    }


def _read_open_graph(graph: Mapping[str, str]) -> dict[str, Any]:
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


def _read_head(tree: HtmlElement) -> dict[str, Any]:
    """Read the HTML head; its title and description are also the SEO fields."""
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


def _drop_empty(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {field: value for field, value in fields.items() if value}


def _first(value: Any) -> Node:
    """Return the first object of a value or a list; empty if there is none."""
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, dict):
            return each
    return {}


def _text(value: Any, depth: int = 0) -> str:
    """Return the text of a value, which may be a list or an object with a name."""
    if isinstance(value, list) and depth < _MAX_DEPTH:
        return next(filter(None, (_text(each, depth + 1) for each in value)), "")
    if isinstance(value, dict) and depth < _MAX_DEPTH:
        return _text(value.get("@value"), depth + 1) or _text(value.get("name"), depth + 1)
    return str(value).strip() if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def _texts(value: Any) -> list[str]:
    """Return several texts from a list or from comma-separated text."""
    if isinstance(value, str):
        return [text.strip() for text in value.split(",") if text.strip()]
    return [text for each in (value if isinstance(value, list) else [value]) if (text := _text(each))]


def _url(value: Any, depth: int = 0) -> str:
    """Return the URL of a value: the value itself, or its property `url`."""
    if isinstance(value, list) and depth < _MAX_DEPTH:
        return next(filter(None, (_url(each, depth + 1) for each in value)), "")
    if isinstance(value, dict) and depth < _MAX_DEPTH:
        keys = ("contentUrl", "url", "@id")
        return next(filter(None, (_url(value.get(key), depth + 1) for key in keys)), "")
    return value.strip() if isinstance(value, str) else ""
