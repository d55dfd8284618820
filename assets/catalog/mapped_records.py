"""Convert records to rows by a mapping of columns to fields; shared by tables, tars and data sets."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from assets.catalog.collector import Collector
from assets.catalog.crawl_job import CrawlJob
from assets.catalog.listing_drafts import Draft
from assets.catalog.local_images import ImageFolders
from heddle.core.schemas import TABLES
from heddle.core.stage import StageError
from heddle.sources.parameters import ListingField, Mapped


@dataclass(frozen=True)
class ImageContent:
    """An image that came with its record: its name in the source, and its bytes."""

    name: str
    bytes: bytes


class MappedRecords:
    """Adds the records of one source to the collector.

    Args:
        location: file, folder or data set, for messages.
        folders: folders of local images; None if records must not name local files.
    """

    def __init__(self, source: Mapped, location: str, collector: Collector, folders: ImageFolders | None) -> None:
        self._source = source
        self._collector = collector
        self._folders = folders
        self._named = f"source {source.name}: {location}"

    def add(self, fields: Mapping[str, Any], record: object, origin: str) -> None:
        """Add a record.

        Args:
            fields: values by the fields of the mapping; `image` is a path, a URL or an :class:`ImageContent`.
            record: the whole record, for the quarantine.
            origin: where a person can look the record up.
        """
        if self._source.table != "listings":
            self._collector.add_row(self._source.table, self._source.name, fields, record, origin)
            return
        fields = dict(fields)
        native_id, image = fields.pop("id", None), fields.pop("image", None)
        if not isinstance(image, ImageContent):
            image = str("" if image is None else image).strip()
        name = image.name if isinstance(image, ImageContent) else image
        id_ = "" if native_id is None else str(native_id).strip()
        draft = self._collector.add_listing(self._source.name, id_, fields, record, origin, image=name)
        if draft is not None:
            self._set_image(draft, image)

    def create_crawl_job(self) -> CrawlJob | None:
        """Return the crawl of the images that records give by URL, or None.

        Raises:
            StageError: there are image URLs, but the parameters have no `contact`.
        """
        pending = self._collector.pending_images(self._source.name)
        if not pending:
            return None
        if not self._source.contact:
            raise StageError(
                f"{self._named}: {len(pending)} images are URLs, the first is {next(iter(pending))}; "
                "set `contact`, a mail address or URL for the sites' owners"
            )
        return CrawlJob(self._source.name, self._source)

    def _set_image(self, draft: Draft, image: ImageContent | str) -> None:
        if not image:
            self._collector.reject_image(draft, "no_image", "the record has no image")
        elif isinstance(image, ImageContent):
            if len(image.bytes) > self._collector.max_bytes:
                self._collector.reject_image(draft, "image_too_large", f"more than {self._collector.max_bytes:,} bytes")
            else:
                self._collector.set_image_bytes(draft, image.bytes)
        elif "://" in image:
            self._collector.set_image_url(draft, image)
        elif self._folders is None:
            self._collector.reject_image(
                draft, "image_missing", f"{image!r} is neither a URL nor a local file that may be read"
            )
        else:
            self._collector.set_image_file(draft, image, self._folders)


def check_fields(named: str, table: str, fields: Collection[str]) -> None:
    """Check the fields of a mapping.

    Args:
        named: source and file, for messages.

    Raises:
        StageError: the table has no such field, or a required field is not mapped.
    """
    schema = TABLES[table]
    allowed = {"id", "image", *get_args(ListingField)} if table == "listings" else set(schema.names)
    needed = {"id"} if table == "listings" else {field.name for field in schema if not field.nullable}
    unknown, missing = set(fields) - allowed, needed - set(fields)
    if unknown:
        raise StageError(
            f"{named}: columns: unknown field {', '.join(sorted(unknown))} of {table}; "
            f"allowed: {', '.join(sorted(allowed))}"
        )
    if missing:
        raise StageError(f"{named}: columns: {', '.join(sorted(missing))} must be mapped for {table}")


def check_columns(named: str, columns: Collection[str], found: Collection[str]) -> None:
    """Check the columns of a mapping.

    Raises:
        StageError: a column is missing; the message lists the existing ones.
    """
    missing = [column for column in columns if column not in found]
    if missing:
        raise StageError(f"{named}: no column {', '.join(map(repr, missing))}; columns: {', '.join(found)}")
