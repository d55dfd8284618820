"""Client of a WordPress site's REST API: rate-limited, with retries, without leaking the password."""

import html
import os
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from importlib.metadata import version
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote

import httpx
from pydantic import TypeAdapter, ValidationError
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from heddle.core.errors import UserError
from heddle.publishing.records import Post, Term
from heddle.sources.parameters import WordPress

PAGE = 100  # records a page, WordPress's maximum
MAX_RESPONSE_BYTES = 64_000_000
MAX_WAIT = 60.0  # seconds between two attempts
STATUSES = "publish,future,draft,pending,private,trash"
TRANSIENT_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})
PLUGIN = "docs/wordpress/heddle.php"
REMEDIES = {
    401: "Check username and the application password in the variable that application_password_env names",
    403: "The account lacks the permission: give it the role of an author or editor, or check the site's firewall",
    404: "Check url and posts of the source, and that the site serves its API at /wp-json/",
}

ResultType = TypeVar("ResultType")


class SiteError(UserError):
    """A request to the site failed. The message contains the address, the response and what to do."""


class TransientSiteError(SiteError):
    """A request failed for a reason that a retry may fix.

    Attributes:
        wait: seconds that the site asked to wait.
    """

    def __init__(self, message: str, wait: float = 0) -> None:
        super().__init__(message)
        self.wait = wait


class WordPressClient:
    """Client for one publication: one request at a time, ``delay`` seconds apart.

    Args:
        source: the source, with username and the name of the variable that contains the application password.

    Raises:
        SiteError: that variable is not set.
    """

    def __init__(self, source: WordPress) -> None:
        self.source = source
        variable = source.application_password_env or ""
        password = os.environ.get(variable)
        if not password:
            raise SiteError(
                f"source {source.name}: set the environment variable {variable} to the application password"
            )
        basic = b64encode(f"{source.username}:{password}".encode()).decode()
        self._secrets = (password, quote(password), basic)
        port = f":{source.url.port}" if source.url.port else ""
        path = (source.url.path or "").rstrip("/").removesuffix("/wp-json")
        self.address = f"{source.url.scheme}://{source.url.host}{port}{path}/wp-json/wp/v2/"
        self._client = httpx.Client(
            base_url=self.address,
            headers={
                "Authorization": f"Basic {basic}",
                "User-Agent": f"Heddle/{version('heddle')} (+{source.contact})",
            },
            timeout=source.timeout,
        )
        self._next = 0.0
        self._deadline = time.monotonic() + source.time_limit

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def retry(self, call: Callable[[], ResultType]) -> ResultType:
        """Call and retry with exponential back-off after transient errors. The call must be idempotent."""
        grows = wait_exponential(multiplier=self.source.back_off, max=MAX_WAIT)

        def wait(state: RetryCallState) -> float:
            error = state.outcome.exception() if state.outcome else None
            return max(grows(state), error.wait if isinstance(error, TransientSiteError) else 0)

        attempts = stop_after_attempt(self.source.retries + 1)
        return Retrying(stop=attempts, wait=wait, retry=retry_if_exception_type(TransientSiteError), reraise=True)(call)

    def properties(self) -> set[str]:
        """Names of the fields that a post has on this site: ``title``, ``meta.seo_title``, …

        Raises:
            SiteError: the site does not answer, the account may not write, or Heddle's plugin is missing.
        """
        address = f"{self.address}{self.source.posts}"
        description, headers = self.retry(lambda: self._request("OPTIONS", self.source.posts))
        # With a wrong password WordPress answers here with the rights of the public instead of an error.
        if "POST" not in headers.get("Allow", "POST"):
            raise SiteError(f"{address}: the account may not write. {REMEDIES[401]}, and the role of the account")
        try:
            shape = description["schema"]["properties"]
            meta = shape.get("meta", {}).get("properties", {})
        except (TypeError, KeyError, AttributeError) as error:
            raise SiteError(f"{address} returned no schema: check the key `posts` of the source") from error
        if not {"heddle_listing", "heddle_hashes", "heddle_modified"} <= set(meta):
            raise SiteError(f"{self.address} lacks Heddle's plugin: copy {PLUGIN} to the site's wp-content/mu-plugins/")
        return {*shape, *(f"meta.{name}" for name in meta)}

    def posts(self) -> Iterator[Post]:
        """Every post, including those in the trash."""
        return self._all(self.source.posts, Post, status=STATUSES, context="edit", _fields=Post.api_fields())

    def find(self, listing: str) -> Post | None:
        """The draft of a listing; the oldest one if a person copied it."""
        query = {"heddle_listing": listing, "status": STATUSES, "context": "edit", "orderby": "id", "order": "asc"}
        records, _ = self._request("GET", self.source.posts, **query, _fields=Post.api_fields())
        found = self._validate(list[Post], records)
        return next((post for post in found if post.meta.get("heddle_listing") == listing), None)

    def write(self, post: int | None, body: dict[str, Any]) -> Post:
        """Create a post (``post`` is None) or change the fields in ``body``."""
        path = self.source.posts if post is None else f"{self.source.posts}/{post}"
        record, _ = self._request("POST", path, body, context="edit")
        return self._validate(Post, record)

    def terms(self, taxonomy: str) -> Iterator[Term]:
        """Every tag or category."""
        return self._all(taxonomy, Term, _fields="id,name")

    def similar_terms(self, taxonomy: str, name: str) -> list[Term]:
        """Tags or categories that WordPress finds by this name."""
        search = html.escape(name, quote=False)  # WordPress stores names escaped
        records, _ = self._request("GET", taxonomy, search=search, per_page=PAGE, _fields="id,name")
        return list(self._validate(list[Term], records))

    def create_term(self, taxonomy: str, name: str) -> Term:
        """Create a tag or a category."""
        record, _ = self._request("POST", taxonomy, {"name": name})
        return self._validate(Term, record)

    def _all(self, path: str, form: type[ResultType], **query: str) -> Iterator[ResultType]:
        number, pages = 1, 1
        while number <= pages:
            parameters = {"per_page": PAGE, "page": number, "orderby": "id", "order": "asc"} | query
            records, headers = self.retry(lambda parameters=parameters: self._request("GET", path, **parameters))  # type: ignore[misc]
            found = self._validate(list[form], records)  # type: ignore[valid-type]
            yield from found
            total = headers.get("X-WP-TotalPages", "")
            if total.isdecimal():
                pages = int(total)
            elif len(found) == PAGE:
                pages = number + 1
            number += 1

    def _request(self, method: str, path: str, body: object = None, **query: Any) -> tuple[Any, httpx.Headers]:
        now = time.monotonic()
        if now > self._deadline:
            raise SiteError(
                f"{self.address}: not finished within time_limit ({self.source.time_limit:g} s); run the command again"
            )
        time.sleep(max(0.0, self._next - now))
        try:
            with self._client.stream(method, path, params=query, json=body) as response:
                content = bytearray()
                for piece in response.iter_bytes():
                    content += piece
                    if len(content) > MAX_RESPONSE_BYTES:
                        raise SiteError(
                            f"{self.address}{path} returned more than the allowed {MAX_RESPONSE_BYTES:,} bytes"
                        )
        except httpx.HTTPError as error:
            reason = self._redact(str(error)) or type(error).__name__
            raise TransientSiteError(
                f"{self.address}{path} cannot be reached ({reason}); check url, the network and that the site is up"
            ) from None
        finally:
            self._next = time.monotonic() + self.source.delay
        return self._parse(f"{self.address}{path}", response, bytes(content)), response.headers

    def _parse(self, address: str, response: httpx.Response, content: bytes) -> Any:
        try:
            record = TypeAdapter(Any).validate_json(content)
        except ValidationError:
            record = None
        status = response.status_code
        if status < 300:
            if record is None:
                raise SiteError(f"{address} returned no JSON: check that url is a WordPress site with its REST API on")
            return record
        message = f"{address} returned {status} {response.reason_phrase}".rstrip()
        if isinstance(record, dict) and record.get("message"):
            message += f", {self._redact(str(record['message']))}"
        if status < 400:
            target = self._redact(response.headers.get("Location", ""))
            raise SiteError(f"{message}. Set url to the target of the redirect: {target}")
        wait = response.headers.get("Retry-After", "")
        seconds = float(wait) if wait.isdecimal() else 0.0
        if status in TRANSIENT_STATUSES and seconds <= MAX_WAIT:
            raise TransientSiteError(
                f"{message}. Try again later; if the error persists, ask the owner of the site", seconds
            )
        raise SiteError(f"{message}. {REMEDIES.get(status, 'Ask the owner of the site')}")

    def _validate(self, form: Any, record: Any) -> Any:
        try:
            return TypeAdapter(form).validate_python(record)
        except ValidationError as error:
            mistake = error.errors(include_input=False, include_url=False)[0]
            where = ".".join(map(str, mistake["loc"]))
            raise SiteError(
                f"{self.address}: not a response of WordPress's REST API: {where}: {mistake['msg']}"
            ) from None

    def _redact(self, text: str) -> str:
        """A text of the site in one printable line without the password, which the site may have repeated."""
        for secret in self._secrets:
            text = text.replace(secret, "…")
        return " ".join("".join(each if each.isprintable() else " " for each in text).split())[:200]
