"""The source `coco`: objects, and captions, in COCO's JSON (https://cocodataset.org/#format-data)."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from assets.catalog.annotations import Annotation, AnnotationSource, normalize_box
from assets.catalog.rows import MalformedError
from heddle.core.stage import StageError
from heddle.sources.parameters import Coco

CROWD = "crowd"  # attribute of a box around several objects of one category


class CocoSource(AnnotationSource):
    """Reads one file."""

    def __init__(self, source: Coco) -> None:
        super().__init__(source, source.path)
        self._name = source.name

    def read_annotations(self) -> Iterator[Annotation]:
        """Read each image with its objects and first caption; annotations without an image are combined by image id."""
        content = self._json(self._path)
        if not isinstance(content, dict) or not isinstance(content.get("images"), list):
            found = ", ".join(content) if isinstance(content, dict) else type(content).__name__
            raise StageError(
                f"source {self._name}: {self._path}: no list `images`, which COCO has; found: {found[:500]}"
            )
        categories = {str(each["id"]): str(each["name"]) for each in _dicts(content, "categories", "id", "name")}
        licences = {str(each["id"]): each for each in _dicts(content, "licenses", "id")}
        by_image: dict[str, list[Any]] = defaultdict(list)
        for each in _list(content, "annotations"):
            image = each.get("image_id") if isinstance(each, dict) else None
            by_image["" if image is None else str(image)].append(each)
        for image in content["images"]:
            id_ = image.get("id") if isinstance(image, dict) else None
            annotations = by_image.pop(str(id_), []) if id_ is not None else []
            yield self._annotation(image, annotations, categories, licences)
        for key, orphans in by_image.items():
            yield Annotation(
                key or None, "", {}, orphans, f"{len(orphans)} annotations of an image that is not in `images`"
            )

    def _annotation(
        self, image: Any, annotations: list[Any], categories: Mapping[str, str], licences: Mapping[str, Any]
    ) -> Annotation:
        record = {"image": image, "annotations": annotations}
        if not isinstance(image, dict) or image.get("id") is None or not isinstance(image.get("file_name"), str):
            return Annotation(None, "", {}, record, "an image without an id or a file_name")
        try:
            size = (image.get("width"), image.get("height"))
            boxed = [each for each in annotations if not isinstance(each, dict) or "bbox" in each]
            fields: dict[str, Any] = {"objects": [_object(each, categories, size) for each in boxed]} if boxed else {}
        except (MalformedError, ValueError, OverflowError) as error:
            return Annotation(str(image["id"]), image["file_name"], {}, record, f"objects: {error}")
        captions = [each["caption"] for each in annotations if isinstance(each, dict) and each.get("caption")]
        if captions:
            fields["caption"] = captions[0]
        licence = licences.get(str(image.get("license")), {})
        if licence.get("url") or licence.get("name"):
            fields["licence"] = licence.get("url") or licence["name"]
        return Annotation(str(image["id"]), image["file_name"], fields, record)


def _object(each: Any, categories: Mapping[str, str], size: tuple[Any, Any]) -> dict[str, Any]:
    """Convert one object to the form of listings.

    Raises:
        MalformedError: the category is unknown or the box is invalid.
    """
    if not isinstance(each, dict) or not isinstance(each["bbox"], list) or len(each["bbox"]) != 4:
        raise MalformedError(f"found {str(each)[:120]!r}")
    label = categories.get(str(each.get("category_id")))
    if label is None:
        raise MalformedError(f"category {each.get('category_id')!r} is not among `categories`")
    crowd = [CROWD] if each.get("iscrowd") else []
    return {"label": label, "box": normalize_box(each["bbox"], size), "attributes": _attributes(each) + crowd}


def _attributes(each: Mapping[str, Any]) -> list[str]:
    """Return attributes. COCO has none, but tools that write its format add a list, or names with values."""
    attributes = each.get("attributes")
    if isinstance(attributes, list):
        return [str(value) for value in attributes]
    pairs = attributes.items() if isinstance(attributes, dict) else ()
    return [
        str(name) if value is True else f"{name}: {value}" for name, value in pairs if value not in (False, None, "")
    ]


def _list(content: Mapping[str, Any], name: str) -> list[Any]:
    value = content.get(name)
    return value if isinstance(value, list) else []


def _dicts(content: Mapping[str, Any], name: str, *keys: str) -> list[dict[str, Any]]:
    return [each for each in _list(content, name) if isinstance(each, dict) and all(key in each for key in keys)]
