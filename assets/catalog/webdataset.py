"""The source `webdataset`: tars of samples, each an image with text or JSON; local files or URLs."""

import io
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.exceptions import DownloadCancelledError
from scrapy.http import Response
from twisted.python.failure import Failure

from assets.catalog.collector import Collector
from assets.catalog.crawl_job import CrawlJob, format_status
from assets.catalog.mapped_records import ImageContent, MappedRecords, check_columns, check_fields
from assets.catalog.nested_json import parse_json
from assets.catalog.rows import qualify_id
from assets.catalog.spiders import PASS_ERRORS, PageSpider
from assets.catalog.tar_samples import TarDamage, TarSample, read_samples
from heddle.core.stage import StageError
from heddle.sources.locations import find_tars
from heddle.sources.parameters import WebDataset

IMAGES = ("jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff", "avif")
"""Endings of images; the first one of a sample is its image unless the parameters map `image`."""
TEXTS = ("txt", "json", "cls")
KEY = "__key__"
_MAX_TEXT_BYTES = 1_000_000


class WebDatasetSource:
    """Reads tars: local files at once, URLs during the crawl."""

    def __init__(self, source: WebDataset) -> None:
        self._source = source
        self._columns: dict[str, str] = {"id": KEY, **source.columns}
        self._found: dict[str, None] = {}  # columns of all samples, in order of first occurrence
        self._collector: Collector
        self._records: MappedRecords

    def gather(self, collector: Collector) -> CrawlJob | None:
        """Add the samples of local tars; return the crawl of the other tars and of images that are URLs.

        Raises:
            StageError: a local tar is missing, or no sample has a column of the mapping.
        """
        check_fields(f"source {self._source.name}", "listings", self._columns)
        self._collector = collector
        self._records = MappedRecords(self._source, "its tars", collector, None)
        urls = []
        for tar in self._source.tars:
            if "://" in tar:
                urls.append(tar)
                continue
            for path in self._find_paths(tar):
                with path.open("rb") as file:
                    self.read(str(path), file)
        if not urls:
            self.check()
            return self._records.create_crawl_job()
        return self._create_crawl_job(urls)

    def read(self, name: str, file: BinaryIO) -> None:
        """Add the samples of one tar."""
        for sample in read_samples(file, self._is_wanted, self._collector.max_bytes):
            if isinstance(sample, TarDamage):
                self.reject(name, f"the tar is {sample.detail}; earlier samples are used")
            else:
                self._add_sample(sample, f"{name} {sample.key}")

    def reject(self, tar: str, detail: str) -> None:
        """Reject a tar, or the rest of it."""
        self._collector.reject("listings", qualify_id(self._source.name, tar), tar, detail, {"tar": tar})

    def check(self) -> None:
        """Check the mapping after all samples were read.

        Raises:
            StageError: no sample has a mapped column; the message lists the existing ones.
        """
        if self._found:
            check_columns(f"source {self._source.name}: its samples", self._columns.values(), self._found)

    def _find_paths(self, pattern: str) -> list[Path]:
        paths = find_tars(pattern)
        if not paths:
            raise StageError(
                f"source {self._source.name}: {pattern}: file not found; `tars` are relative to the project"
            )
        return paths

    def _create_crawl_job(self, urls: list[str]) -> CrawlJob:
        if not self._source.contact:
            raise StageError(
                f"source {self._source.name}: {urls[0]} is a URL; "
                "set `contact`, a mail address or URL for the tars' owner"
            )
        limit = int(self._source.tar_megabytes * 1e6)
        tars = {"source": self, "urls": urls, "limit": limit, "timeout": self._source.timeout}
        return CrawlJob(self._source.name, self._source, TarSpider, {"collector": self._collector} | tars)

    def _is_wanted(self, ending: str) -> bool:
        if ending in TEXTS or ending in self._columns.values():
            return True
        return ending in IMAGES and "image" not in self._columns

    def _add_sample(self, sample: TarSample, origin: str) -> None:
        fields: dict[str, Any] = {}
        record: dict[str, Any] = {KEY: sample.key, "endings": sample.endings}
        try:
            if sample.fault:
                raise ValueError(sample.fault)
            texts = {end: _parse_text(end, content) for end, content in sample.members.items() if self._is_text(end)}
            record |= texts
            self._note_columns(sample, texts)
            fields = {field: _get_value(column, sample, texts) for field, column in self._columns.items()}
            fields.setdefault("image", next(self._images(sample), None))
        except (ValueError, RecursionError) as error:
            name = qualify_id(self._source.name, sample.key)
            self._collector.reject("listings", name, origin, str(error), record)
            return
        self._records.add(fields, record, origin)

    def _is_text(self, ending: str) -> bool:
        return ending not in IMAGES and ending != self._columns.get("image")

    def _images(self, sample: TarSample) -> Iterator[ImageContent]:
        for ending in sample.members:
            if ending in IMAGES:
                yield ImageContent(f"{sample.key}.{ending}", sample.members[ending])

    def _note_columns(self, sample: TarSample, texts: Mapping[str, Any]) -> None:
        """Note the sample's columns: endings, JSON keys, and mapped paths into JSON."""
        columns = [KEY, *sample.endings]
        for ending, text in texts.items():
            if isinstance(text, dict):
                columns += [f"{ending}.{key}" for key in text]
        columns += [column for column in self._columns.values() if _get_path(column, texts) is not None]
        if len(self._found) < 1_000:
            self._found |= dict.fromkeys(columns)


class TarSpider(PageSpider):
    """Fetches tars one after another, so that memory holds one."""

    name = "tars"

    def __init__(
        self,
        source: WebDatasetSource,
        urls: list[str],
        limit: int,
        timeout: float,
        **arguments: Any,
    ) -> None:
        super().__init__(**arguments)
        self._source = source
        self._urls = iter(urls)
        self._limit = limit
        self._timeout = timeout

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
        """Request the next tar; invalid URLs are rejected."""
        for url in self._urls:
            if urlsplit(url).scheme in ("http", "https"):
                # At least a second per megabyte, so that a large tar has more time than a page.
                timeout = max(self._timeout, self._limit / 1e6)
                meta = PASS_ERRORS | {"download_maxsize": self._limit, "download_timeout": timeout}
                yield Request(url, self._read_tar, errback=self._handle_tar_error, meta=meta, dont_filter=True)
                return
            self._source.reject(url, "not an http or https URL")

    def _read_tar(self, response: Response) -> Iterator[Request]:
        if response.status == 200:
            self._source.read(response.url, io.BytesIO(response.body))
        else:
            self._source.reject(response.url, f"returned {format_status(response.status)}")
        yield from self._next()

    def _handle_tar_error(self, failure: Failure) -> Iterator[Request]:
        detail = str(failure.value) or type(failure.value).__name__
        if failure.check(DownloadCancelledError):
            detail = f"more than {self._limit:,} bytes; raise `tar_megabytes`, or download the tar and set its path"
        self._source.reject(failure.request.url, detail)  # type: ignore[attr-defined]
        yield from self._next()


def _parse_text(ending: str, content: bytes) -> Any:
    if len(content) > _MAX_TEXT_BYTES:
        raise ValueError(f"{ending}: more than {_MAX_TEXT_BYTES:,} bytes")
    try:
        text = content.decode("utf-8-sig")
        return parse_json(text) if ending.rpartition(".")[2] == "json" else text
    except ValueError as error:
        raise ValueError(f"{ending}: {error}") from error


def _get_value(column: str, sample: TarSample, texts: Mapping[str, Any]) -> Any:
    if column == KEY:
        return sample.key
    if column in sample.members and column not in texts:
        return ImageContent(f"{sample.key}.{column}", sample.members[column])
    return _get_path(column, texts)


def _get_path(column: str, texts: Mapping[str, Any]) -> Any:
    """Return the text of an ending, or the value at a dotted path in its JSON; None if it does not exist."""
    if column in texts:
        return texts[column]
    value: Any = texts
    for key in column.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value
