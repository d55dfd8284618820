"""Listings before they are written, and the images that they show. What is told of them lies on a shelf."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from assets.catalog.images import ImageInfo, Refused
from assets.catalog.record_store import Shelf


@dataclass(slots=True, eq=False)
class Shown:
    """An image that one or more listings show. What is found of it lies on a shelf.

    Attributes:
        stamp: for one that is fetched: text that changes with it, as its source says; see :mod:`image_cache`.
        place: on the shelf, of :attr:`found`; None until that is known.
    """

    shelf: Shelf
    stamp: str | None = None
    place: int | None = None

    @property
    def found(self) -> ImageInfo | Refused | None:
        """What it is, or why it cannot be used; None until that is known."""
        found: ImageInfo | Refused | None = None if self.place is None else self.shelf.get(self.place)
        return found

    def find(self, found: ImageInfo | Refused) -> None:
        """It is known now."""
        self.place = self.shelf.put(found)


@dataclass(slots=True, eq=False)
class Draft:
    """A listing whose image is still to come. What the source told of it lies on a shelf.

    Attributes:
        id: with the source's name.
        image: path or address of the image, as the source calls it; annotations join by its file name.
        place: on the shelf, of :attr:`origin`, :attr:`record` and :attr:`row`.
        shown: its image, as soon as the source named one.
    """

    id: str
    image: str
    shelf: Shelf
    place: int
    shown: Shown | None = None

    @property
    def source(self) -> str:
        """The source's name."""
        return self.id.partition(":")[0]

    @property
    def origin(self) -> str:
        """URL, or file and row: where a person would look it up."""
        return str(self.shelf.get(self.place)[0])

    @property
    def record(self) -> str:
        """What the source told, as JSON."""
        return str(self.shelf.get(self.place)[1])

    @property
    def row(self) -> dict[str, Any]:
        """The row of `listings`, without its image."""
        return dict(self.shelf.get(self.place)[2])

    def tell(self, origin: str, record: str, row: Mapping[str, Any]) -> None:
        """Put other words in the place of what was told."""
        self.place = self.shelf.put((origin, record, row))


@dataclass
class Settled:
    """What became of everything: `listings` and their images, and the rows of the quarantine."""

    listings: list[tuple[Draft, ImageInfo]] = field(default_factory=list)
    quarantine: list[dict[str, Any]] = field(default_factory=list)
