"""Crawls of pictures, shared by every source whose pictures lie on the network."""

from collections.abc import AsyncIterator, Iterable, Iterator
from http import HTTPStatus
from typing import Any

from scrapy import Request, Spider
from scrapy.exceptions import DownloadCancelledError, ResponseDataLossError
from scrapy.http import Response
from twisted.python.failure import Failure

from assets.catalog.addresses import AddressRefusedError, check_url
from assets.catalog.harvest import Draft, Harvest
from assets.catalog.http_cache import STAMP
from assets.catalog.manners import CONTENT, HostBudgetError, forbidden_use

ERRORS_TOO = {"handle_httpstatus_list": range(400, 600)}
"""Request meta: redirects are followed, and answers of any other status come to the callback."""


class PictureSpider(Spider):
    """Fetches each picture once, whoever shows it, and hands it to the harvest.

    Attributes:
        failure: why the source as a whole could not be read, for a person; None while all is well.
    """

    name = "pictures"

    def __init__(
        self,
        harvest: Harvest,
        wanted: Iterable[tuple[Draft, str]] = (),
        credentials: tuple[str | None, str | None] = (None, None),
        **arguments: Any,
    ) -> None:
        super().__init__(**arguments)
        self.harvest = harvest
        self.credentials = credentials
        self.failure: str | None = None
        self._wanted = wanted
        self._showing: dict[str, list[Draft]] = {}
        self._answered: set[str] = set()

    async def start(self) -> AsyncIterator[Any]:
        """Called by Scrapy."""
        for draft, url in self._wanted:
            for request in self.fetch(draft, url):
                yield request

    def fetch(self, draft: Draft, url: str, stamp: str | None = None) -> Iterator[Request]:
        """The request for a listing's picture, if nobody asked for it before.

        Args:
            stamp: another one as soon as the source knows that the picture changed; see :data:`http_cache.STAMP`.
        """
        try:
            request = self._request(url, stamp)
        except (AddressRefusedError, ValueError) as error:
            self.harvest.refuse_picture(draft, "address_refused", str(error))
            return
        first = url not in self._showing
        self._showing.setdefault(url, []).append(draft)
        if url in self._answered:
            self.harvest.same_picture(draft, self._showing[url][0])
        elif first:
            yield request

    def _request(self, url: str, stamp: str | None) -> Request:
        check_url(url, private=True)  # whether private ones are allowed is a question for the request's way out
        meta = ERRORS_TOO | {"download_maxsize": self.harvest.size, STAMP: stamp}
        named = {"asked": url}
        return Request(url, self._arrived, errback=self._failed, meta=meta, cb_kwargs=named, dont_filter=True)

    def _arrived(self, response: Response, asked: str) -> None:
        drafts = self._showing[asked]
        self._answered.add(asked)
        tag = forbidden_use(response.headers.getlist("X-Robots-Tag"), CONTENT)
        if tag:
            self._refuse(drafts, "robots_tag", f"{asked} says `X-Robots-Tag: {tag}`")
        elif response.status == HTTPStatus.OK:
            for draft in drafts:
                self.harvest.picture_bytes(draft, response.body)
        else:
            self._refuse(drafts, "image_missing", f"{asked} answered {answer_of(response)}")

    def _failed(self, failure: Failure) -> None:
        asked = failure.request.cb_kwargs["asked"]  # type: ignore[attr-defined]
        self._answered.add(asked)
        reason, detail = "image_missing", str(failure.value) or type(failure.value).__name__
        if failure.check(DownloadCancelledError):
            reason, detail = "image_too_large", f"more than {self.harvest.size:,} bytes"
        elif failure.check(ResponseDataLossError):
            reason, detail = "image_truncated", "the connection was closed before its end"
        elif failure.check(AddressRefusedError):
            reason = "address_refused"
        elif failure.check(HostBudgetError):
            reason = "host_budget"
        self._refuse(self._showing[asked], reason, f"{asked}: {detail}")

    def _refuse(self, drafts: Iterable[Draft], reason: str, detail: str) -> None:
        for draft in drafts:
            self.harvest.refuse_picture(draft, reason, detail)


def answer_of(response: Response) -> str:
    """`404 Not Found`."""
    try:
        return f"{response.status} {HTTPStatus(response.status).phrase}"
    except ValueError:
        return str(response.status)
