"""The source `wordpress`: posts of any WordPress site as listings, through its REST API (wp/v2)."""

import base64
import json
import os
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import urlencode, urlsplit

from scrapy import Request
from scrapy.exceptions import CloseSpider
from scrapy.http import Response
from twisted.python.failure import Failure

from assets.catalog.addresses import AddressRefusedError
from assets.catalog.collector import Harvest
from assets.catalog.crawl_job import Visit
from assets.catalog.drafts import Draft
from assets.catalog.http_cache import is_confirmable
from assets.catalog.page_politeness import HostBudgetError, RobotsForbiddenError
from assets.catalog.politeness import ANSWER, forbidden_use
from assets.catalog.rows import full_id
from assets.catalog.spiders import ERRORS_TOO, PageSpider, answer_of
from assets.catalog.wordpress_post import (
    ASKED_FIELDS,
    LIBRARY,
    OF_MAIN_IMAGE,
    TAXONOMIES,
    Page,
    PostImage,
    Site,
    featured,
    guide_told_by,
    images_of,
    in_content,
    is_protected,
    stamp,
    terms_not_embedded,
    told_by,
    without_links,
)
from heddle.core.stage import StageError
from heddle.sources.parameters import WordPress
from heddle.sources.written_back import is_written_back

MOST_AT_ONCE = 100  # that the API tells of in one answer


class WordPressSource:
    """Crawls one site."""

    def __init__(self, source: WordPress) -> None:
        self._source = source

    def gather(self, harvest: Harvest) -> Visit:
        """The crawl that brings the site's posts, images and guides.

        Raises:
            StageError: the environment lacks the application password.
        """
        source = self._source
        url = str(source.url).rstrip("/").removesuffix("/wp-json")
        fields = {str(name): path for name, path in source.fields.items()}
        site = Site(
            source.name,
            url,
            source.posts,
            source.guides,
            source.per_page,
            statuses=tuple(source.statuses),
            all_images=source.images == "all",
            fields=fields,
        )
        parts = urlsplit(url)
        credentials = (f"{parts.scheme}://{parts.netloc}", self._authorization())
        return Visit(source.name, source, WordPressSpider, {"site": site, "harvest": harvest}, credentials)

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


class WordPressSpider(PageSpider):
    """Pages of posts, of guides and of further tables."""

    name = "wordpress"

    def __init__(self, site: Site, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.site = site
        self._posts_seen: set[str] = set()
        self._posts_told = 0  # how many there are, as the site said first
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
            if self.site.statuses != ("publish",):
                query["status"] = ",".join(self.site.statuses)
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
        tag = forbidden_use(response.headers.getlist("X-Robots-Tag"), ANSWER)
        if tag:
            self._refuse_page(table, records, response.url, f"{response.url} says `X-Robots-Tag: {tag}`")
        elif table != "listings":
            self._row_pages[table, number] = (response.url, records)
        else:
            if self._has_lost_a_post(response):  # those behind it moved up a place: begin again, none is taken twice
                yield self._page(path, table, 1)
            yield from self._posts_arrived(Page(response.url, records, self._to_ask(response, records)))

    def _refuse_page(self, table: str, records: list[Any], page: str, detail: str, reason: str = "robots_tag") -> None:
        for record in records:
            native = str(record.get("id") or "?") if isinstance(record, dict) else "?"
            self.harvest.refuse(table, full_id(self.site.source, native), page, detail, record, reason)

    def _has_lost_a_post(self, response: Response) -> bool:
        """Were there more posts at an earlier answer?"""
        told = response.headers.get("X-WP-Total") or b""
        total = int(told) if told.isdigit() else self._posts_told
        fewer = total < self._posts_told
        self._posts_told = total if fewer or not self._posts_told else self._posts_told
        return fewer

    def _to_ask(self, response: Response, records: list[Any]) -> dict[str, list[int]]:
        """What the site is asked about a page of posts before they are taken.

        Terms that it did not embed. Images in the content, for their original files. And all images where the
        site's answers cannot be confirmed: then it is the library that tells whether a kept image is still right.
        """
        posts = [each for each in records if isinstance(each, dict)]
        shown = [post for post in posts if self.site.all_images or not featured(post)]
        images: list[Any] = [each.media for post in shown for each in in_content(post)]
        if not is_confirmable(response):
            images += [featured(post).get("id") for post in posts]
        wanted = {base: {id_ for post in posts for id_ in terms_not_embedded(post, base)} for base in TAXONOMIES}
        wanted[LIBRARY] = {each for each in images if isinstance(each, int)}
        return {base: sorted(ids) for base, ids in wanted.items() if ids}

    def _posts_arrived(self, page: Page) -> Iterator[Request]:
        if not page.wanted:
            for post in page.records:
                self._post(post, page)
            return
        base, ids = page.wanted.popitem()
        if ids[MOST_AT_ONCE:]:
            page.wanted[base] = ids[MOST_AT_ONCE:]
        asked = ",".join(map(str, ids[:MOST_AT_ONCE]))
        query = {"include": asked, "per_page": MOST_AT_ONCE, "_fields": ASKED_FIELDS}
        yield Request(
            f"{self.site.url}/wp-json/wp/v2/{base}?{urlencode(query)}",
            self._answer_arrived,
            errback=self._page_failed,
            meta=dict(ERRORS_TOO),
            cb_kwargs={"base": base, "page": page},
            priority=20,
            dont_filter=True,
        )

    def _answer_arrived(self, response: Response, base: str, page: Page) -> Iterator[Request]:
        """A library that is closed to us is no harm: images are then taken as the posts show them, and each time."""
        if base != LIBRARY or response.status == 200 or response.status >= 500:
            told = [each for each in self._records(response) if isinstance(each, dict)]
            page.found[base] |= {each["id"]: each for each in told if isinstance(each.get("id"), int)}
        yield from self._posts_arrived(page)

    def _records(self, response: Response) -> list[Any]:
        if response.status != 200:
            self._fail(f"{response.url} answered {answer_of(response)}. {_remedy(response)}")
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
        request = failure.request  # type: ignore[attr-defined]
        url = request.url
        if failure.check(HostBudgetError):
            page = request.cb_kwargs.get("page")  # of posts that wait for what was asked about them
            records = page.records if page else [{"page": url}]
            table = request.cb_kwargs.get("table", "listings")
            self._refuse_page(table, records, url, str(failure.value), "host_budget")
            return
        if failure.check(RobotsForbiddenError):
            self._fail(str(failure.value))
        if failure.check(AddressRefusedError):
            self._fail(f"{failure.value}; set `private_addresses: true` if this site stands in your own network")
        what = str(failure.value) or type(failure.value).__name__
        self._fail(f"{url} cannot be reached ({what}); check `url`, the network, and whether the site is up")

    def _fail(self, message: str) -> None:
        self.failure = self.failure or message
        raise CloseSpider("source_failed")

    def _post(self, post: Any, page: Page) -> None:
        native = str(post.get("id") or "") if isinstance(post, dict) else ""
        if not native:
            self.harvest.refuse("listings", full_id(self.site.source, "?"), page.url, "a post without an id", post)
            return
        if native in self._posts_seen:  # a new post moved it to the next page while we crawled
            return
        self._posts_seen.add(native)
        if is_written_back(post):
            return
        origin, record = str(post.get("link") or page.url), without_links(post)
        if is_protected(post):
            name = full_id(self.site.source, native)
            detail = "one needs a password to read it"
            self.harvest.refuse("listings", name, origin, detail, record, reason="password_protected")
            return
        images = images_of(post, page.found[LIBRARY])
        without_featured = not featured(post).get("source_url")
        main = None if not images or (post.get("featured_media") and without_featured) else images[0]
        told = told_by(post, self.site, main, page)
        address = main.url if main else ""
        draft = self.harvest.listing(self.site.source, native, told, record, origin, image=address)
        if draft is None:
            return
        if main:
            self._image(draft, main, page)
        elif post.get("featured_media"):
            number = post["featured_media"]
            self.harvest.refuse_image(draft, "image_missing", f"its image, media {number}, is not to be had")
        else:
            self.harvest.refuse_image(draft, "no_image", "the post has no featured image")
        for shown in [each for each in images if each is not main] if self.site.all_images else ():
            fields = told_by(post, self.site, shown, page) | dict.fromkeys(OF_MAIN_IMAGE)
            name = f"{native}-{shown.key}"
            further = self.harvest.listing(self.site.source, name, fields, record, origin, image=shown.url)
            if further:
                self._image(further, shown, page)

    def _image(self, draft: Draft, shown: PostImage, page: Page) -> None:
        media = page.found[LIBRARY].get(shown.media) if shown.media else None
        self.harvest.image_url(draft, shown.url, stamp(media))

    def _take_row(self, table: str, row: Any, origin: str) -> None:
        if not isinstance(row, dict):
            self.harvest.refuse(table, full_id(self.site.source, "?"), origin, "not a JSON object", row)
            return
        told = row
        if table == "guides":
            told, origin = guide_told_by(row), str(row.get("link") or origin)
        self.harvest.row(table, self.site.source, told, without_links(row), origin)


def _is_past_the_end(response: Response) -> bool:
    return response.status == 400 and b"invalid_page_number" in response.body


def _remedy(response: Response) -> str:
    if response.status in (401, 403) or b"rest_forbidden_status" in response.body:
        return "Set `username` and `application_password_env` to an account that may read the posts."
    if response.status == 404:
        return "Check `url` and `posts`; does the site show its API at /wp-json/ ?"
    return "Try again later; if it stays, ask the site's owner."
