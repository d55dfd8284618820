"""The source `wordpress`: posts of any WordPress site as listings, through its REST API (wp/v2)."""

import base64
import json
import os
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from scrapy import Request
from scrapy.exceptions import CloseSpider, IgnoreRequest
from scrapy.http import Response
from twisted.python.failure import Failure

from assets.catalog.crawl import Visit
from assets.catalog.harvest import Harvest
from assets.catalog.rows import full_id
from assets.catalog.spiders import ERRORS_TOO, PictureSpider, answer_of
from assets.catalog.text import plain_text
from assets.parameters.catalog import WordPress
from assets.stage import StageError

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


@dataclass(frozen=True)
class Site:
    """What the spider has to know of a site.

    Attributes:
        url: without `/wp-json`, no slash at its end.
        fields: listing field -> dotted path in a post, for what differs from :data:`POST_FIELDS`.
        tables: REST path -> table, for endpoints that list rows in the form of our own schemas.
    """

    source: str
    url: str
    posts: str = "posts"
    guides: str | None = None
    per_page: int = 50
    fields: Mapping[str, str] = field(default_factory=dict)
    tables: Mapping[str, str] = field(default_factory=dict)


class WordPressSource:
    """Crawls one site."""

    def __init__(self, source: WordPress) -> None:
        self._source = source

    def gather(self, harvest: Harvest) -> Visit:
        """The crawl that brings the site's posts, pictures and guides.

        Raises:
            StageError: the environment lacks the application password.
        """
        source = self._source
        url = str(source.url).rstrip("/").removesuffix("/wp-json")
        fields = {str(name): path for name, path in source.fields.items()}
        site = Site(source.name, url, source.posts, source.guides, source.per_page, fields)
        credentials = (urlsplit(url).netloc, self._authorization())
        arguments = {"site": site, "harvest": harvest, "credentials": credentials}
        return Visit(source.name, source, WordPressSpider, arguments)

    def _authorization(self) -> str | None:
        variable = self._source.application_password_env
        if variable is None:
            return None
        if not os.environ.get(variable):
            raise StageError(
                f"source {self._source.name}: the environment variable {variable} is not set; "
                "it must hold the application password of the site"
            )
        return "Basic " + base64.b64encode(f"{self._source.username}:{os.environ[variable]}".encode()).decode()


class WordPressSpider(PictureSpider):
    """Pages of posts, the posts' pictures, pages of guides and of further tables."""

    name = "wordpress"

    def __init__(self, site: Site, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.site = site
        self._posts_seen: set[str] = set()
        # Pages of rows are kept until the end and then taken in order: which of two rows with one id is refused
        # must not depend on which page came first.
        self._row_pages: dict[tuple[str, int], tuple[str, list[Any]]] = {}

    async def start(self) -> AsyncIterator[Any]:
        """Called by Scrapy."""
        yield self._page(f"wp/v2/{self.site.posts}", "listings", 1)
        if self.site.guides:
            yield self._page(f"wp/v2/{self.site.guides}", "guides", 1)
        for path, table in self.site.tables.items():
            yield self._page(path, table, 1)

    def closed(self, reason: str) -> None:
        """Called by Scrapy at the end."""
        for (table, _), (origin, rows) in sorted(self._row_pages.items()):
            for row in rows:
                self._take_row(table, row, origin)

    def _page(self, path: str, table: str, number: int) -> Request:
        query: dict[str, Any] = {"per_page": self.site.per_page, "page": number, "orderby": "id", "order": "asc"}
        if table == "listings":
            query["_embed"] = "wp:featuredmedia,wp:term"
        return Request(
            f"{self.site.url}/wp-json/{path}?{urlencode(query)}",
            self._page_arrived,
            errback=self._page_failed,
            meta=dict(ERRORS_TOO),
            cb_kwargs={"path": path, "table": table, "number": number},
            priority=10,
            dont_filter=True,
        )

    def _page_arrived(self, response: Response, path: str, table: str, number: int) -> Iterator[Request]:
        if _is_past_the_end(response) and number > 1:
            return
        records = self._records(response)
        if not records and table == "listings" and number == 1:
            self._fail(f"{response.url} has no posts; is `posts: {self.site.posts}` what its listings are called?")
        pages = response.headers.get("X-WP-TotalPages")
        if pages is None and len(records) == self.site.per_page:  # some proxies drop the header
            yield self._page(path, table, number + 1)
        elif number == 1 and pages is not None:
            yield from (self._page(path, table, later) for later in range(2, int(pages) + 1))
        if table != "listings":
            self._row_pages[table, number] = (response.url, records)
            return
        for post in records:
            yield from self._post(post, response.url)

    def _records(self, response: Response) -> list[Any]:
        if response.status != 200:
            self._fail(f"{response.url} answered {answer_of(response)}. {_remedy(response.status)}")
        try:
            records = json.loads(response.body)
        except ValueError:
            records = None
        if not isinstance(records, list):
            kind = (response.headers.get("Content-Type") or b"nothing").decode("latin-1")
            self._fail(f"{response.url} answered {kind}, no JSON list; is this a WordPress site with its REST API on?")
        return list(records)

    def _page_failed(self, failure: Failure) -> Iterator[Request]:
        yield from ()  # a generator, as Scrapy minds CloseSpider while it iterates, but not in a plain errback
        url = failure.request.url  # type: ignore[attr-defined]
        if failure.check(IgnoreRequest):
            self._fail(f"robots.txt forbids {url}; ask the site's owner to allow the user agent Heddle")
        what = str(failure.value) or type(failure.value).__name__
        self._fail(f"{url} cannot be reached ({what}); check `url`, the network, and whether the site is up")

    def _fail(self, message: str) -> None:
        self.failure = self.failure or message
        raise CloseSpider("source_failed")

    def _post(self, post: Any, page: str) -> Iterator[Request]:
        native = str(post.get("id") or "") if isinstance(post, dict) else ""
        if not native:
            self.harvest.refuse("listings", full_id(self.site.source, "?"), page, "a post without an id", post)
            return
        if native in self._posts_seen:  # a new post moved it to the next page while we crawled
            return
        self._posts_seen.add(native)
        origin = str(post.get("link") or page)
        told = told_by(post, self.site)
        image = _media(post).get("source_url")
        record = _without_links(post)
        draft = self.harvest.listing(self.site.source, native, told, record, origin, picture=str(image or ""))
        if draft is None:
            return
        if image:
            yield from self.fetch(draft, str(image))
        elif post.get("featured_media"):
            number = post["featured_media"]
            self.harvest.refuse_picture(draft, "image_missing", f"its picture, media {number}, is not to be had")
        else:
            self.harvest.refuse_picture(draft, "no_image", "the post has no featured picture")

    def _take_row(self, table: str, row: Any, origin: str) -> None:
        if not isinstance(row, dict):
            self.harvest.refuse(table, full_id(self.site.source, "?"), origin, "not a JSON object", row)
            return
        told = row
        if table == "guides":
            title, text = _at(row, "title.rendered"), _at(row, "content.rendered")
            told = {"id": row.get("id"), "title": plain_text(str(title or "")), "text": plain_text(str(text or ""))}
            origin = str(row.get("link") or origin)
        self.harvest.row(table, self.site.source, told, _without_links(row), origin)


def told_by(post: Mapping[str, Any], site: Site) -> dict[str, Any]:
    """Fields of a listing, named as ``parameters.catalog.ListingField``, from a post with what is embedded in it."""
    told = {name: _at(post, path) for name, path in {**POST_FIELDS, **site.fields}.items()}
    told.setdefault("description", _at(post, "excerpt.rendered") or _at(post, "content.rendered"))
    media = _media(post)
    told.setdefault("alt_text", media.get("alt_text"))
    told.setdefault("caption", _at(media, "caption.rendered"))
    for name, taxonomy in (("tags", "post_tag"), ("categories", "category")):
        told.setdefault(name, sorted(_terms(post, taxonomy)))
    for name in ("created", "modified"):
        if isinstance(told[name], str) and told[name] and not told[name].endswith("Z"):
            told[name] += "Z"  # date_gmt is UTC but does not say so
    told["site"] = told.get("site") or urlsplit(site.url).netloc
    return told


def _at(record: Any, path: str) -> Any:
    """The value at a dotted path, or None. WordPress says `[]` for an empty object."""
    for key in path.split("."):
        if not isinstance(record, dict):
            return None
        record = record.get(key)
    return record


def _media(post: Mapping[str, Any]) -> dict[str, Any]:
    media = _at(post, "_embedded.wp:featuredmedia")
    return media[0] if isinstance(media, list) and media and isinstance(media[0], dict) else {}


def _terms(post: Mapping[str, Any], taxonomy: str) -> Iterator[str]:
    for terms in _at(post, "_embedded.wp:term") or []:
        for term in terms if isinstance(terms, list) else []:
            if isinstance(term, dict) and term.get("taxonomy") == taxonomy and term.get("name"):
                yield plain_text(str(term["name"]))


def _without_links(post: Mapping[str, Any]) -> dict[str, Any]:
    """The post without the API's own links, which repeat what is there."""
    return {key: value for key, value in post.items() if key != "_links"}


def _is_past_the_end(response: Response) -> bool:
    return response.status == 400 and b"invalid_page_number" in response.body


def _remedy(status: int) -> str:
    if status in (401, 403):
        return "Set `username` and `application_password_env` to an account that may read the posts."
    if status == 404:
        return "Check `url` and `posts`; does the site show its API at /wp-json/ ?"
    return "Try again later; if it stays, ask the site's owner."
