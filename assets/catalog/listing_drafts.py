"""Listings before they are written, and references to their images. Their contents are kept in a record store."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from assets.catalog.images import ImageInfo, ImageRejection
from assets.catalog.record_store import RecordStore


@dataclass(slots=True, eq=False)
class ImageReference:
    """An image that one or more listings show. Its examination result is kept in the record store.

    Attributes:
        stamp: for a fetched image: text that changes with the image, according to its source; see
            :mod:`assets.catalog.image_cache`.
        offset: position of :attr:`result` in the store; None until the image is examined.
    """

    store: RecordStore
    stamp: str | None = None
    offset: int | None = None

    @property
    def result(self) -> ImageInfo | ImageRejection | None:
        """Description of the image, or why it cannot be used; None until the image is examined."""
        if self.offset is None:
            return None
        content = self.store.get(self.offset)
        return ImageRejection(**content) if "reason" in content else ImageInfo.from_json(content)

    def set_result(self, result: ImageInfo | ImageRejection) -> None:
        """Store the result of the examination."""
        self.offset = self.store.put(asdict(result) if isinstance(result, ImageRejection) else result.to_json())


@dataclass(slots=True, eq=False)
class Draft:
    """A listing whose image is not examined yet. Its fields are kept in the record store.

    Attributes:
        id: id with the source's name as prefix.
        image: path or URL of the image as the source has it; annotations are joined by its file name.
        offset: position of :attr:`origin`, :attr:`record` and :attr:`row` in the store.
        image_reference: the listing's image, once the source has named one.
    """

    id: str
    image: str
    store: RecordStore
    offset: int
    image_reference: ImageReference | None = None

    @property
    def source(self) -> str:
        """Name of the source."""
        return self.id.partition(":")[0]

    @property
    def origin(self) -> str:
        """URL, or file and row, where a person can look the record up."""
        return str(self.store.get(self.offset)[0])

    @property
    def record(self) -> str:
        """The source's record as JSON."""
        return str(self.store.get(self.offset)[1])

    @property
    def row(self) -> dict[str, Any]:
        """The row of `listings`, without its image."""
        return dict(self.store.get(self.offset)[2])

    def replace_row(self, row: Mapping[str, Any]) -> None:
        """Replace the row; origin and record stay."""
        self.offset = self.store.put((self.origin, self.record, row))


@dataclass
class CollectionResult:
    """All listings with a usable image, and all rows of the quarantine."""

    listings: list[tuple[Draft, ImageInfo]] = field(default_factory=list)
    quarantine: list[dict[str, Any]] = field(default_factory=list)
