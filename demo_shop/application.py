"""The shop's web application: WordPress's REST paths, tables, images, robots.txt, sitemap and pages for people."""

from collections import Counter
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from demo_shop import compatibility, pages, wordpress
from demo_shop.facts import OPENED
from demo_shop.faults import FIRST_GUIDE_ID, FIRST_LISTING_ID
from demo_shop.images import oversized
from demo_shop.responses import HTML, JSON, XML, answer, dump, error, json_answer, number_in, paged
from demo_shop.shop import Shop
from demo_shop.wordpress import FIRST_MEDIA_ID, HOME

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

ROBOTS = f"""User-agent: *
Disallow: /wp-admin/
Disallow: /private/
Allow: /wp-admin/admin-ajax.php
Crawl-delay: 0

Sitemap: {HOME}/sitemap.xml
"""


class Application:
    """All request handlers of one shop. ``asgi`` is the application for the server."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self._asked: Counter[int] = Counter()
        self._post = lru_cache(maxsize=20_000)(self._post_bytes)
        self._oversized = lru_cache(maxsize=2)(oversized)
        api = "/wp-json/wp/v2"
        self._starlette = Starlette(
            routes=[
                Route("/", self.home),
                Route("/robots.txt", self.robots),
                Route("/sitemap.xml", self.sitemap_index),
                Route("/sitemap-listings.xml", self.sitemap_listings),
                Route("/sitemap-guides.xml", self.sitemap_guides),
                Route("/wp-json/", self.index),
                Route(f"{api}/posts", self.posts),
                Route(f"{api}/posts/{{id:int}}", self.one_post),
                Route(f"{api}/media", self.media),
                Route(f"{api}/media/{{id:int}}", self.one_media),
                Route(f"{api}/categories", self.categories),
                Route(f"{api}/tags", self.tags),
                Route(f"{api}/guides", self.guides),
                Route("/wp-json/demo-shop/v1/{table}", self.table),
                Route("/wp-content/uploads/{year:int}/{month:int}/{name}", self.image),
                Route("/old-uploads/{year:int}/{month:int}/{name}", self.moved),
                Route("/shop/{slug}/", self.listing_page),
                Route("/guides/{slug}/", self.guide_page),
            ],
            exception_handlers={404: self.missing},
        )

    async def asgi(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Accept absolute-form request targets too, so that the shop can be its own HTTP proxy."""
        if scope["type"] == "http" and scope["path"].startswith(("http://", "https://")):
            path = "/" + scope["path"].split("://", 1)[1].partition("/")[2]
            scope = {**scope, "path": path, "raw_path": path.encode()}
        await self._starlette(scope, receive, send)

    # API and robots.txt

    def index(self, request: Request) -> Response:
        """Name and description of the API."""
        body = {
            "name": "The Second Thread",
            "description": "Second-hand and upcycled",
            "url": HOME,
            "namespaces": ["wp/v2", "demo-shop/v1"],
        }
        return json_answer(request, body)

    def robots(self, request: Request) -> Response:
        """robots.txt"""
        return answer(request, ROBOTS.encode(), "text/plain; charset=utf-8")

    def posts(self, request: Request) -> Response:
        """Listings, paged, in the requested order."""
        order = _order(self.shop, request)
        if isinstance(order, Response):
            return order
        embed = "_embed" in request.query_params
        return paged(request, order, lambda number: self._post(number, embed), self._last_modified)

    def one_post(self, request: Request) -> Response:
        """One listing."""
        number = request.path_params["id"] - FIRST_LISTING_ID
        if not 0 <= number < self.shop.size:
            return error("rest_post_invalid_id", "Invalid post ID.", 404)
        body = self._post(number, "_embed" in request.query_params)
        return answer(request, body, JSON, self._last_modified([number]))

    def media(self, request: Request) -> Response:
        """Records of images, paged."""
        numbers = [number for number in range(self.shop.size) if wordpress.kind_at(self.shop, number) != "no image"]
        return paged(request, numbers, lambda number: dump(wordpress.media(self.shop, number)), self._last_modified)

    def one_media(self, request: Request) -> Response:
        """Record of one image."""
        number = request.path_params["id"] - FIRST_MEDIA_ID
        if not 0 <= number < self.shop.size or wordpress.kind_at(self.shop, number) == "no image":
            return error("rest_post_invalid_id", "Invalid post ID.", 404)
        return answer(request, dump(wordpress.media(self.shop, number)), JSON, self._last_modified([number]))

    def categories(self, request: Request) -> Response:
        """Categories, paged."""
        ids = [wordpress.FIRST_CATEGORY_ID + place for place in range(len(wordpress.SHELVES))]
        return paged(request, ids, lambda place: dump(wordpress.category(place)), default=10)

    def tags(self, request: Request) -> Response:
        """Tags, paged."""
        ids = [wordpress.FIRST_TAG_ID + place for place in range(len(wordpress.TAGS))]
        return paged(request, ids, lambda place: dump(wordpress.tag(place)), default=10)

    def guides(self, request: Request) -> Response:
        """Guides, paged."""
        return paged(
            request, range(self.shop.guide_count), lambda number: dump(wordpress.guide_post(self.shop, number))
        )

    def table(self, request: Request) -> Response:
        """Rows of the tables that WordPress does not have, paged."""
        name = request.path_params["table"]
        tables: dict[str, Callable[[], Sequence[dict[str, Any]]]] = {
            "queries": lambda: self.shop.queries,
            "qrels": lambda: self.shop.qrels,
            "conversations": lambda: self.shop.conversations,
            "preferences": lambda: self.shop.preferences,
            "nodes": lambda: self.shop.graph.nodes,
            "edges": lambda: [*self.shop.graph.edges, *map(dict, compatibility.UNKNOWN_EDGES)],
        }
        if name not in tables:
            return error("rest_no_route", "No route was found matching the URL and request method.", 404)
        return paged(request, tables[name](), dump, largest=1000)

    def _post_bytes(self, number: int, embed: bool) -> bytes:
        return dump(wordpress.post(self.shop, number, embed))

    def _last_modified(self, numbers: Sequence[int]) -> datetime:
        return max(wordpress.dates(self.shop, number)[1] for number in numbers)

    # Images

    def image(self, request: Request) -> Response:
        """An image, or the response of its planted fault."""
        number = self._number_of(request)
        if number is None:
            return error("not_found", "No such image.", 404)
        kind = wordpress.kind_at(self.shop, number)
        self._asked[number] += 1
        if kind == "image missing":
            return Response("Not found", 404)
        if kind == "image answers 503 first" and self._asked[number] == 1:
            return Response("Busy", 503, {"Retry-After": "0"})
        shown = self.shop.listing(number).image
        content, mime_type = shown.content, shown.mime_type
        if kind == "image truncated":
            content = content[: len(content) // 2]
        elif kind == "image is a web page":
            content, mime_type = (
                b"<!DOCTYPE html><title>Login</title><p>Please log in to see this image.</p>",
                "image/jpeg",
            )
        elif kind == "image too large":
            content, mime_type = self._oversized(self.shop.seed, number), "image/png"
        return answer(request, content, mime_type, wordpress.dates(self.shop, number)[1])

    def moved(self, request: Request) -> Response:
        """Redirect from the old address of an image to the new one."""
        path = request.url.path.replace("/old-uploads/", "/wp-content/uploads/", 1)
        return Response(status_code=301, headers={"Location": f"{HOME}{path}"})

    def _number_of(self, request: Request) -> int | None:
        name = request.path_params["name"]
        number = _number_after(name.partition(".")[0], "find-", FIRST_LISTING_ID)
        if not 0 <= number < self.shop.size or wordpress.kind_at(self.shop, number) == "no image":
            return None
        return number if name == wordpress.media_name(self.shop, number) else None

    # HTML pages and sitemaps

    def sitemap_index(self, request: Request) -> Response:
        """Index of the two sitemaps."""
        return answer(request, pages.sitemap_index([f"{HOME}/sitemap-listings.xml", f"{HOME}/sitemap-guides.xml"]), XML)

    def sitemap_listings(self, request: Request) -> Response:
        """Sitemap of the listings' pages."""
        entries = [
            (wordpress.page_url(number), wordpress.dates(self.shop, number)[1]) for number in range(self.shop.size)
        ]
        return answer(request, pages.sitemap(entries), XML)

    def sitemap_guides(self, request: Request) -> Response:
        """Sitemap of the guides' pages."""
        entries = [(wordpress.guide_post(self.shop, number)["link"], OPENED) for number in range(self.shop.guide_count)]
        return answer(request, pages.sitemap(entries), XML)

    def home(self, request: Request) -> Response:
        """A grid of listings, paged."""
        page = max(1, number_in(request, "page", 1) or 1)
        return answer(request, pages.home(self.shop, page), HTML)

    def listing_page(self, request: Request) -> Response:
        """HTML page of one listing."""
        number = _number_after(request.path_params["slug"], "find-", FIRST_LISTING_ID)
        if not 0 <= number < self.shop.size:
            return self.missing(request, None)
        return answer(request, pages.listing(self.shop, number), HTML, wordpress.dates(self.shop, number)[1])

    def guide_page(self, request: Request) -> Response:
        """HTML page of one guide."""
        number = _number_after(request.path_params["slug"], "guide-", FIRST_GUIDE_ID)
        if not 0 <= number < self.shop.guide_count:
            return self.missing(request, None)
        return answer(request, pages.guide(self.shop, number), HTML)

    def missing(self, request: Request, problem: Exception | None) -> Response:
        """404: JSON below /wp-json/, else an HTML page."""
        if request.url.path.startswith("/wp-json"):
            return error("rest_no_route", "No route was found matching the URL and request method.", 404)
        return Response(pages.missing(), 404, media_type=HTML)


def _number_after(slug: str, prefix: str, first: int) -> int:
    """The number in a slug minus ``first``; negative if the slug has no number."""
    digits = slug.removeprefix(prefix)
    return int(digits) - first if digits.isdecimal() else -1


def _order(shop: Shop, request: Request) -> list[int] | Response:
    """Numbers of the listings that match the query, in the query's order, or an error for an invalid query."""
    query = request.query_params
    by, direction = query.get("orderby", "date"), query.get("order", "desc")
    keys: dict[str, Callable[[int], Any]] = {
        "id": lambda number: number,
        "date": lambda number: wordpress.dates(shop, number)[0],
        "modified": lambda number: (wordpress.dates(shop, number)[1], number),
    }
    if by not in keys or direction not in ("asc", "desc"):
        return error("rest_invalid_param", "Invalid parameter(s): orderby, order", 400)
    numbers: Sequence[int] = range(shop.size)
    if "modified_after" in query:
        try:
            after = datetime.fromisoformat(query["modified_after"].replace(" ", "+"))
        except ValueError:
            return error("rest_invalid_param", "Invalid parameter(s): modified_after", 400)
        after = after if after.tzinfo else after.replace(tzinfo=UTC)
        numbers = [number for number in numbers if wordpress.dates(shop, number)[1] > after]
    return sorted(numbers, key=keys[by], reverse=direction == "desc")
