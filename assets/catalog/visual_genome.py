"""The source `visual_genome`: objects and relationships in Visual Genome's JSON (Krishna et al., IJCV 2017)."""

from collections.abc import Iterator, Mapping
from typing import Any

from assets.catalog.annotations import Annotation, AnnotationSource, extract_file_name, normalize_box
from assets.catalog.rows import MalformedError
from heddle.core.stage import StageError
from heddle.sources.parameters import VisualGenome


class VisualGenomeSource(AnnotationSource):
    """Reads `image_data.json`, `objects.json` (or `attributes.json`) and `relationships.json`."""

    def __init__(self, source: VisualGenome) -> None:
        super().__init__(source, source.objects)
        self._files = source

    def read_annotations(self) -> Iterator[Annotation]:
        """Read each image that has objects, with its relationships; other annotations get a fault."""
        images = {str(each["image_id"]): each for each in self._images(self._files.image_data)}
        relations = self._by_id(self._files.relationships) if self._files.relationships else {}
        for id_, objects_entry in self._by_id(self._files.objects).items():
            yield _annotation(id_, images.get(id_), objects_entry, relations.pop(id_, {}))
        for id_, objects_entry in relations.items():
            yield Annotation(id_, "", {}, objects_entry, "the image of these relationships has no objects")

    def _by_id(self, path: str) -> dict[str, dict[str, Any]]:
        return {str(each["image_id"]): each for each in self._images(path)}

    def _images(self, path: str) -> list[dict[str, Any]]:
        content = self._json(path)
        named = f"source {self._files.name}: {path}"
        if not isinstance(content, list):
            raise StageError(f"{named}: expected a list of images, found {type(content).__name__}")
        images = []
        for number, each in enumerate(content, 1):
            if not isinstance(each, dict):
                raise StageError(f"{named}: entry {number} is not a JSON object")
            id_ = each.get("image_id", each.get("id"))  # the name differs between its files
            if id_ is None:
                raise StageError(f"{named}: entry {number} has no image_id; found: {', '.join(each)[:500]}")
            images.append(each | {"image_id": id_})
        return images


def _annotation(
    id_: str, image: Mapping[str, Any] | None, objects_entry: Mapping[str, Any], related: Mapping[str, Any]
) -> Annotation:
    record = {"image": image, "objects": objects_entry, "relationships": related}
    if image is None:
        return Annotation(id_, "", {}, record, "the image of these objects is not in image_data")
    # The images are distributed as `<id>.jpg`, and their URLs end with this name.
    name = extract_file_name(str(image.get("url") or "")) or f"{id_}.jpg"
    try:
        fields = _fields(objects_entry, related, (image.get("width"), image.get("height")))
    except (MalformedError, TypeError, AttributeError, ValueError) as error:
        return Annotation(id_, name, {}, record, f"objects or relationships: {error}")
    return Annotation(id_, name, fields, record)


def _fields(objects_entry: Mapping[str, Any], related: Mapping[str, Any], size: tuple[Any, Any]) -> dict[str, Any]:
    """Convert objects and relations to the form of listings. Objects that only relations contain are added."""
    objects: list[dict[str, Any]] = []
    indices: dict[str, int] = {}

    def index_of(each: Any) -> int:
        key = str(each.get("object_id", f"unnamed {len(objects)}"))
        if key not in indices:
            indices[key] = len(objects)
            objects.append(_object(each, size))
        return indices[key]

    for each in objects_entry.get("objects") or objects_entry.get("attributes") or []:
        index_of(each)
    relations = [
        {
            "subject": index_of(each.get("subject")),
            "predicate": str(each.get("predicate") or "").strip().lower(),
            "object": index_of(each.get("object")),
        }
        for each in related.get("relationships") or []
    ]
    return {"objects": objects, "relations": relations}


def _object(each: Any, size: tuple[Any, Any]) -> dict[str, Any]:
    names = each.get("names") or [each.get("name")]
    if not isinstance(names, list) or not isinstance(names[0], str):
        raise MalformedError(f"object without a name: {str(each)[:120]!r}")
    corner = (each.get("x"), each.get("y"))
    box = normalize_box((*corner, each.get("w", each.get("width")), each.get("h", each.get("height"))), size)
    return {"label": names[0], "box": box, "attributes": [str(word) for word in each.get("attributes") or []]}
