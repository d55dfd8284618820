"""Annotations of images in a separate file: for listings of another source, or with a folder of images."""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from assets.catalog.collector import Collector
from assets.catalog.listing_drafts import Draft
from assets.catalog.local_images import ImageFolders
from assets.catalog.nested_json import parse_json
from assets.catalog.rows import MalformedError, qualify_id
from heddle.core.stage import StageError
from heddle.sources.parameters import Annotations


@dataclass(frozen=True)
class Annotation:
    """Annotation of one image.

    Attributes:
        id: id of the image in the file; None if it has none.
        file_name: name or path of the image file.
        fields: values by fields of a listing: objects, relations, caption, …
        fault: why the annotation cannot be used, if so.
    """

    id: str | None
    file_name: str
    fields: Mapping[str, Any]
    record: object
    fault: str | None = None


class AnnotationSource(ABC):
    """Reads annotations; :meth:`annotate` joins them once all listings are collected."""

    def __init__(self, source: Annotations, path: str) -> None:
        self._source = source
        self._path = path

    @abstractmethod
    def read_annotations(self) -> Iterator[Annotation]:
        """Read the annotations of all images in the file.

        Raises:
            StageError: the file cannot be read.
        """

    def gather(self, collector: Collector) -> None:
        """Add the annotated images as listings, if the parameters contain the folder of the images."""
        if self._source.images is None:
            return
        folder = Path(self._source.images)
        if not folder.is_dir():
            raise StageError(f"source {self._source.name}: images: {folder}: folder not found")
        folders = ImageFolders([folder], self._source.outside)
        for each in self.read_annotations():
            if each.fault:
                self._reject(collector, each, each.fault, "malformed_record")
                continue
            draft = collector.add_listing(
                self._source.name, each.id or "", each.fields, each.record, self._origin(each), image=each.file_name
            )
            if draft is not None:
                collector.set_image_file(draft, each.file_name, folders)

    def annotate(self, collector: Collector) -> None:
        """Add the annotations to the listings of another source. An annotation without a listing is rejected."""
        if self._source.annotates is None:
            return
        join, annotates = self._source.join, self._source.annotates
        drafts: dict[str, list[Draft]] = {}
        for draft in collector.drafts(annotates):
            key = extract_file_name(draft.image) if join == "file_name" else draft.id.partition(":")[2]
            drafts.setdefault(key, []).append(draft)
        for each in self.read_annotations():
            key = extract_file_name(each.file_name) if join == "file_name" else each.id or ""
            if each.fault:
                self._reject(collector, each, each.fault, "malformed_record")
            elif not key or key not in drafts:
                what = "has an image named" if join == "file_name" else "has the id"
                self._reject(collector, each, f"no listing of {annotates} {what} {key!r}", "no_such_image")
            else:
                try:
                    for draft in drafts[key]:
                        collector.annotate(draft, self._source.name, each.fields)
                except MalformedError as error:
                    self._reject(collector, each, str(error), "malformed_record")

    def _reject(self, collector: Collector, each: Annotation, detail: str, reason: str) -> None:
        name = qualify_id(self._source.name, each.id or each.file_name)
        collector.reject("listings", name, self._origin(each), detail, each.record, reason)

    def _origin(self, each: Annotation) -> str:
        return f"{self._path} image {each.id or each.file_name}"

    def _json(self, path: str) -> Any:
        try:
            return parse_json(Path(path).read_bytes())
        except FileNotFoundError as error:
            raise StageError(
                f"source {self._source.name}: {path}: file not found; the path is relative to the project"
            ) from error
        except (OSError, ValueError) as error:
            raise StageError(f"source {self._source.name}: {path}: cannot be read as JSON: {error}") from error


def extract_file_name(location: str) -> str:
    """Return the last part of a path or URL: `c d.jpg` of `https://a.test/b/c%20d.jpg?w=9`."""
    if "://" in location:
        try:
            location = unquote(urlsplit(location).path)
        except ValueError:
            return ""
    return location.replace("\\", "/").rpartition("/")[2]


def normalize_box(box: Sequence[Any], size: Sequence[Any]) -> list[float]:
    """Convert a box in pixels to x0, y0, x1, y1 in [0, 1].

    Args:
        box: x and y of the upper left corner, width, height, pixels.
        size: width and height of the image, pixels.

    Raises:
        MalformedError: a value is no number, the image has no size, or the box is outside the image.
    """
    try:
        left, top, wide, high, across, down = (float(value) for value in (*box, *size))
    except (TypeError, ValueError, OverflowError) as error:
        raise MalformedError(f"invalid box {list(box)} in an image of size {list(size)}") from error
    has_size = across > 0 and down > 0
    values = (left / across, top / down, (left + wide) / across, (top + high) / down) if has_size else ()
    if not values or not all(map(math.isfinite, values)) or wide < 0 or high < 0:
        raise MalformedError(f"invalid box {list(box)} in an image of size {list(size)}")
    shares = [min(1.0, max(0.0, value)) for value in values]
    if (shares[0] == shares[2] and wide > 0) or (shares[1] == shares[3] and high > 0):
        raise MalformedError(f"box {list(box)} is outside its image of size {list(size)}")
    return shares
