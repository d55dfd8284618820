"""Annotations of images out of a file of their own: for listings of another source, or with a folder of images."""

import json
import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from assets.catalog.collector import Harvest
from assets.catalog.drafts import Draft
from assets.catalog.rows import MalformedError, full_id
from heddle.core.stage import StageError
from heddle.sources.parameters import Annotations


@dataclass(frozen=True)
class Annotation:
    """What a file tells of one image.

    Attributes:
        id: of the image in the file; None if it has none.
        file_name: how the image's file is called, folders aside or not.
        told: by fields of a listing: objects, relations, caption, …
        fault: why it cannot be taken, if so.
    """

    id: str | None
    file_name: str
    told: Mapping[str, Any]
    record: object
    fault: str | None = None


class AnnotationSource(ABC):
    """Reads annotations; :meth:`annotate` joins them once all listings are there."""

    def __init__(self, source: Annotations, path: str) -> None:
        self._source = source
        self._path = path

    @abstractmethod
    def annotations(self) -> Iterator[Annotation]:
        """All images of the file that something is told of.

        Raises:
            StageError: the file cannot be read.
        """

    def gather(self, harvest: Harvest) -> None:
        """Bring the annotated images as listings, if the parameters give the folder in which they lie."""
        if self._source.images is None:
            return
        folder = Path(self._source.images)
        if not folder.is_dir():
            raise StageError(f"source {self._source.name}: images: {folder}: no such folder")
        for each in self.annotations():
            if each.fault:
                self._refuse(harvest, each, each.fault, "malformed_record")
                continue
            draft = harvest.listing(
                self._source.name, each.id or "", each.told, each.record, self._origin(each), image=each.file_name
            )
            if draft is not None:
                _show(harvest, draft, folder, each.file_name)

    def annotate(self, harvest: Harvest) -> None:
        """Tell the listings that are meant what is in their images. An annotation of no listing is refused."""
        if self._source.annotates is None:
            return
        join, annotates = self._source.join, self._source.annotates
        meant: dict[str, list[Draft]] = {}
        for draft in harvest.drafts(annotates):
            key = file_name(draft.image) if join == "file_name" else draft.id.partition(":")[2]
            meant.setdefault(key, []).append(draft)
        for each in self.annotations():
            key = file_name(each.file_name) if join == "file_name" else each.id or ""
            if each.fault:
                self._refuse(harvest, each, each.fault, "malformed_record")
            elif not key or key not in meant:
                what = "shows an image called" if join == "file_name" else "has the id"
                self._refuse(harvest, each, f"no listing of {annotates} {what} {key!r}", "no_such_image")
            else:
                try:
                    for draft in meant[key]:
                        harvest.annotate(draft, self._source.name, each.told)
                except MalformedError as error:
                    self._refuse(harvest, each, str(error), "malformed_record")

    def _refuse(self, harvest: Harvest, each: Annotation, detail: str, reason: str) -> None:
        name = full_id(self._source.name, each.id or each.file_name)
        harvest.refuse("listings", name, self._origin(each), detail, each.record, reason)

    def _origin(self, each: Annotation) -> str:
        return f"{self._path} image {each.id or each.file_name}"

    def _json(self, path: str) -> Any:
        try:
            return json.loads(Path(path).read_bytes())
        except FileNotFoundError as error:
            raise StageError(f"source {self._source.name}: {path}: no such file; relative to the project") from error
        except (OSError, ValueError, RecursionError) as error:
            raise StageError(f"source {self._source.name}: {path}: cannot be read as JSON: {error}") from error


def file_name(place: str) -> str:
    """The last part of a path or an address: `https://a.test/b/c%20d.jpg?w=9` is `c d.jpg`."""
    if "://" in place:
        try:
            place = unquote(urlsplit(place).path)
        except ValueError:
            return ""
    return place.replace("\\", "/").rpartition("/")[2]


def share_box(box: Sequence[Any], size: Sequence[Any]) -> list[float]:
    """A box in pixels as x0, y0, x1, y1 in shares of the image.

    Args:
        box: x and y of its upper left corner, width, height.
        size: width and height of the image, pixels.

    Raises:
        MalformedError: a number is none, the image has no size, or the box lies outside of it.
    """
    try:
        left, top, wide, high, across, down = (float(value) for value in (*box, *size))
    except (TypeError, ValueError, OverflowError) as error:
        raise MalformedError(f"a box of {list(box)} in an image of {list(size)}") from error
    values = (left / across, top / down, (left + wide) / across, (top + high) / down) if across * down > 0 else ()
    if not values or not all(map(math.isfinite, values)) or wide < 0 or high < 0:
        raise MalformedError(f"a box of {list(box)} in an image of {list(size)}")
    shares = [min(1.0, max(0.0, value)) for value in values]
    if (shares[0] == shares[2] and wide > 0) or (shares[1] == shares[3] and high > 0):
        raise MalformedError(f"a box of {list(box)} outside of its image of {list(size)}")
    return shares


def _show(harvest: Harvest, draft: Draft, folder: Path, name: str) -> None:
    """The image in the folder; a file's annotations must not make us read other files of this machine."""
    if not name or "\0" in name or not (folder / name).resolve().is_relative_to(folder.resolve()):
        harvest.refuse_image(draft, "image_missing", f"{name!r} does not lie in {folder}")
    else:
        harvest.image_file(draft, folder / name)
