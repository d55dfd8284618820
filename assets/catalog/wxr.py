"""The source `wxr`: posts and attachments of a WordPress export file (WordPress eXtended RSS).

A post's image is its featured image, else the first image in its content, else the first attachment that was uploaded
to it. An attachment that is not the image of a post becomes a listing of its own.
"""

import html
import mimetypes
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urljoin, urlsplit
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from assets.catalog.collector import Collector
from assets.catalog.crawl_job import CrawlJob
from assets.catalog.mapped_records import check_columns
from assets.catalog.rows import qualify_id
from heddle.core.html_text import plain_text
from heddle.core.stage import StageError
from heddle.sources.parameters import Wxr

ATTACHMENT = "attachment"
PUBLISHED = ("publish", "inherit")  # attachments inherit from the post that they were uploaded to
_MAX_ITEM_BYTES = 64_000_000
_IMAGE = re.compile(r"<img\b[^<>]{0,4000}?\ssrc=[\"']([^\"'<>]{1,4000})[^<>]{0,4000}", re.IGNORECASE)
_UPLOADED = re.compile(r"\bwp-image-(\d+)")  # class of an image in this site's library
_SHORTCODE = re.compile(r"\[/?(?:caption|wp_caption|gallery|playlist|audio|video|embed)\b[^\[\]]*\]")

Item = dict[str, Any]


class WxrSource:
    """Reads one export file twice: first the attachments, as they may follow the posts that show them."""

    def __init__(self, source: Wxr) -> None:
        self._source = source
        self._path = Path(source.path)
        self._damage: str | None = None

    def gather(self, collector: Collector) -> CrawlJob:
        """Add all posts; return the crawl of their images.

        Raises:
            StageError: the file does not exist, or contains no post of a requested type.
        """
        if not self._path.is_file():
            raise StageError(f"{self._named()}: file not found; `path` is relative to the project")
        attachments = self._read_attachments()
        by_id = {each["item"]["id"]: each for each in reversed(attachments)}
        by_parent = {each["item"]["parent"]: each for each in reversed(attachments) if _is_image(each["url"])}
        shown: set[str] = set()
        for item in self._read_items():
            if item["type"] == self._source.guides:
                self._add_guide(collector, item)
            elif item["type"] in self._source.posts and item["type"] != ATTACHMENT:
                image = _find_image(item, by_id, by_parent)
                shown.add(image.get("url", ""))
                self._add_listing(collector, item, image)
        for each in attachments:
            if each["url"] not in shown or not each["url"]:
                self._add_listing(collector, each["item"], each)
        if self._damage:
            name = qualify_id(self._source.name, self._source.path)
            collector.reject("listings", name, self._source.path, self._damage, {"path": self._source.path})
        return CrawlJob(self._source.name, self._source)

    def _read_attachments(self) -> list[Item]:
        """Read the attachments with their fields, and check the parameters against all items."""
        attachments: list[Item] = []
        types: Counter[str] = Counter()
        custom: set[str] = set()
        requested = {*self._source.posts, self._source.guides}
        for item in self._read_items():
            types[item["type"]] += 1
            if item["type"] in requested:
                custom |= item["meta"].keys()
            if item["type"] == ATTACHMENT:
                fields = {"caption": item["excerpt"], "alt_text": item["meta"].get("_wp_attachment_image_alt")}
                attachments.append({"url": item["attachment_url"], "fields": fields, "item": item})
        if not types:
            raise StageError(
                f"{self._named()}: {self._damage or 'the file has no posts'}; check that it is a WordPress export file"
            )
        if not types.keys() & requested and types.keys() != {ATTACHMENT}:
            found = ", ".join(f"{type_} ({times})" for type_, times in sorted(types.items()))
            raise StageError(f"{self._named()}: no posts of type {', '.join(self._source.posts)}; found: {found}")
        check_columns(f"{self._named()}: fields", self._source.fields.values(), sorted(custom))
        return attachments

    def _read_items(self) -> Iterator[Item]:
        """Iterate over the file's items to its end or its first damage; memory holds one item."""
        with self._path.open("rb") as file:
            reader = _Reader(file)
            try:
                for element in _iterate_items(reader):
                    reader.since_item = 0
                    yield parse_post(element)
            except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
                self._damage = f"invalid XML: {error}; earlier posts are used"

    def _add_listing(self, collector: Collector, item: Item, image: Mapping[str, Any]) -> None:
        origin = item["link"] or f"{self._source.path} post {item['id']}"
        name = qualify_id(self._source.name, item["id"])
        if item["status"] not in PUBLISHED or item["password"]:
            why = "it has a password" if item["password"] else f"its status is {item['status'] or 'missing'}"
            collector.reject("listings", name, origin, f"not published: {why}", item, "not_published")
            return
        fields = _read_fields(item) | dict(image.get("fields", {}))
        fields |= {str(field): item["meta"].get(key) for field, key in self._source.fields.items()}
        url = _resolve_url(item["link"], image.get("url", ""))
        draft = collector.add_listing(self._source.name, item["id"], fields, item, origin, image=url)
        if draft is None:
            return
        if url:
            collector.set_image_url(draft, url)
        else:
            collector.reject_image(draft, "no_image", "the post has no featured, inline or attached image")

    def _add_guide(self, collector: Collector, item: Item) -> None:
        fields = {"id": item["id"], "title": plain_text(item["title"])}
        fields["text"] = plain_text(item["content"]) or None
        if item["status"] not in PUBLISHED or item["password"]:
            name = qualify_id(self._source.name, item["id"])
            collector.reject("guides", name, item["link"], "not published", item, "not_published")
        else:
            collector.add_row("guides", self._source.name, fields, item, item["link"])

    def _named(self) -> str:
        return f"source {self._source.name}: {self._source.path}"


def parse_post(element: Element) -> Item:
    """Convert an `<item>`. Namespaces are ignored, because they differ between versions."""
    texts: dict[str, str] = {}
    meta: dict[str, str] = {}
    terms: list[tuple[str, str]] = []
    for child in element:
        tag = _name(child)
        if tag == "postmeta":
            values = {_name(each): each.text or "" for each in child}
            meta.setdefault(values.get("meta_key", ""), values.get("meta_value", ""))
        elif tag == "category" and child.get("domain"):
            terms.append((child.get("domain", ""), child.text or ""))
        elif tag == "encoded":
            texts["excerpt" if "/excerpt/" in child.tag else "content"] = child.text or ""
        else:
            texts.setdefault(tag, child.text or "")
    return {
        "id": texts.get("post_id", "").strip(),
        "type": texts.get("post_type", "").strip(),
        "status": texts.get("status", "").strip(),
        "password": texts.get("post_password", "").strip(),
        "parent": texts.get("post_parent", "").strip(),
        "link": texts.get("link", "").strip(),
        "attachment_url": texts.get("attachment_url", "").strip(),
        "title": texts.get("title", ""),
        "content": _SHORTCODE.sub(" ", texts.get("content", "")),
        "excerpt": texts.get("excerpt", ""),
        "created": _parse_time(texts.get("post_date_gmt", "")),
        "modified": _parse_time(texts.get("post_modified_gmt", "")),
        "tags": sorted({plain_text(name) for domain, name in terms if domain == "post_tag"}),
        "categories": sorted({plain_text(name) for domain, name in terms if domain == "category"}),
        "meta": meta,
    }


def _read_fields(item: Item) -> dict[str, Any]:
    """Read the fields of a listing that every post may have."""
    return {
        "url": item["link"],
        "title": item["title"],
        "description": item["excerpt"] or item["content"],
        "body": item["content"],
        "site": _host(item["link"]),
    } | {field: item[field] for field in ("tags", "categories", "created", "modified")}


def _iterate_items(reader: "_Reader") -> Iterator[Element]:
    """Iterate over complete `<item>` elements; each is removed from its parent before the next one is read."""
    parents: list[Element] = []
    for event, element in iterparse(reader, events=("start", "end"), forbid_dtd=True):
        if event == "start":
            parents.append(element)
        elif parents.pop() is element and _name(element) == "item" and parents:
            yield element
            parents[-1].remove(element)


class _Reader:
    """File object that limits the bytes of one item, because memory holds a whole item."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.since_item = 0

    def read(self, size: int) -> bytes:
        content = self._file.read(size)
        self.since_item += len(content)
        if self.since_item > _MAX_ITEM_BYTES:
            raise ValueError(f"an item has more than {_MAX_ITEM_BYTES:,} bytes")
        return content


def _find_image(item: Item, by_id: Mapping[str, Item], by_parent: Mapping[str, Item]) -> Mapping[str, Any]:
    """Return the attachment or URL that a post shows first; empty if there is none."""
    featured = by_id.get(item["meta"].get("_thumbnail_id", ""))
    if featured:
        return featured
    inline = _IMAGE.search(item["content"])
    if inline:
        uploaded = _UPLOADED.search(inline[0])
        return by_id.get(uploaded[1] if uploaded else "") or {"url": html.unescape(inline[1])}
    return by_parent.get(item["id"], {})


def _is_image(url: str) -> bool:
    return (mimetypes.guess_type(url)[0] or "").startswith("image/")


def _resolve_url(page: str, url: str) -> str:
    """Return the absolute URL of an image; invalid URLs are returned unchanged."""
    try:
        return urljoin(page, url) if url else ""
    except ValueError:
        return url


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _parse_time(text: str) -> str:
    """Convert a time to ISO 8601, UTC; empty for zeros, which WordPress writes for drafts."""
    return "" if not text.strip() or text.startswith("0000") else text.strip().replace(" ", "T") + "Z"


def _host(link: str) -> str:
    """Return the host of a URL; empty if it is invalid."""
    try:
        return urlsplit(link).netloc
    except ValueError:
        return ""
