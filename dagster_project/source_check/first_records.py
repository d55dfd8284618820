"""Collect only the first records of a source."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from assets.catalog.collector import Collector
from assets.catalog.listing_drafts import Draft
from heddle.sources.parameters import Beir, CatalogParameters, Demo, Source, WordPress

THREADS = 2


class EnoughRecords(Exception):  # noqa: N818, it is no error
    """The wanted number of records was read."""


class FirstRecords(Collector):
    """A collector that ends the reading of a source after some records of a table.

    Args:
        blob_folder: temporary folder.
        parameters: limits of images.
        source: the source to read.
        limit: number of records of each table.

    Attributes:
        crawling: whether pages are crawled; Scrapy is ended by an exception of its own.
        limited: whether there are further records.
        records: the sources' records as they are.
        notes: remarks of the source.
    """

    def __init__(self, blob_folder: Path, parameters: CatalogParameters, source: Source, limit: int) -> None:
        self.notes: list[str] = []
        megabytes = int(parameters.image_megabytes * 1e6)
        super().__init__(blob_folder, parameters.image_megapixels * 1e6, megabytes, THREADS, self.notes.append)
        self.crawling = self.limited = False
        self.records: list[Mapping[str, Any]] = []
        self._source, self._limit = source, limit

    def add_listing(
        self, source: str, native_id: str, fields: Mapping[str, Any], record: object, origin: str, image: str = ""
    ) -> Draft | None:
        """Add a listing, if it is one of the first."""
        if self._is_full("listings"):
            self._stop("listings")
            return None
        self._keep(record)
        return super().add_listing(source, native_id, fields, record, origin, image)

    def add_row(self, table: str, source: str, fields: Mapping[str, Any], record: object, origin: str) -> None:
        """Add a row of another table, if it is one of the first."""
        if self._is_full(table):
            self._stop(table)
            return
        self._keep(record)
        super().add_row(table, source, fields, record, origin)

    def reject(
        self, table: str, record_id: str, origin: str, detail: str, record: object, reason: str = "malformed_record"
    ) -> None:
        """Refuse a record, if it is one of the first. Annotations of listings after the first ones are no faults."""
        if not self._is_full(table) and not (self.annotating_first and reason == "no_such_image"):
            super().reject(table, record_id, origin, detail, record, reason)

    @property
    def annotating_first(self) -> bool:
        """Whether annotations are joined with some of the listings only."""
        return self.limited and getattr(self._source, "annotates", None) is not None

    def _is_full(self, table: str) -> bool:
        full = self.fetched[table] >= self._limit
        self.limited |= full
        return full

    def _keep(self, record: object) -> None:
        if isinstance(record, Mapping):
            self.records.append(record)

    def _stop(self, table: str) -> None:
        """End the reading where nothing else of the source would be missed."""
        if isinstance(self._source, Beir) or (isinstance(self._source, WordPress | Demo) and table != "listings"):
            return
        if not self.crawling:
            raise EnoughRecords
        from scrapy.exceptions import CloseSpider

        raise CloseSpider("finished")  # any other reason counts as a failure of the crawl
