"""Collect records from all sources: listings, images, rows of other tables and rejected records.

Nothing here depends on the order in which records arrive; tables are sorted when they are written.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from assets.catalog.blob_file import AppendOnlyBlobFile
from assets.catalog.images import ImageInfo, ImageRejectedError, ImageRejection, examine_image
from assets.catalog.listing_drafts import CollectionResult, Draft, ImageReference
from assets.catalog.local_images import ImageFolders
from assets.catalog.record_store import RecordStore
from assets.catalog.rows import (
    KEYS,
    MalformedError,
    build_listing_row,
    build_table_row,
    check_id,
    escape_surrogates,
    printable_id,
    qualify_id,
    to_json,
)
from heddle.core.schemas import TABLES
from heddle.core.terminal import print_progress
from heddle.images.originals import Original

OTHER_TABLES = tuple(name for name in TABLES if name not in ("listings", "images"))

PRINT_NOTE = partial(print_progress, "catalog")


class Collector:
    """Collects the records of all sources. Threads examine the images that come with the records.

    Args:
        blob_folder: folder for the original bytes of images, so that memory holds few of them.
        max_pixels: pixels of the largest image that is decoded.
        max_bytes: bytes of the largest image.
        threads: number of threads that examine images.
        note: prints a remark about a source for the user.
    """

    def __init__(
        self,
        blob_folder: Path,
        max_pixels: float,
        max_bytes: int,
        threads: int,
        note: Callable[[str], None] = PRINT_NOTE,
    ) -> None:
        self.note = note
        self.blob_folder = blob_folder
        self.max_pixels = max_pixels
        self.max_bytes = max_bytes
        self.fetched = dict.fromkeys(("listings", *OTHER_TABLES), 0)
        self.tables: dict[str, dict[tuple[str, ...], tuple[str, dict[str, Any]]]] = {name: {} for name in OTHER_TABLES}
        self.annotating: set[str] = set()  # sources that annotated another source's listings
        self._store, self._blob_file = RecordStore(blob_folder), AppendOnlyBlobFile(blob_folder)
        self._drafts: dict[str, Draft] = {}
        self._local_images: dict[str, ImageReference] = {}  # key: SHA-256 of the bytes, or the path of a local file
        self._remote_images: dict[str, dict[str, ImageReference]] = {}  # keys: source and URL
        self._error: BaseException | None = None  # an examination failed for a reason other than its image
        self._quarantine: list[dict[str, Any]] = []
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="examine")

    def add_listing(
        self, source: str, native_id: str, fields: Mapping[str, Any], record: object, origin: str, image: str = ""
    ) -> Draft | None:
        """Add a listing and return its draft, or None if it was rejected.

        One of the methods below must follow to set or reject the listing's image.
        """
        self.fetched["listings"] += 1
        try:
            check_id(native_id)
            row = build_listing_row(source, native_id, fields)
            offset = self._store.put((escape_surrogates(origin), to_json(record), row))
            draft = Draft(qualify_id(source, native_id), image, self._store, offset)
        except MalformedError as error:
            name = qualify_id(source, native_id or origin)
            self._quarantine_row("listings", name, origin, "malformed_record", error, record)
            return None
        if draft.id in self._drafts:
            detail = f"duplicate id, first used by {self._drafts[draft.id].origin}"
            self._quarantine_row("listings", draft.id, origin, "malformed_record", detail, record)
            return None
        self._drafts[draft.id] = draft
        return draft

    def drafts(self, source: str) -> Iterator[Draft]:
        """Iterate over the listings of a source so far."""
        return (draft for draft in self._drafts.values() if draft.source == source)

    def annotate(self, draft: Draft, by: str, fields: Mapping[str, Any]) -> None:
        """Overwrite fields of a listing with another source's annotations of its image.

        Args:
            by: name of the annotating source.

        Raises:
            MalformedError: a field has the wrong type or form.
        """
        parsed = build_listing_row(draft.source, "", fields)
        row = draft.row | {field: parsed[field] for field in fields}
        if "objects" in fields:
            row["relations"] = parsed["relations"]  # the old relations refer to objects that were replaced
        draft.replace_row(row)
        self.annotating.add(by)

    def set_image_bytes(self, draft: Draft, content: bytes) -> None:
        """Set a listing's image to original bytes that came with its record."""
        sha256 = hashlib.sha256(content).hexdigest()
        if sha256 not in self._local_images:
            self._examine(sha256, self._blob_file.put(content))
        draft.image_reference = self._local_images[sha256]

    def set_image_file(self, draft: Draft, name: str, folders: ImageFolders) -> None:
        """Set a listing's image to a local file, which is not copied.

        Args:
            name: path in the first of the folders.
            folders: folders that must contain the file.
        """
        try:
            path = folders.locate(name)
            size = path.stat().st_size if path.is_file() else None
        except ImageRejectedError as error:
            self.reject_image(draft, error.reason, error.detail)
            return
        except OSError:  # the name is too long
            size = None
        if size is None:
            shown = name if path.is_absolute() else path  # no absolute path of this machine gets into an output
            self.reject_image(draft, "image_missing", f"{shown}: file not found")
        elif size > self.max_bytes:
            self.reject_image(draft, "image_too_large", f"{size:,} bytes, allowed: {self.max_bytes:,}")
        else:
            if str(path) not in self._local_images:
                self._examine(str(path), Original(str(path), 0, size))
            draft.image_reference = self._local_images[str(path)]

    def set_image_url(self, draft: Draft, url: str, stamp: str | None = None) -> None:
        """Set a listing's image to a URL; :mod:`assets.catalog.fetch_images` fetches each URL once per source.

        Args:
            stamp: text that changes when the source knows that the image changed.
        """
        references = self._remote_images.setdefault(draft.source, {})
        draft.image_reference = references.setdefault(url, ImageReference(self._store, stamp))

    def reject_image(self, draft: Draft, reason: str, detail: str) -> None:
        """Send a listing to the quarantine because its image cannot be used."""
        draft.image_reference = ImageReference(self._store)
        draft.image_reference.set_result(ImageRejection(reason, detail))

    def pending_images(self, source: str) -> Mapping[str, ImageReference]:
        """The images of a source that must be fetched, by URL."""
        return self._remote_images.get(source, {})

    def add_row(self, table: str, source: str, fields: Mapping[str, Any], record: object, origin: str) -> None:
        """Add a row of any table except `listings`."""
        self.fetched[table] += 1
        try:
            row = build_table_row(table, source, fields)
        except MalformedError as error:
            name = qualify_id(source, str(fields.get("id") or origin))
            self._quarantine_row(table, name, origin, "malformed_record", error, record)
            return
        key = tuple(str(row[column]) for column in KEYS[table])
        first_origin, first_row = self.tables[table].setdefault(key, (origin, row))
        if first_row is not row:
            detail = f"duplicate {', '.join(KEYS[table])}, first used by {first_origin}"
            self._quarantine_row(table, " ".join(key), origin, "malformed_record", detail, record)

    def reject(
        self, table: str, record_id: str, origin: str, detail: str, record: object, reason: str = "malformed_record"
    ) -> None:
        """Send a record to the quarantine that cannot become a row."""
        self.fetched[table] += 1
        self._quarantine_row(table, record_id, origin, reason, detail, record)

    def finish(self) -> CollectionResult:
        """Wait for all images. The result contains every added listing, either accepted or quarantined."""
        self._threads.shutdown()
        if self._error:
            raise self._error
        result = CollectionResult()
        for draft in self._drafts.values():
            match draft.image_reference and draft.image_reference.result:
                case ImageInfo() as image:
                    result.listings.append((draft, image))
                case ImageRejection(reason, detail):
                    self._quarantine_row("listings", draft.id, draft.origin, reason, detail, draft.record)
                case None:
                    raise RuntimeError(f"{draft.id}: its image was never examined")
        result.quarantine = self._quarantine
        return result

    def count_examined(self) -> int:
        """Count the listings whose image was examined or rejected."""
        references = [draft.image_reference for draft in self._drafts.values()]
        return sum(reference is not None and reference.offset is not None for reference in references)

    def _examine(self, key: str, original: Original) -> None:
        reference = ImageReference(self._store)
        self._local_images[key] = reference
        examining = self._threads.submit(examine_image, original, self.max_pixels)
        examining.add_done_callback(partial(self._store_result, reference))

    def _store_result(self, reference: ImageReference, examining: Future[ImageInfo]) -> None:
        error = examining.exception()
        if error is None:
            reference.set_result(examining.result())
        elif isinstance(error, ImageRejectedError):
            reference.set_result(ImageRejection(error.reason, error.detail))
        else:
            self._error = error

    def _quarantine_row(
        self, table: str, record_id: str, origin: str, reason: str, detail: object, record: object
    ) -> None:
        text = record if isinstance(record, str) else to_json(record)
        values = {"id": printable_id(record_id), "origin": origin, "detail": str(detail), "record": text}
        escaped = {name: escape_surrogates(value) for name, value in values.items()}
        self._quarantine.append({"table": table, "reason": reason} | escaped)
