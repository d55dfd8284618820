"""Read a listing's fields, terms and images from a post of WordPress's REST API (wp/v2)."""

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
"""Path of each field in a post, unless the parameters set another one; labels are custom fields (`meta`)."""

MAIN_IMAGE_FIELDS = ("objects", "relations")
"""Fields that describe the main image; listings of further images do not have them."""
LIBRARY = "media"
TAXONOMIES = {"tags": "post_tag", "categories": "category"}  # REST base and name
IGNORED_CLASSES = {"emoji", "wp-smiley", "avatar"}
"""HTML classes of images that are not part of the post: emojis and people's avatars."""
REQUESTED_FIELDS = (
    "id,name,modified_gmt,source_url,alt_text,caption,media_details.filesize,media_details.width,media_details.height"
)
_SIZE = re.compile(r"(?:-\d+x\d+|-scaled)(?=\.\w+$)")  # suffix of a smaller copy of an image
_MEDIA_CLASS = re.compile(r"(?:^|\s)wp-image-(\d{1,12})(?:\s|$)")
_SHORTCODE = re.compile(r"\[(/?)([A-Za-z][\w-]*)((?:\s[^\[\]<>]*)?)(/?)\]")
_ELLIPSIS = re.compile(  # WordPress adds it to generated excerpts; the runs of spaces are matched from one start only
    r"(?:(?<!\s)\s+)?\[(?:&hellip;|&#8230;|…)\](?=\s*+(?:</p>)?+\s*+$)"
)


@dataclass(frozen=True)
class WordPressSite:
    """Settings of the spider for one site.

    Attributes:
        url: without `/wp-json` and without a final slash.
        statuses: statuses of the requested posts; statuses other than `publish` need credentials.
        all_images: whether each further image of a post becomes a listing of its own.
        fields: listing field -> dotted path in a post; overrides :data:`POST_FIELDS`.
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
    """An image in a post.

    Attributes:
        media: its id in the media library, if the post contains it.
        alt_text: HTML, like the caption.
    """

    url: str
    media: int | None
    alt_text: str | None
    caption: str | None

    @property
    def key(self) -> str:
        """Identifier of the image within its post, the same in each crawl."""
        return str(self.media) if self.media else hashlib.sha256(_strip_size(self.url).encode()).hexdigest()[:12]


@dataclass
class PostPage:
    """A page of posts, with requested details.

    Attributes:
        missing: REST base -> ids of images (:data:`LIBRARY`) and terms (:data:`TAXONOMIES`) to request.
        found: REST base -> id -> record of the image or term.
    """

    url: str
    records: list[Any]
    missing: dict[str, list[int]]
    found: dict[str, dict[int, dict[str, Any]]] = field(
        default_factory=lambda: {base: {} for base in (LIBRARY, *TAXONOMIES)}
    )


def read_post(post: Mapping[str, Any], site: WordPressSite, image: PostImage | None, page: PostPage) -> dict[str, Any]:
    """Read the fields of a listing, named as in :data:`heddle.sources.parameters.ListingField`, from a post."""
    fields = {name: get_path(post, path) for name, path in {**POST_FIELDS, **site.fields}.items()}
    fields.setdefault("description", strip_shortcodes(_get_excerpt(post) or get_path(post, "content.rendered")))
    fields.setdefault("alt_text", image.alt_text if image else None)
    fields.setdefault("caption", image.caption if image else None)
    for base in TAXONOMIES:
        fields.setdefault(base, sorted(_iterate_terms(post, base, page.found[base])))
    for name in ("created", "modified"):
        if isinstance(fields[name], str) and fields[name] and not fields[name].endswith("Z"):
            fields[name] += "Z"  # date_gmt is UTC without a suffix
    fields["site"] = fields.get("site") or urlsplit(site.url).netloc
    return fields


def read_guide(post: Mapping[str, Any]) -> dict[str, Any]:
    """Read a row of `guides` from a post."""
    title, text = (str(get_path(post, path) or "") for path in ("title.rendered", "content.rendered"))
    return {"id": post.get("id"), "title": plain_text(title), "text": plain_text(str(strip_shortcodes(text)))}


def is_protected(post: Mapping[str, Any]) -> bool:
    """Return whether the post is protected by a password. The API then returns no content to anyone."""
    return get_path(post, "content.protected") is True


def find_images(post: Mapping[str, Any], library: Mapping[int, Mapping[str, Any]]) -> list[PostImage]:
    """Return the featured image, if any, and the images in the content in their order, without duplicates."""
    main = get_featured_media(post)
    shown = [_merge_media(main, None)] if main.get("source_url") else []
    shown += [
        _merge_media(library[each.media], each) if each.media and each.media in library else each
        for each in find_content_images(post)
    ]
    distinct: dict[str, PostImage] = {}
    for each in shown:
        distinct.setdefault(_strip_size(each.url), each)
    return list(distinct.values())


def find_content_images(post: Mapping[str, Any]) -> Iterator[PostImage]:
    """Iterate over the images in the content: blocks, galleries, captions and plain HTML."""
    content = get_path(post, "content.rendered")
    if not isinstance(content, str) or "<img" not in content:
        return
    for image in Selector(text=content).css("img"):
        classes = image.attrib.get("class", "")
        url = _resolve_url(str(post.get("link") or ""), _find_largest(image))
        if url and not IGNORED_CLASSES & set(classes.split()):
            number = _MEDIA_CLASS.search(classes)
            identity = number[1] if number else image.attrib.get("data-id", "")
            media = int(identity) if re.fullmatch(r"[0-9]{1,12}", identity) else None
            yield PostImage(url, media, image.attrib.get("alt") or None, _find_caption(image))


def compute_stamp(media: Mapping[str, Any] | None) -> str | None:
    """Compute a text that changes with the image file; None if the library does not have its modification time."""
    if not media or not media.get("modified_gmt"):
        return None
    details = media.get("media_details")
    details = details if isinstance(details, dict) else {}
    values = (*(media.get(name) for name in ("id", "modified_gmt", "source_url")), *sorted(map(str, details.items())))
    return hashlib.sha256(repr(values).encode()).hexdigest()


def strip_shortcodes(markup: Any) -> Any:
    """Remove shortcodes that the site did not render because their plugin is missing; enclosed text stays.

    A single `[word]` stays, because it is probably text.
    """
    if not isinstance(markup, str):
        return markup
    closed = {name for slash, name, _, _ in _SHORTCODE.findall(markup) if slash}

    def replace(found: re.Match[str]) -> str:
        slash, name, attributes, end = found.groups()
        code = slash or end or "=" in attributes or attributes.endswith("/") or name in closed or set("_-") & set(name)
        return " " if code else found[0]

    return _SHORTCODE.sub(replace, markup)


def get_path(record: Any, path: str) -> Any:
    """Return the value at a dotted path, or None. WordPress writes `[]` for an empty object."""
    for key in path.split("."):
        if not isinstance(record, dict):
            return None
        record = record.get(key)
    return record


def get_featured_media(post: Mapping[str, Any]) -> dict[str, Any]:
    """Return the embedded media record of the featured image; empty if there is none."""
    media = get_path(post, "_embedded.wp:featuredmedia")
    return media[0] if isinstance(media, list) and media and isinstance(media[0], dict) else {}


def drop_links(post: Mapping[str, Any]) -> dict[str, Any]:
    """Return the post without the API's links, which are redundant."""
    return {key: value for key, value in post.items() if key != "_links"}


def _get_excerpt(post: Mapping[str, Any]) -> Any:
    excerpt = get_path(post, "excerpt.rendered")
    return _ELLIPSIS.sub("…", excerpt) if isinstance(excerpt, str) else excerpt


def _merge_media(media: Mapping[str, Any], shown: PostImage | None) -> PostImage:
    """Build an image from a media record; texts of the post take precedence over those of the library."""
    number = media.get("id")
    return PostImage(
        str(media.get("source_url") or (shown.url if shown else "")),
        number if isinstance(number, int) else None,
        (shown and shown.alt_text) or media.get("alt_text"),
        (shown and shown.caption) or get_path(media, "caption.rendered"),
    )


def _resolve_url(page: str, url: str) -> str | None:
    """Return the absolute URL; None if it is no http or https URL or the page itself."""
    try:
        joined = urljoin(page, url)
        parts = urlsplit(joined)
        return joined if parts.scheme in ("http", "https") and parts.hostname and joined != page else None
    except ValueError:
        return None


def _find_largest(image: Selector) -> str:
    """Return the URL of the largest copy in the markup."""
    sizes = [part.split() for part in image.attrib.get("srcset", "").split(", ")]
    wide = [(int(size[1][:-1]), size[0]) for size in sizes if len(size) == 2 and re.fullmatch(r"\d{1,6}w", size[1])]
    plain = image.attrib.get("data-src") or image.attrib.get("data-lazy-src") or image.attrib.get("src", "")
    return max(wide)[1] if wide else plain.strip()


def _find_caption(image: Selector) -> str | None:
    around = "ancestor::*[self::figure or self::dl or contains(@class, 'wp-caption')][1]"
    words = image.xpath(f"{around}//*[self::figcaption or contains(@class, 'wp-caption-text')]")
    return words[0].get() if words else None


def _strip_size(url: str) -> str:
    return _SIZE.sub("", url)


def find_missing_terms(post: Mapping[str, Any], base: str) -> set[int]:
    """Return the ids of the post's terms that are not embedded; WordPress embeds only the first ten."""
    terms = post.get(base)
    ids = {each for each in terms if isinstance(each, int)} if isinstance(terms, list) else set()
    return ids - {term["id"] for term in _embedded_terms(post, base) if isinstance(term.get("id"), int)}


def _iterate_terms(post: Mapping[str, Any], base: str, found: Mapping[int, Mapping[str, Any]]) -> Iterator[str]:
    requested = (found[each] for each in find_missing_terms(post, base) if each in found)
    for term in (*_embedded_terms(post, base), *requested):
        if term.get("name"):
            yield plain_text(str(term["name"]))


def _embedded_terms(post: Mapping[str, Any], base: str) -> Iterator[Mapping[str, Any]]:
    embedded = get_path(post, "_embedded.wp:term")
    for terms in embedded if isinstance(embedded, list) else []:
        for term in terms if isinstance(terms, list) else []:
            if isinstance(term, dict) and term.get("taxonomy") == TAXONOMIES[base]:
                yield term
