"""Rows out of records whose columns the parameters map to fields: what tables, tars and data sets share."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from assets.catalog.collector import Harvest
from assets.catalog.crawl_job import Visit
from assets.catalog.drafts import Draft
from heddle.core.schemas import TABLES
from heddle.core.stage import StageError
from heddle.sources.parameters import ListingField, Mapped


@dataclass(frozen=True)
class Content:
    """An image that came with its record: what the source calls it, and its bytes."""

    name: str
    bytes: bytes


class MappedRecords:
    """Takes the records of one source, one by one.

    Args:
        place: file, folder or data set, for messages.
        folder: to which paths of images are relative; None where a record may not name a file of this machine.
    """

    def __init__(self, source: Mapped, place: str, harvest: Harvest, folder: Path | None) -> None:
        self._source = source
        self._harvest = harvest
        self._folder = folder
        self._named = f"source {source.name}: {place}"

    def take(self, told: Mapping[str, Any], record: object, origin: str) -> None:
        """Take a record.

        Args:
            told: by the fields of the mapping; `image` is a path, a URL or a :class:`Content`.
            record: all that the source told, for the quarantine.
            origin: where a person would look it up.
        """
        if self._source.table != "listings":
            self._harvest.row(self._source.table, self._source.name, told, record, origin)
            return
        fields = dict(told)
        native, image = fields.pop("id", None), fields.pop("image", None)
        if not isinstance(image, Content):
            image = str("" if image is None else image).strip()
        name = image.name if isinstance(image, Content) else image
        id_ = "" if native is None else str(native).strip()
        draft = self._harvest.listing(self._source.name, id_, fields, record, origin, image=name)
        if draft is not None:
            self._show(draft, image)

    def visit(self) -> Visit | None:
        """The crawl of the images that were given by URL, if there are any.

        Raises:
            StageError: there are some, but the parameters name nobody whom their owners could write to.
        """
        wanted = self._harvest.wanted(self._source.name)
        if not wanted:
            return None
        if not self._source.contact:
            raise StageError(
                f"{self._named}: images are given by URL, {next(iter(wanted))} is the first of {len(wanted)}; "
                "set `contact`, a mail or URL at which the sites' owners reach you"
            )
        return Visit(self._source.name, self._source)

    def _show(self, draft: Draft, image: Content | str) -> None:
        if not image:
            self._harvest.refuse_image(draft, "no_image", "the record names no image")
        elif isinstance(image, Content):
            if len(image.bytes) > self._harvest.size:
                self._harvest.refuse_image(draft, "image_too_large", f"more than {self._harvest.size:,} bytes")
            else:
                self._harvest.image_bytes(draft, image.bytes)
        elif "://" in image:
            self._harvest.image_url(draft, image)
        elif self._folder is None or "\0" in image:
            self._harvest.refuse_image(draft, "image_missing", f"{image!r} is neither an address nor an image")
        else:
            self._harvest.image_file(draft, self._folder / image)


def check_fields(named: str, table: str, fields: Collection[str]) -> None:
    """Find mistakes in a mapping's left side, which depends on the table.

    Args:
        named: source and file, to begin the message with.

    Raises:
        StageError: a field is none of the table's, or one that every row must have is not mapped.
    """
    schema = TABLES[table]
    allowed = {"id", "image", *get_args(ListingField)} if table == "listings" else set(schema.names)
    needed = {"id"} if table == "listings" else {field.name for field in schema if not field.nullable}
    unknown, missing = set(fields) - allowed, needed - set(fields)
    if unknown:
        raise StageError(
            f"{named}: columns: {', '.join(sorted(unknown))} is no field of {table}; "
            f"allowed: {', '.join(sorted(allowed))}"
        )
    if missing:
        raise StageError(f"{named}: columns: {', '.join(sorted(missing))} must be mapped for {table}")


def check_columns(named: str, columns: Collection[str], found: Collection[str]) -> None:
    """Find mistakes in a mapping's right side, which depends on what the source has.

    Raises:
        StageError: a column is not there; the message tells those that are.
    """
    missing = [column for column in columns if column not in found]
    if missing:
        raise StageError(f"{named}: no column {', '.join(map(repr, missing))}; there is: {', '.join(found)}")
