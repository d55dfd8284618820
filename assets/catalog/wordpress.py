"""The source `wordpress`: posts of any WordPress site as listings, from its REST API (wp/v2)."""

import base64
import os
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import urlencode, urlsplit

from scrapy import Request
from scrapy.exceptions import CloseSpider
from scrapy.http import Response
from twisted.python.failure import Failure

from assets.catalog.addresses import BlockedAddressError
from assets.catalog.collector import Collector
from assets.catalog.crawl_job import CrawlJob, format_status
from assets.catalog.http_cache import can_revalidate
from assets.catalog.listing_drafts import Draft
from assets.catalog.nested_json import parse_json
from assets.catalog.page_politeness import HostBudgetError, RobotsForbiddenError
from assets.catalog.politeness import API_DIRECTIVES, find_forbidden_use
from assets.catalog.rows import qualify_id
from assets.catalog.spiders import PASS_ERRORS, PageSpider
from assets.catalog.wordpress_post import (
    LIBRARY,
    MAIN_IMAGE_FIELDS,
    REQUESTED_FIELDS,
    TAXONOMIES,
    PostImage,
    PostPage,
    WordPressSite,
    compute_stamp,
    drop_links,
    find_content_images,
    find_images,
    find_missing_terms,
    get_featured_media,
    is_protected,
    read_guide,
    read_post,
)
from heddle.core.stage import StageError
from heddle.sources.parameters import WordPress
from heddle.sources.written_back import is_written_back

MAX_PER_PAGE = 100  # limit of the API


class WordPressSource:
    """Crawls one site."""

    def __init__(self, source: WordPress) -> None:
        self._source = source

    def gather(self, collector: Collector) -> CrawlJob:
        """Return the crawl of the site's posts, images and guides.

        Raises:
            StageError: the environment variable with the application password is not set.
        """
        source = self._source
        url = str(source.url).rstrip("/").removesuffix("/wp-json")
        fields = {str(name): path for name, path in source.fields.items()}
        site = WordPressSite(
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
        credentials = (f"{parts.scheme}://{parts.netloc}", self._build_authorization())
        return CrawlJob(source.name, source, WordPressSpider, {"site": site, "collector": collector}, credentials)

    def _build_authorization(self) -> str | None:
        variable = self._source.application_password_env
        if variable is None:
            return None
        if not os.environ.get(variable):
            raise StageError(
                f"source {self._source.name}: the environment variable {variable} is not set; "
                "set it to the application password of the site"
            )
        return "Basic " + base64.b64encode(f"{self._source.username}:{os.environ[variable]}".encode()).decode()


class WordPressSpider(PageSpider):
    """Crawls pages of posts, guides and further tables."""

    name = "wordpress"

    def __init__(self, site: WordPressSite, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.site = site
        self._post_ids: set[str] = set()
        self._total_posts = 0  # from the first response
        # Pages of rows are added in order at the end: which of two rows with the same id is rejected must not depend
        # on the order of responses.
        self._row_pages: dict[tuple[str, int], tuple[str, list[Any]]] = {}

    async def start(self) -> AsyncIterator[Any]:
        """Called by Scrapy."""
        yield self._request_page(f"wp/v2/{self.site.posts}", "listings", 1)
        if self.site.guides:
            yield self._request_page(f"wp/v2/{self.site.guides}", "guides", 1)
        for path, table in self.site.tables.items():
            yield self._request_page(path, table, 1)

    def closed(self, reason: str) -> None:
        """Called by Scrapy at the end."""
        for (table, _), (origin, rows) in sorted(self._row_pages.items()):
            for row in rows:
                self._add_row(table, row, origin)

    def _request_page(self, path: str, table: str, number: int) -> Request:
        query: dict[str, Any] = {"per_page": self.site.per_page, "page": number, "orderby": "id", "order": "asc"}
        if table == "listings":
            query["_embed"] = "wp:featuredmedia,wp:term"
            if self.site.statuses != ("publish",):
                query["status"] = ",".join(self.site.statuses)
        return Request(
            f"{self.site.url}/wp-json/{path}?{urlencode(query)}",
            self._parse_page,
            errback=self._handle_error,
            meta=dict(PASS_ERRORS),
            cb_kwargs={"path": path, "table": table, "number": number},
            priority=10,
            dont_filter=True,
        )

    def _parse_page(self, response: Response, path: str, table: str, number: int) -> Iterator[Request]:
        if _is_past_the_end(response) and number > 1:
            return
        records = self._parse_records(response)
        if not records and table == "listings" and number == 1:
            self._fail(f"{response.url} has no posts; check `posts: {self.site.posts}`")
        pages = response.headers.get("X-WP-TotalPages")
        if pages is None and len(records) == self.site.per_page:  # some proxies remove the header
            yield self._request_page(path, table, number + 1)
        elif number == 1 and pages is not None:
            yield from (self._request_page(path, table, later) for later in range(2, int(pages) + 1))
        tag = find_forbidden_use(response.headers.getlist("X-Robots-Tag"), API_DIRECTIVES)
        if tag:
            self._reject_page(table, records, response.url, f"{response.url} sent `X-Robots-Tag: {tag}`")
        elif table != "listings":
            self._row_pages[table, number] = (response.url, records)
        else:
            if self._has_lost_a_post(response):  # later posts moved to earlier pages: restart, ids prevent duplicates
                yield self._request_page(path, table, 1)
            yield from self._request_details(
                PostPage(response.url, records, self._find_missing_details(response, records))
            )

    def _reject_page(self, table: str, records: list[Any], page: str, detail: str, reason: str = "robots_tag") -> None:
        for record in records:
            native_id = str(record.get("id") or "?") if isinstance(record, dict) else "?"
            self.collector.reject(table, qualify_id(self.site.source, native_id), page, detail, record, reason)

    def _has_lost_a_post(self, response: Response) -> bool:
        """Return whether an earlier response reported more posts."""
        header = response.headers.get("X-WP-Total") or b""
        total = int(header) if header.isdigit() else self._total_posts
        fewer = total < self._total_posts
        if fewer or not self._total_posts:
            self._total_posts = total
        return fewer

    def _find_missing_details(self, response: Response, records: list[Any]) -> dict[str, list[int]]:
        """Return the ids of terms and media to request before the posts of a page are added.

        These are terms that the page does not embed, and images in the content, for their original files. If the
        site's responses cannot be revalidated, they are all images, because the media library then revalidates them.
        """
        posts = [each for each in records if isinstance(each, dict)]
        shown = [post for post in posts if self.site.all_images or not get_featured_media(post)]
        images: list[Any] = [each.media for post in shown for each in find_content_images(post)]
        if not can_revalidate(response):
            images += [get_featured_media(post).get("id") for post in posts]
        missing = {base: {id_ for post in posts for id_ in find_missing_terms(post, base)} for base in TAXONOMIES}
        missing[LIBRARY] = {each for each in images if isinstance(each, int)}
        return {base: sorted(ids) for base, ids in missing.items() if ids}

    def _request_details(self, page: PostPage) -> Iterator[Request]:
        if not page.missing:
            for post in page.records:
                self._add_post(post, page)
            return
        base, ids = page.missing.popitem()
        if ids[MAX_PER_PAGE:]:
            page.missing[base] = ids[MAX_PER_PAGE:]
        query = {
            "include": ",".join(map(str, ids[:MAX_PER_PAGE])),
            "per_page": MAX_PER_PAGE,
            "_fields": REQUESTED_FIELDS,
        }
        yield Request(
            f"{self.site.url}/wp-json/wp/v2/{base}?{urlencode(query)}",
            self._parse_details,
            errback=self._handle_error,
            meta=dict(PASS_ERRORS),
            cb_kwargs={"base": base, "page": page},
            priority=20,
            dont_filter=True,
        )

    def _parse_details(self, response: Response, base: str, page: PostPage) -> Iterator[Request]:
        """Add terms or media. Without access to the library, the URLs in the posts are used, without stamps."""
        if base != LIBRARY or response.status == 200 or response.status >= 500:
            records = [each for each in self._parse_records(response) if isinstance(each, dict)]
            page.found[base] |= {each["id"]: each for each in records if isinstance(each.get("id"), int)}
        yield from self._request_details(page)

    def _parse_records(self, response: Response) -> list[Any]:
        if response.status != 200:
            self._fail(f"{response.url} returned {format_status(response.status)}. {_remedy(response)}")
        try:
            records = parse_json(response.body)
        except ValueError:
            records = None
        if not isinstance(records, list):
            kind = (response.headers.get("Content-Type") or b"nothing").decode("latin-1")
            self._fail(
                f"{response.url} returned {kind}, not a JSON list; the site must be WordPress with its REST API enabled"
            )
        return list(records)

    def _handle_error(self, failure: Failure) -> Iterator[Request]:
        yield from ()  # Scrapy handles CloseSpider in a generator, but not in a plain errback
        request = failure.request  # type: ignore[attr-defined]
        url = request.url
        if failure.check(HostBudgetError):
            page = request.cb_kwargs.get("page")  # the posts that wait for these details
            records = page.records if page else [{"page": url}]
            table = request.cb_kwargs.get("table", "listings")
            self._reject_page(table, records, url, str(failure.value), "host_budget")
            return
        if failure.check(RobotsForbiddenError):
            self._fail(str(failure.value))
        if failure.check(BlockedAddressError):
            self._fail(f"{failure.value}; set `private_addresses: true` if it is in your own network")
        error = str(failure.value) or type(failure.value).__name__
        self._fail(f"{url} cannot be reached ({error}); check `url`, the network, and whether the site is up")

    def _fail(self, message: str) -> None:
        self.failure = self.failure or message
        raise CloseSpider("source_failed")

    def _add_post(self, post: Any, page: PostPage) -> None:
        native_id = str(post.get("id") or "") if isinstance(post, dict) else ""
        if not native_id:
            self.collector.reject("listings", qualify_id(self.site.source, "?"), page.url, "a post without an id", post)
            return
        if native_id in self._post_ids:  # a new post moved it to the next page during the crawl
            return
        self._post_ids.add(native_id)
        if is_written_back(post):
            return
        origin, record = str(post.get("link") or page.url), drop_links(post)
        if is_protected(post):
            name = qualify_id(self.site.source, native_id)
            detail = "the post is protected by a password"
            self.collector.reject("listings", name, origin, detail, record, reason="password_protected")
            return
        images = find_images(post, page.found[LIBRARY])
        without_featured = not get_featured_media(post).get("source_url")
        main = None if not images or (post.get("featured_media") and without_featured) else images[0]
        fields = read_post(post, self.site, main, page)
        address = main.url if main else ""
        draft = self.collector.add_listing(self.site.source, native_id, fields, record, origin, image=address)
        if draft is None:
            return
        if main:
            self._set_image(draft, main, page)
        elif post.get("featured_media"):
            number = post["featured_media"]
            self.collector.reject_image(
                draft, "image_missing", f"its featured image, media {number}, is not accessible"
            )
        else:
            self.collector.reject_image(draft, "no_image", "the post has no featured image")
        if self.site.all_images:
            for image in images:
                if image is not main:
                    self._add_further_image(post, native_id, image, page, origin)

    def _add_further_image(
        self, post: dict[str, Any], native_id: str, image: PostImage, page: PostPage, origin: str
    ) -> None:
        """Add a listing for an image that is not the main one."""
        fields = read_post(post, self.site, image, page) | dict.fromkeys(MAIN_IMAGE_FIELDS)
        name = f"{native_id}-{image.key}"
        draft = self.collector.add_listing(self.site.source, name, fields, drop_links(post), origin, image=image.url)
        if draft:
            self._set_image(draft, image, page)

    def _set_image(self, draft: Draft, image: PostImage, page: PostPage) -> None:
        media = page.found[LIBRARY].get(image.media) if image.media else None
        self.collector.set_image_url(draft, image.url, compute_stamp(media))

    def _add_row(self, table: str, row: Any, origin: str) -> None:
        if not isinstance(row, dict):
            self.collector.reject(table, qualify_id(self.site.source, "?"), origin, "not a JSON object", row)
            return
        fields = row
        if table == "guides":
            fields, origin = read_guide(row), str(row.get("link") or origin)
        self.collector.add_row(table, self.site.source, fields, drop_links(row), origin)


def _is_past_the_end(response: Response) -> bool:
    return response.status == 400 and b"invalid_page_number" in response.body


def _remedy(response: Response) -> str:
    if response.status in (401, 403) or b"rest_forbidden_status" in response.body:
        return "Set `username` and `application_password_env` to an account that may read the posts."
    if response.status == 404:
        return "Check `url` and `posts`; the site must serve its API at /wp-json/."
    return "Try again later; if the error stays, ask the site's owner."
