"""A WordPress site as its account sees it through the REST API: politely asked, and written to with care."""

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

PAGE = 100  # records, the most that WordPress gives
ANSWER_BYTES = 64_000_000
LONGEST_WAIT = 60.0  # seconds between two attempts
STATUSES = "publish,future,draft,pending,private,trash"
PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
PLUGIN = "docs/wordpress/heddle.php"
REMEDIES = {
    401: "Check username and the application password that application_password_env names",
    403: "The account may not do this; give it the role of an author or editor, and see whether a firewall objects",
    404: "Check url and posts of the source; does the site show its API at /wp-json/ ?",
}

Answer = TypeVar("Answer")


class SiteError(UserError):
    """The site did not do it; the message names site and address, what it answered and what to do."""


class PassingError(SiteError):
    """It may go well the next time.

    Attributes:
        wait: that the site asked for, seconds.
    """

    def __init__(self, message: str, wait: float = 0) -> None:
        super().__init__(message)
        self.wait = wait


class Site:
    """Opened for one publication; one request at a time, ``delay`` apart.

    Args:
        source: with username and the name of the variable that holds the application password.

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

    def patiently(self, ask: Callable[[], Answer]) -> Answer:
        """Call; again, later and later, where it failed for a passing reason. What is called must bear repetition."""
        grows = wait_exponential(multiplier=self.source.back_off, max=LONGEST_WAIT)

        def wait(state: RetryCallState) -> float:
            error = state.outcome.exception() if state.outcome else None
            return max(grows(state), error.wait if isinstance(error, PassingError) else 0)

        attempts = stop_after_attempt(self.source.retries + 1)
        return Retrying(stop=attempts, wait=wait, retry=retry_if_exception_type(PassingError), reraise=True)(ask)

    def properties(self) -> set[str]:
        """What a post has here: ``title``, ``meta.seo_title``, …

        Raises:
            SiteError: the site does not answer, or lacks our plugin.
        """
        told, headers = self.patiently(lambda: self._ask("OPTIONS", self.source.posts))
        if "POST" not in headers.get(
            "Allow", "POST"
        ):  # a wrong password is no error here, but shows the public's rights
            raise SiteError(
                f"{self.address}{self.source.posts}: the account may not write. {REMEDIES[401]}, and its role"
            )
        try:
            shape = told["schema"]["properties"]
            meta = shape.get("meta", {}).get("properties", {})
        except (TypeError, KeyError, AttributeError) as error:
            raise SiteError(
                f"{self.address}{self.source.posts} has no schema; is it what the posts are called?"
            ) from error
        if not {"heddle_listing", "heddle_hashes", "heddle_modified"} <= set(meta):
            raise SiteError(f"{self.address} has not got Heddle's plugin: copy {PLUGIN} to its wp-content/mu-plugins/")
        return {*shape, *(f"meta.{name}" for name in meta)}

    def posts(self) -> Iterator[Post]:
        """Every post, those in the trash included."""
        return self._all(self.source.posts, Post, status=STATUSES, context="edit", _fields=Post.asked())

    def find(self, listing: str) -> Post | None:
        """The draft of a listing, the first one where a person copied it."""
        query = {"heddle_listing": listing, "status": STATUSES, "context": "edit", "orderby": "id", "order": "asc"}
        records, _ = self._ask("GET", self.source.posts, **query, _fields=Post.asked())
        found = self._read(list[Post], records)
        return next((post for post in found if post.meta.get("heddle_listing") == listing), None)

    def write(self, post: int | None, body: dict[str, Any]) -> Post:
        """Make a post, or change what ``body`` names of one."""
        path = self.source.posts if post is None else f"{self.source.posts}/{post}"
        record, _ = self._ask("POST", path, body, context="edit")
        return self._read(Post, record)

    def terms(self, taxonomy: str) -> Iterator[Term]:
        """Every tag or category."""
        return self._all(taxonomy, Term, _fields="id,name")

    def similar_terms(self, taxonomy: str, name: str) -> list[Term]:
        """Tags or categories with such a name as it is now."""
        search = html.escape(name, quote=False)  # as WordPress keeps them
        records, _ = self._ask("GET", taxonomy, search=search, per_page=PAGE, _fields="id,name")
        return list(self._read(list[Term], records))

    def make_term(self, taxonomy: str, name: str) -> Term:
        """A new tag or category."""
        record, _ = self._ask("POST", taxonomy, {"name": name})
        return self._read(Term, record)

    def _all(self, path: str, form: type[Answer], **query: str) -> Iterator[Answer]:
        number, pages = 1, 1
        while number <= pages:
            asked = {"per_page": PAGE, "page": number, "orderby": "id", "order": "asc"} | query
            records, headers = self.patiently(lambda asked=asked: self._ask("GET", path, **asked))  # type: ignore[misc]
            found = self._read(list[form], records)  # type: ignore[valid-type]
            yield from found
            told = headers.get("X-WP-TotalPages", "")
            pages = int(told) if told.isdecimal() else number + (len(found) == PAGE)
            number += 1

    def _ask(self, method: str, path: str, body: object = None, **query: Any) -> tuple[Any, httpx.Headers]:
        now = time.monotonic()
        if now > self._deadline:
            raise SiteError(f"{self.address}: not done within time_limit, {self.source.time_limit:g} s; run it again")
        time.sleep(max(0.0, self._next - now))
        try:
            with self._client.stream(method, path, params=query, json=body) as response:
                content = bytearray()
                for piece in response.iter_bytes():
                    content += piece
                    if len(content) > ANSWER_BYTES:
                        raise SiteError(f"{self.address}{path} answered more than {ANSWER_BYTES:,} bytes")
        except httpx.HTTPError as error:
            what = self._clean(str(error)) or type(error).__name__
            raise PassingError(
                f"{self.address}{path} cannot be reached ({what}); check url, the network, and whether the site is up"
            ) from None
        finally:
            self._next = time.monotonic() + self.source.delay
        return self._understood(f"{self.address}{path}", response, bytes(content)), response.headers

    def _understood(self, address: str, response: httpx.Response, content: bytes) -> Any:
        try:
            told = TypeAdapter(Any).validate_json(content)
        except ValidationError:
            told = None
        status = response.status_code
        if status < 300:
            if told is None:
                raise SiteError(f"{address} answered no JSON; is this a WordPress site with its REST API on?")
            return told
        said = self._clean(str(told.get("message", ""))) if isinstance(told, dict) else ""
        message = f"{address} answered {status} {response.reason_phrase}".rstrip() + (f", {said}" if said else "")
        if status < 400:
            raise SiteError(
                f"{message}. Set url to where it leads: {self._clean(response.headers.get('Location', ''))}"
            )
        wait = response.headers.get("Retry-After", "")
        seconds = float(wait) if wait.isdecimal() else 0.0
        if status in PASSING and seconds <= LONGEST_WAIT:
            raise PassingError(f"{message}. Try again later; if it stays, ask the site's owner", seconds)
        raise SiteError(f"{message}. {REMEDIES.get(status, 'Ask its owner')}")

    def _read(self, form: Any, told: Any) -> Any:
        try:
            return TypeAdapter(form).validate_python(told)
        except ValidationError as error:
            mistake = error.errors(include_input=False, include_url=False)[0]
            where = ".".join(map(str, mistake["loc"]))
            raise SiteError(
                f"{self.address} answered something else than WordPress does: {where}: {mistake['msg']}"
            ) from None

    def _clean(self, said: str) -> str:
        """What a site says, in a line that can be shown: it may repeat what was sent to it."""
        for secret in self._secrets:
            said = said.replace(secret, "…")
        return " ".join("".join(each if each.isprintable() else " " for each in said).split())[:200]
