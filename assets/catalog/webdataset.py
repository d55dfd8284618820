"""The source `webdataset`: tars of samples, each an image with text or JSON beside it; on disk or on the network."""

import io
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.exceptions import DownloadCancelledError
from scrapy.http import Response
from twisted.python.failure import Failure

from assets.catalog.collector import Harvest
from assets.catalog.crawl_job import Visit
from assets.catalog.mapped import Content, MappedRecords, check_columns, check_fields
from assets.catalog.rows import full_id
from assets.catalog.spiders import ERRORS_TOO, PageSpider, answer_of
from assets.catalog.tar_samples import Damage, Sample, read_samples
from heddle.core.stage import StageError
from heddle.sources.parameters import WebDataset

IMAGES = ("jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff", "avif")
"""Endings of images; a sample's first one is its image, unless the parameters say otherwise."""
TEXTS = ("txt", "json", "cls")
KEY = "__key__"
_LARGEST_TEXT = 1_000_000  # bytes


class WebDatasetSource:
    """Reads tars, the local ones at once and the others when they are crawled."""

    def __init__(self, source: WebDataset) -> None:
        self._source = source
        self._columns: dict[str, str] = {"id": KEY, **source.columns}
        self._found: dict[str, None] = {}  # columns that some sample has, in the order of their first
        self._harvest: Harvest
        self._records: MappedRecords

    def gather(self, harvest: Harvest) -> Visit | None:
        """Bring the samples of all tars; the answer is the crawl of those on the network, and of images there.

        Raises:
            StageError: a local tar is missing, or no sample has a column of the mapping.
        """
        check_fields(f"source {self._source.name}", "listings", self._columns)
        self._harvest = harvest
        self._records = MappedRecords(self._source, "its tars", harvest, None)
        addresses = []
        for tar in self._source.tars:
            if "://" in tar:
                addresses.append(tar)
                continue
            for path in self._paths(tar):
                with path.open("rb") as file:
                    self.read(str(path), file)
        if not addresses:
            self.check()
            return self._records.visit()
        return self._crawl(addresses)

    def read(self, name: str, file: BinaryIO) -> None:
        """Bring the samples of one tar."""
        for sample in read_samples(file, self._is_wanted, self._harvest.size):
            if isinstance(sample, Damage):
                self.refuse(name, f"the tar is {sample.detail}; what came before is taken")
            else:
                self._take(sample, f"{name} {sample.key}")

    def refuse(self, tar: str, detail: str) -> None:
        """A tar, or what is left of it, cannot be read."""
        self._harvest.refuse("listings", full_id(self._source.name, tar), tar, detail, {"tar": tar})

    def check(self) -> None:
        """Find mistakes in the mapping, once all samples have been seen.

        Raises:
            StageError: no sample has a column that is mapped; the message tells those that are there.
        """
        if self._found:
            check_columns(f"source {self._source.name}: its samples", self._columns.values(), self._found)

    def _paths(self, pattern: str) -> list[Path]:
        paths = local_tars(pattern)
        if not paths:
            raise StageError(
                f"source {self._source.name}: {pattern}: no such file; `tars` are relative to the project's folder"
            )
        return paths

    def _crawl(self, addresses: list[str]) -> Visit:
        if not self._source.contact:
            raise StageError(
                f"source {self._source.name}: {addresses[0]} is an address; "
                "set `contact`, a mail or URL at which the tars' owner reaches you"
            )
        limit = int(self._source.tar_megabytes * 1e6)
        tars = {"source": self, "addresses": addresses, "limit": limit, "patience": self._source.timeout}
        return Visit(self._source.name, self._source, TarSpider, {"harvest": self._harvest} | tars)

    def _is_wanted(self, ending: str) -> bool:
        if ending in TEXTS or ending in self._columns.values():
            return True
        return ending in IMAGES and "image" not in self._columns

    def _take(self, sample: Sample, origin: str) -> None:
        told: dict[str, Any] = {}
        record: dict[str, Any] = {KEY: sample.key, "endings": sample.endings}
        try:
            if sample.fault:
                raise ValueError(sample.fault)
            texts = {end: _read(end, content) for end, content in sample.members.items() if self._is_text(end)}
            record |= texts
            self._see(sample, texts)
            told = {field: _value(column, sample, texts) for field, column in self._columns.items()}
            told.setdefault("image", next(self._images(sample), None))
        except (ValueError, RecursionError) as error:
            name = full_id(self._source.name, sample.key)
            self._harvest.refuse("listings", name, origin, str(error), record)
            return
        self._records.take(told, record, origin)

    def _is_text(self, ending: str) -> bool:
        return ending not in IMAGES and ending != self._columns.get("image")

    def _images(self, sample: Sample) -> Iterator[Content]:
        for ending in sample.members:
            if ending in IMAGES:
                yield Content(f"{sample.key}.{ending}", sample.members[ending])

    def _see(self, sample: Sample, texts: Mapping[str, Any]) -> None:
        """Note which columns there are: endings, keys of JSON, and what is mapped deeper in it."""
        columns = [KEY, *sample.endings]
        for ending, text in texts.items():
            if isinstance(text, dict):
                columns += [f"{ending}.{key}" for key in text]
        columns += [column for column in self._columns.values() if _at(column, texts) is not None]
        if len(self._found) < 1_000:
            self._found |= dict.fromkeys(columns)


def local_tars(pattern: str, root: Path = Path()) -> list[Path]:
    """The files that a path with `*` means, sorted."""
    path = root / pattern
    found = Path(path.anchor).glob(str(path.relative_to(path.anchor)))
    return sorted(each for each in found if each.is_file())


class TarSpider(PageSpider):
    """Fetches tars one after the other, so that memory holds one."""

    name = "tars"

    def __init__(
        self,
        source: WebDatasetSource,
        addresses: list[str],
        limit: int,
        patience: float,
        **arguments: Any,
    ) -> None:
        super().__init__(**arguments)
        self._source = source
        self._addresses = iter(addresses)
        self._limit = limit
        self._patience = patience

    async def start(self) -> AsyncIterator[Any]:
        """Called by Scrapy."""
        for request in self._next():
            yield request

    def closed(self, reason: str) -> None:
        """Called by Scrapy at the end."""
        try:
            self._source.check()
        except StageError as error:
            self.failure = self.failure or str(error).partition(": ")[2]

    def _next(self) -> Iterator[Request]:
        """The next tar, by its address; what is no address is refused."""
        for address in self._addresses:
            if urlsplit(address).scheme in ("http", "https"):
                # A megabyte a second is slow enough, so a large tar has more time than a page.
                patience = max(self._patience, self._limit / 1e6)
                meta = ERRORS_TOO | {"download_maxsize": self._limit, "download_timeout": patience}
                yield Request(address, self._tar_arrived, errback=self._tar_failed, meta=meta, dont_filter=True)
                return
            self._source.refuse(address, "not an http or https address")

    def _tar_arrived(self, response: Response) -> Iterator[Request]:
        if response.status == 200:
            self._source.read(response.url, io.BytesIO(response.body))
        else:
            self._source.refuse(response.url, f"answered {answer_of(response)}")
        yield from self._next()

    def _tar_failed(self, failure: Failure) -> Iterator[Request]:
        detail = str(failure.value) or type(failure.value).__name__
        if failure.check(DownloadCancelledError):
            detail = f"more than {self._limit:,} bytes; raise `tar_megabytes`, or fetch it yourself and give its path"
        self._source.refuse(failure.request.url, detail)  # type: ignore[attr-defined]
        yield from self._next()


def _read(ending: str, content: bytes) -> Any:
    if len(content) > _LARGEST_TEXT:
        raise ValueError(f"{ending}: more than {_LARGEST_TEXT:,} bytes")
    try:
        text = content.decode("utf-8-sig")
        return json.loads(text) if ending.rpartition(".")[2] == "json" else text
    except ValueError as error:
        raise ValueError(f"{ending}: {error}") from error


def _value(column: str, sample: Sample, texts: Mapping[str, Any]) -> Any:
    if column == KEY:
        return sample.key
    if column in sample.members and column not in texts:
        return Content(f"{sample.key}.{column}", sample.members[column])
    return _at(column, texts)


def _at(column: str, texts: Mapping[str, Any]) -> Any:
    """The text of an ending, or what stands in its JSON at a dotted path; None if there is no such thing."""
    if column in texts:
        return texts[column]
    value: Any = texts
    for key in column.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value
