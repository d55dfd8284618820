"""What the sources bring, until all of it is there: listings, images, other tables, and what had to be refused.

Nothing here depends on the order in which records arrive; everything is sorted when it is written.
"""

import hashlib
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from assets.catalog.blob_file import AppendOnlyBlobFile
from assets.catalog.drafts import Draft, Settled, Shown
from assets.catalog.images import ImageInfo, ImageRejectedError, Refused, examine
from assets.catalog.record_store import Shelf
from assets.catalog.rows import KEYS, MalformedError, as_json, full_id, listing_row, storable, table_row
from heddle.core.schemas import TABLES
from heddle.images.originals import Original

OTHER_TABLES = tuple(name for name in TABLES if name not in ("listings", "images"))


class Harvest:
    """Collects records of all sources; images that come with them are examined by threads.

    Args:
        spool: folder for the original bytes of images, so that memory holds few.
        pixels: the most pixels that are decoded of one image.
        size: the most bytes of one image.
    """

    def __init__(self, spool: Path, pixels: float, size: int, threads: int) -> None:
        self.spool = spool
        self.pixels = pixels
        self.size = size
        self.fetched = dict.fromkeys(("listings", *OTHER_TABLES), 0)
        self.tables: dict[str, dict[tuple[str, ...], tuple[str, dict[str, Any]]]] = {name: {} for name in OTHER_TABLES}
        self.annotating: set[str] = set()  # names of the sources that told something of another one's listings
        self._shelf, self._spool = Shelf(spool), AppendOnlyBlobFile(spool)
        self._drafts: dict[str, Draft] = {}
        self._here: dict[str, Shown] = {}  # by sha256, or by path for local files
        self._wanted: dict[str, dict[str, Shown]] = {}  # by source and address
        self._broken: BaseException | None = None  # what ended an examination, other than the image
        self._quarantine: list[dict[str, Any]] = []
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="examine")

    def listing(
        self, source: str, native_id: str, told: Mapping[str, Any], record: object, origin: str, image: str = ""
    ) -> Draft | None:
        """Take a listing; its image must follow by one of the methods below. None if it was refused."""
        self.fetched["listings"] += 1
        try:
            if not native_id:
                raise MalformedError("id is missing")
            if storable(native_id) != native_id:
                raise MalformedError("id holds half of a surrogate pair")
            row = listing_row(source, native_id, told)
            place = self._shelf.put((storable(origin), as_json(record), row))
            draft = Draft(full_id(source, native_id), image, self._shelf, place)
        except MalformedError as error:
            self._refuse("listings", full_id(source, native_id or origin), origin, "malformed_record", error, record)
            return None
        if draft.id in self._drafts:
            first = self._drafts[draft.id].origin
            self._refuse("listings", draft.id, origin, "malformed_record", f"its id also stands in {first}", record)
            return None
        self._drafts[draft.id] = draft
        return draft

    def drafts(self, source: str) -> Iterator[Draft]:
        """The listings that a source has brought so far."""
        return (draft for draft in self._drafts.values() if draft.source == source)

    def annotate(self, draft: Draft, by: str, told: Mapping[str, Any]) -> None:
        """Put what another source tells of a listing's image in the place of what the listing says itself.

        Args:
            by: name of that source.

        Raises:
            MalformedError: a field cannot be read as what it should be.
        """
        read = listing_row(draft.source, "", told)
        row = draft.row | {field: read[field] for field in told}
        if "objects" in told:
            row["relations"] = read["relations"]  # those there were point at objects that are gone
        draft.tell(draft.origin, draft.record, row)
        self.annotating.add(by)

    def image_bytes(self, draft: Draft, content: bytes) -> None:
        """The original bytes of a listing's image, as they came with it."""
        sha256 = hashlib.sha256(content).hexdigest()
        if sha256 not in self._here:
            self._examine(sha256, self._spool.put(content))
        draft.shown = self._here[sha256]

    def image_file(self, draft: Draft, path: Path) -> None:
        """A listing's image that lies on this machine; it is read in place."""
        try:
            size = path.stat().st_size if path.is_file() else None
        except (OSError, ValueError):  # longer than a file's name can be, or with characters that none can have
            size = None
        if size is None:
            self.refuse_image(draft, "image_missing", f"{path}: no such file")
        elif size > self.size:
            self.refuse_image(draft, "image_too_large", f"{size:,} bytes, allowed: {self.size:,}")
        else:
            if str(path) not in self._here:
                self._examine(str(path), Original(str(path), 0, size))
            draft.shown = self._here[str(path)]

    def image_url(self, draft: Draft, url: str, stamp: str | None = None) -> None:
        """The address of a listing's image, which :mod:`assets.catalog.fetching` fetches once for all that show it.

        Args:
            stamp: another one as soon as the source knows that the image changed.
        """
        wanted = self._wanted.setdefault(draft.source, {})
        draft.shown = wanted.setdefault(url, Shown(self._shelf, stamp))

    def refuse_image(self, draft: Draft, reason: str, detail: str) -> None:
        """The listing's image cannot be had, so the listing goes to the quarantine."""
        draft.shown = Shown(self._shelf)
        draft.shown.find(Refused(reason, detail))

    def wanted(self, source: str) -> Mapping[str, Shown]:
        """The images of a source that must be fetched, by their addresses."""
        return self._wanted.get(source, {})

    def row(self, table: str, source: str, told: Mapping[str, Any], record: object, origin: str) -> None:
        """Take a row of any table but the listings."""
        self.fetched[table] += 1
        try:
            row = table_row(table, source, told)
        except MalformedError as error:
            name = full_id(source, str(told.get("id") or origin))
            self._refuse(table, name, origin, "malformed_record", error, record)
            return
        key = tuple(str(row[column]) for column in KEYS[table])
        kept = self.tables[table].setdefault(key, (origin, row))
        if kept[1] is not row:
            detail = f"{', '.join(KEYS[table])} also stand in {kept[0]}"
            self._refuse(table, " ".join(key), origin, "malformed_record", detail, record)

    def refuse(
        self, table: str, record_id: str, origin: str, detail: str, record: object, reason: str = "malformed_record"
    ) -> None:
        """A record that is not even a mapping, has no id, or is not wanted."""
        self.fetched[table] += 1
        self._refuse(table, record_id, origin, reason, detail, record)

    def settle(self) -> Settled:
        """Wait for all images. Every listing that was taken is in the answer, accepted or refused."""
        self._threads.shutdown()
        if self._broken:
            raise self._broken
        settled = Settled()
        for draft in self._drafts.values():
            match draft.shown and draft.shown.found:
                case ImageInfo() as image:
                    settled.listings.append((draft, image))
                case Refused(reason, detail):
                    self._refuse("listings", draft.id, draft.origin, reason, detail, draft.record)
                case None:
                    raise RuntimeError(f"{draft.id}: nobody looked for its image")
        settled.quarantine = self._quarantine
        return settled

    def examined(self) -> int:
        """How many listings have an image that has been looked at, or that cannot be had."""
        return sum(bool(draft.shown and draft.shown.place is not None) for draft in self._drafts.values())

    def _examine(self, key: str, original: Original) -> None:
        self._here[key] = shown = Shown(self._shelf)
        examining = self._threads.submit(examine, original, self.pixels)
        examining.add_done_callback(partial(self._looked_at, shown))

    def _looked_at(self, shown: Shown, examining: Future[ImageInfo]) -> None:
        error = examining.exception()
        if error is None:
            shown.find(examining.result())
        elif isinstance(error, ImageRejectedError):
            shown.find(Refused(error.reason, error.detail))
        else:
            self._broken = error

    def _refuse(self, table: str, record_id: str, origin: str, reason: str, detail: object, record: object) -> None:
        told = record if isinstance(record, str) else as_json(record)
        names = {"id": record_id, "origin": origin, "detail": str(detail), "record": told}
        texts = {name: storable(text) for name, text in names.items()}
        self._quarantine.append({"table": table, "reason": reason} | texts)
