"""Responses in WordPress's form: validators (ETag, Last-Modified), pages of a list, errors."""

import hashlib
import json
import math
from collections.abc import Callable, Sequence
from datetime import datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from demo_shop.facts import OPENED
from demo_shop.wordpress import HOME

LARGEST_PAGE = 100
"""WordPress's limit of items a page."""
JSON, HTML, XML = "application/json; charset=UTF-8", "text/html; charset=utf-8", "application/xml; charset=utf-8"


def answer(
    request: Request, body: bytes, media_type: str, modified: datetime = OPENED, headers: dict[str, str] | None = None
) -> Response:
    """The body with ETag and Last-Modified, or 304 if the client already has it.

    Only If-None-Match is supported, as a page of a list can change without a later Last-Modified.
    """
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    more = {**(headers or {}), "ETag": tag, "Last-Modified": format_datetime(modified, usegmt=True)}
    known = request.headers.get("if-none-match")
    if known and (tag in known or known.strip() == "*"):
        return Response(status_code=304, headers=more)
    return Response(body, media_type=media_type, headers=more)


def number_in(request: Request, name: str, default: int) -> int | None:
    """A number in the query string; None if it is missing or not a number."""
    try:
        return int(request.query_params.get(name, default))
    except ValueError:
        return None


def _query(request: Request, page: int) -> str:
    return urlencode({**request.query_params, "page": str(page)})


def dump(content: Any) -> bytes:
    """Compact JSON."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def json_answer(request: Request, content: Any) -> Response:
    """The content as JSON."""
    return answer(request, dump(content), JSON)


def error(code: str, message: str, status: int) -> Response:
    """An error in WordPress's JSON form."""
    return Response(dump({"code": code, "message": message, "data": {"status": status}}), status, media_type=JSON)


def paged(
    request: Request,
    entries: Sequence[Any],
    render: Callable[[Any], bytes],
    modified: Callable[[Sequence[Any]], datetime] = lambda _: OPENED,
    default: int = 10,
    largest: int = LARGEST_PAGE,
) -> Response:
    """One page of a list, with WordPress's headers and errors."""
    page, per_page = number_in(request, "page", 1), number_in(request, "per_page", default)
    if page is None or per_page is None or page < 1 or not 1 <= per_page <= largest:
        return error("rest_invalid_param", f"per_page must be between 1 and {largest}, page at least 1.", 400)
    total, count = len(entries), math.ceil(len(entries) / per_page)
    if page > max(1, count):
        return error(
            "rest_post_invalid_page_number",
            "The page number requested is larger than the number of pages available.",
            400,
        )
    chosen = entries[(page - 1) * per_page : page * per_page]
    headers = {"X-WP-Total": str(total), "X-WP-TotalPages": str(count)}
    links = [
        f'<{HOME}{request.url.path}?{_query(request, target)}>; rel="{relation}"'
        for relation, target in (("prev", page - 1), ("next", page + 1))
        if 1 <= target <= count
    ]
    if links:
        headers["Link"] = ", ".join(links)
    body = b"[" + b",".join(render(entry) for entry in chosen) + b"]"
    return answer(request, body, JSON, modified(chosen) if chosen else OPENED, headers)
