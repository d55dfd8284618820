"""What a post of WordPress's REST API (wp/v2) tells of a listing: its fields, its terms and its images."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin, urlsplit

from parsel import Selector

from heddle.core.html_text import plain_text

POST_FIELDS: Mapping[str, str] = {
    "url": "link",
    "title": "title.rendered",
    "body": "content.rendered",
    "seo_title": "yoast_head_json.title",
    "seo_description": "yoast_head_json.description",
    "created": "date_gmt",
    "modified": "modified_gmt",
} | {
    name: f"meta.{name}"
    for name in (
        *("product_class", "item", "material", "bin", "price", "objects", "relations"),
        *("locale", "preferences", "licence"),
    )
}
"""Where a post tells each field, unless the parameters say otherwise; labels are custom fields (`meta`)."""

OF_MAIN_IMAGE = ("objects", "relations")
"""Fields that a listing made of a post's further image cannot have: they tell what the main one shows."""
LIBRARY = "media"
TAXONOMIES = {"tags": "post_tag", "categories": "category"}  # REST base and name
NO_IMAGES = {"emoji", "wp-smiley", "avatar"}
"""Classes of images that are no image of the post: characters and people's faces."""
ASKED_FIELDS = (
    "id,name,modified_gmt,source_url,alt_text,caption,media_details.filesize,media_details.width,media_details.height"
)
_SIZE = re.compile(r"(?:-\d+x\d+|-scaled)(?=\.\w+$)")  # a smaller copy of the image without it
_MEDIA_CLASS = re.compile(r"(?:^|\s)wp-image-(\d{1,12})(?:\s|$)")
_SHORTCODE = re.compile(r"\[(/?)([A-Za-z][\w-]*)((?:\s[^\[\]<>]*)?)(/?)\]")
_CUT = re.compile(r"\s*\[(?:&hellip;|&#8230;|…)\](?=\s*(?:</p>)?\s*$)")  # where WordPress made the excerpt


@dataclass(frozen=True)
class Site:
    """What the spider has to know of a site.

    Attributes:
        url: without `/wp-json`, no slash at its end.
        statuses: of the posts that are asked for; others than `publish` need credentials.
        all_images: each further image of a post is a listing of its own.
        fields: listing field -> dotted path in a post, for what differs from :data:`POST_FIELDS`.
        tables: REST path -> table, for endpoints that list rows in the form of our own schemas.
    """

    source: str
    url: str
    posts: str = "posts"
    guides: str | None = None
    per_page: int = 50
    statuses: tuple[str, ...] = ("publish",)
    all_images: bool = False
    fields: Mapping[str, str] = field(default_factory=dict)
    tables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class PostImage:
    """An image that a post shows.

    Attributes:
        media: its number in the site's library, if the post tells it.
        alt_text: HTML, as is the caption.
    """

    url: str
    media: int | None
    alt_text: str | None
    caption: str | None

    @property
    def key(self) -> str:
        """What tells it from the post's other images, the same at each crawl."""
        return str(self.media) if self.media else hashlib.sha256(_original(self.url).encode()).hexdigest()[:12]


@dataclass
class Page:
    """A page of posts, and what the site was asked about them.

    Attributes:
        wanted: REST base -> ids of the images (:data:`LIBRARY`) and terms (:data:`TAXONOMIES`) still to be asked for.
        found: REST base -> id -> what the site told.
    """

    url: str
    records: list[Any]
    wanted: dict[str, list[int]]
    found: dict[str, dict[int, dict[str, Any]]] = field(
        default_factory=lambda: {base: {} for base in (LIBRARY, *TAXONOMIES)}
    )


def told_by(post: Mapping[str, Any], site: Site, image: PostImage | None, page: Page) -> dict[str, Any]:
    """Fields of a listing, named as ``parameters.catalog.ListingField``, from a post with its terms embedded."""
    told = {name: at(post, path) for name, path in {**POST_FIELDS, **site.fields}.items()}
    told.setdefault("description", without_shortcodes(_excerpt(post) or at(post, "content.rendered")))
    told.setdefault("alt_text", image.alt_text if image else None)
    told.setdefault("caption", image.caption if image else None)
    for base in TAXONOMIES:
        told.setdefault(base, sorted(_terms(post, base, page.found[base])))
    for name in ("created", "modified"):
        if isinstance(told[name], str) and told[name] and not told[name].endswith("Z"):
            told[name] += "Z"  # date_gmt is UTC but does not say so
    told["site"] = told.get("site") or urlsplit(site.url).netloc
    return told


def guide_told_by(post: Mapping[str, Any]) -> dict[str, Any]:
    """A row of `guides`."""
    title, text = (str(at(post, path) or "") for path in ("title.rendered", "content.rendered"))
    return {"id": post.get("id"), "title": plain_text(title), "text": plain_text(str(without_shortcodes(text)))}


def is_protected(post: Mapping[str, Any]) -> bool:
    """Does one need a password to read it? The API then leaves its content empty, whoever asks."""
    return at(post, "content.protected") is True


def images_of(post: Mapping[str, Any], library: Mapping[int, Mapping[str, Any]]) -> list[PostImage]:
    """The featured image first, if there is one, then those in the content as they follow; none of them twice."""
    main = featured(post)
    shown = [_of_library(main, None)] if main.get("source_url") else []
    shown += [
        _of_library(library[each.media], each) if each.media and each.media in library else each
        for each in in_content(post)
    ]
    distinct: dict[str, PostImage] = {}
    for each in shown:
        distinct.setdefault(_original(each.url), each)
    return list(distinct.values())


def in_content(post: Mapping[str, Any]) -> Iterator[PostImage]:
    """The images in the content: of blocks, galleries, captions and plain HTML."""
    content = at(post, "content.rendered")
    if not isinstance(content, str) or "<img" not in content:
        return
    for image in Selector(text=content).css("img"):
        classes = image.attrib.get("class", "")
        address = _absolute(str(post.get("link") or ""), _largest(image))
        if address and not NO_IMAGES & set(classes.split()):
            number = _MEDIA_CLASS.search(classes)
            identity = number[1] if number else image.attrib.get("data-id", "")
            media = int(identity) if re.fullmatch(r"[0-9]{1,12}", identity) else None
            yield PostImage(address, media, image.attrib.get("alt") or None, _caption(image))


def stamp(media: Mapping[str, Any] | None) -> str | None:
    """What changes with an image's file, as far as the site can tell; None where it does not."""
    if not media or not media.get("modified_gmt"):
        return None
    details = media.get("media_details")
    details = details if isinstance(details, dict) else {}
    told = (*(media.get(name) for name in ("id", "modified_gmt", "source_url")), *sorted(map(str, details.items())))
    return hashlib.sha256(repr(told).encode()).hexdigest()


def without_shortcodes(markup: Any) -> Any:
    """The markup without shortcodes that the site did not render, for lack of their plugin; what they enclose stays.

    A lone `[word]` stays: people write so.
    """
    if not isinstance(markup, str):
        return markup
    closed = {name for slash, name, _, _ in _SHORTCODE.findall(markup) if slash}

    def kept(found: re.Match[str]) -> str:
        slash, name, attributes, end = found.groups()
        code = slash or end or "=" in attributes or attributes.endswith("/") or name in closed or set("_-") & set(name)
        return " " if code else found[0]

    return _SHORTCODE.sub(kept, markup)


def at(record: Any, path: str) -> Any:
    """The value at a dotted path, or None. WordPress says `[]` for an empty object."""
    for key in path.split("."):
        if not isinstance(record, dict):
            return None
        record = record.get(key)
    return record


def featured(post: Mapping[str, Any]) -> dict[str, Any]:
    """The post's featured image as embedded, or nothing."""
    media = at(post, "_embedded.wp:featuredmedia")
    return media[0] if isinstance(media, list) and media and isinstance(media[0], dict) else {}


def without_links(post: Mapping[str, Any]) -> dict[str, Any]:
    """The post without the API's own links, which repeat what is there."""
    return {key: value for key, value in post.items() if key != "_links"}


def _excerpt(post: Mapping[str, Any]) -> Any:
    excerpt = at(post, "excerpt.rendered")
    return _CUT.sub("…", excerpt) if isinstance(excerpt, str) else excerpt


def _of_library(media: Mapping[str, Any], shown: PostImage | None) -> PostImage:
    """The original image; what the post says of it goes before what the library says."""
    number = media.get("id")
    return PostImage(
        str(media.get("source_url") or (shown.url if shown else "")),
        number if isinstance(number, int) else None,
        (shown and shown.alt_text) or media.get("alt_text"),
        (shown and shown.caption) or at(media, "caption.rendered"),
    )


def _absolute(page: str, address: str) -> str | None:
    """The address as seen from the page; None if it is none that can be fetched."""
    try:
        joined = urljoin(page, address)
        parts = urlsplit(joined)
        return joined if parts.scheme in ("http", "https") and parts.hostname and joined != page else None
    except ValueError:
        return None


def _largest(image: Selector) -> str:
    """The address of the largest copy that the page offers."""
    sizes = [part.split() for part in image.attrib.get("srcset", "").split(", ")]
    wide = [(int(size[1][:-1]), size[0]) for size in sizes if len(size) == 2 and re.fullmatch(r"\d{1,6}w", size[1])]
    plain = image.attrib.get("data-src") or image.attrib.get("data-lazy-src") or image.attrib.get("src", "")
    return max(wide)[1] if wide else plain.strip()


def _caption(image: Selector) -> str | None:
    around = "ancestor::*[self::figure or self::dl or contains(@class, 'wp-caption')][1]"
    words = image.xpath(f"{around}//*[self::figcaption or contains(@class, 'wp-caption-text')]")
    return words[0].get() if words else None


def _original(url: str) -> str:
    return _SIZE.sub("", url)


def terms_not_embedded(post: Mapping[str, Any], base: str) -> set[int]:
    """Ids of the terms that the post bears and does not tell: WordPress embeds the first ten."""
    borne = post.get(base)
    ids = {each for each in borne if isinstance(each, int)} if isinstance(borne, list) else set()
    return ids - {term["id"] for term in _embedded_terms(post, base) if isinstance(term.get("id"), int)}


def _terms(post: Mapping[str, Any], base: str, found: Mapping[int, Mapping[str, Any]]) -> Iterator[str]:
    asked = (found[each] for each in terms_not_embedded(post, base) if each in found)
    for term in (*_embedded_terms(post, base), *asked):
        if term.get("name"):
            yield plain_text(str(term["name"]))


def _embedded_terms(post: Mapping[str, Any], base: str) -> Iterator[Mapping[str, Any]]:
    embedded = at(post, "_embedded.wp:term")
    for terms in embedded if isinstance(embedded, list) else []:
        for term in terms if isinstance(terms, list) else []:
            if isinstance(term, dict) and term.get("taxonomy") == TAXONOMIES[base]:
                yield term
