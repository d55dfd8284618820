"""The source `wxr`: posts and attachments of a WordPress export file (WordPress eXtended RSS).

A post's image is its featured image, else the first image in its words, else the first attachment that was uploaded
to it. An attachment that is no post's image is a listing of its own, so each attachment and each post comes.
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

from assets.catalog.collector import Harvest
from assets.catalog.crawl_job import Visit
from assets.catalog.mapped import check_columns
from assets.catalog.rows import full_id
from heddle.core.html_text import plain_text
from heddle.core.stage import StageError
from heddle.sources.parameters import Wxr

ATTACHMENT = "attachment"
PUBLISHED = ("publish", "inherit")  # attachments inherit from the post that they were uploaded to
_LARGEST_ITEM = 64_000_000  # bytes
_IMAGE = re.compile(r"<img\b[^>]{0,4000}?\ssrc=[\"']([^\"'<>]{1,4000})[^>]{0,4000}", re.IGNORECASE)
_UPLOADED = re.compile(r"\bwp-image-(\d+)")  # class of an image that is an attachment of this site
_SHORTCODE = re.compile(r"\[/?(?:caption|wp_caption|gallery|playlist|audio|video|embed)\b[^\]]*\]")

Item = dict[str, Any]


class WxrSource:
    """Reads one export file, twice: attachments first, as they may come after the posts that show them."""

    def __init__(self, source: Wxr) -> None:
        self._source = source
        self._path = Path(source.path)
        self._damage: str | None = None

    def gather(self, harvest: Harvest) -> Visit:
        """Bring all posts; the answer is the crawl of their images.

        Raises:
            StageError: there is no such file, or none of its posts is of a type that was asked for.
        """
        if not self._path.is_file():
            raise StageError(f"{self._named()}: no such file; `path` is relative to the project's folder")
        attachments = self._attachments()
        by_id = {each["item"]["id"]: each for each in reversed(attachments)}
        by_parent = {each["item"]["parent"]: each for each in reversed(attachments) if _is_image(each["url"])}
        shown: set[str] = set()
        for item in self._items():
            if item["type"] == self._source.guides:
                self._guide(harvest, item)
            elif item["type"] in self._source.posts and item["type"] != ATTACHMENT:
                image = _image_of(item, by_id, by_parent)
                shown.add(image.get("url", ""))
                self._listing(harvest, item, image)
        for each in attachments:
            if each["url"] not in shown or not each["url"]:
                self._listing(harvest, each["item"], each)
        if self._damage:
            name = full_id(self._source.name, self._source.path)
            harvest.refuse("listings", name, self._source.path, self._damage, {"path": self._source.path})
        return Visit(self._source.name, self._source)

    def _attachments(self) -> list[Item]:
        """Images that were uploaded, each with what its item tells of it; mistakes in the parameters show here."""
        attachments: list[Item] = []
        types: Counter[str] = Counter()
        custom: set[str] = set()
        asked = {*self._source.posts, self._source.guides}
        for item in self._items():
            types[item["type"]] += 1
            if item["type"] in asked:
                custom |= item["meta"].keys()
            if item["type"] == ATTACHMENT:
                told = {"caption": item["excerpt"], "alt_text": item["meta"].get("_wp_attachment_image_alt")}
                attachments.append({"url": item["attachment_url"], "told": told, "item": item})
        if not types:
            raise StageError(f"{self._named()}: {self._damage or 'it has no posts'}; is this a WordPress export file?")
        if not types.keys() & asked and types.keys() != {ATTACHMENT}:
            found = ", ".join(f"{type_} ({times})" for type_, times in sorted(types.items()))
            raise StageError(f"{self._named()}: no posts of type {', '.join(self._source.posts)}; there are: {found}")
        check_columns(f"{self._named()}: fields", self._source.fields.values(), sorted(custom))
        return attachments

    def _items(self) -> Iterator[Item]:
        """The file's items up to its end or its first damage, one in memory at a time."""
        with self._path.open("rb") as file:
            reader = _Reader(file)
            try:
                for element in _elements(reader):
                    reader.since_item = 0
                    yield as_post(element)
            except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
                self._damage = f"no sound XML from here on: {error}; what came before is taken"

    def _listing(self, harvest: Harvest, item: Item, image: Mapping[str, Any]) -> None:
        origin = item["link"] or f"{self._source.path} post {item['id']}"
        name = full_id(self._source.name, item["id"])
        if item["status"] not in PUBLISHED or item["password"]:
            why = "it has a password" if item["password"] else f"its status is {item['status'] or 'missing'}"
            harvest.refuse("listings", name, origin, f"not published: {why}", item, "not_published")
            return
        told = _told(item) | dict(image.get("told", {}))
        told |= {str(field): item["meta"].get(key) for field, key in self._source.fields.items()}
        url = _joined(item["link"], image.get("url", ""))
        draft = harvest.listing(self._source.name, item["id"], told, item, origin, image=url)
        if draft is None:
            return
        if url:
            harvest.image_url(draft, url)
        else:
            harvest.refuse_image(draft, "no_image", "the post has no featured, inline or attached image")

    def _guide(self, harvest: Harvest, item: Item) -> None:
        told = {"id": item["id"], "title": plain_text(item["title"])}
        told["text"] = plain_text(item["content"]) or None
        if item["status"] not in PUBLISHED or item["password"]:
            name = full_id(self._source.name, item["id"])
            harvest.refuse("guides", name, item["link"], "not published", item, "not_published")
        else:
            harvest.row("guides", self._source.name, told, item, item["link"])

    def _named(self) -> str:
        return f"source {self._source.name}: {self._source.path}"


def as_post(element: Element) -> Item:
    """What an `<item>` tells. Elements are known by their names alone: namespaces differ between versions."""
    texts: dict[str, str] = {}
    meta: dict[str, str] = {}
    terms: list[tuple[str, str]] = []
    for child in element:
        tag = _name(child)
        if tag == "postmeta":
            told = {_name(each): each.text or "" for each in child}
            meta.setdefault(told.get("meta_key", ""), told.get("meta_value", ""))
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
        "created": _time(texts.get("post_date_gmt", "")),
        "modified": _time(texts.get("post_modified_gmt", "")),
        "tags": sorted({plain_text(name) for domain, name in terms if domain == "post_tag"}),
        "categories": sorted({plain_text(name) for domain, name in terms if domain == "category"}),
        "meta": meta,
    }


def _told(item: Item) -> dict[str, Any]:
    """Fields of a listing that every post may have."""
    return {
        "url": item["link"],
        "title": item["title"],
        "description": item["excerpt"] or item["content"],
        "body": item["content"],
        "site": _host(item["link"]),
    } | {field: item[field] for field in ("tags", "categories", "created", "modified")}


def _elements(reader: "_Reader") -> Iterator[Element]:
    """Items as they are complete; each is dropped from its parent before the next one is read."""
    parents: list[Element] = []
    for event, element in iterparse(reader, events=("start", "end"), forbid_dtd=True):
        if event == "start":
            parents.append(element)
        elif parents.pop() is element and _name(element) == "item" and parents:
            yield element
            parents[-1].remove(element)


class _Reader:
    """A file that is read on as long as items come: memory holds all that belongs to one."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.since_item = 0

    def read(self, size: int) -> bytes:
        content = self._file.read(size)
        self.since_item += len(content)
        if self.since_item > _LARGEST_ITEM:
            raise ValueError(f"an item of more than {_LARGEST_ITEM:,} bytes")
        return content


def _image_of(item: Item, by_id: Mapping[str, Item], by_parent: Mapping[str, Item]) -> Mapping[str, Any]:
    """The media that a post shows first; none if it shows nothing."""
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


def _joined(page: str, url: str) -> str:
    """The address of an image, which may be relative to its page; as it is if it is none."""
    try:
        return urljoin(page, url) if url else ""
    except ValueError:
        return url


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _time(text: str) -> str:
    """UTC in ISO 8601; nothing where WordPress writes zeros, as in drafts."""
    return "" if not text.strip() or text.startswith("0000") else text.strip().replace(" ", "T") + "Z"


def _host(link: str) -> str:
    """The host of an address; nothing if it is none."""
    try:
        return urlsplit(link).netloc
    except ValueError:
        return ""
