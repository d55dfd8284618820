"""Where the data of a source are: local files and folders, or other hosts."""

from collections.abc import Sequence
from pathlib import Path

from heddle.sources.parameters import (
    Beir,
    Coco,
    CrawlSettings,
    HuggingFace,
    Source,
    Table,
    VisualGenome,
    WebDataset,
    Wxr,
)


def local_paths(source: Source, root: Path = Path()) -> list[str]:
    """Return the local files and folders that a source reads, as its parameters name them; `*` is expanded."""
    match source:
        case Table() | Wxr() | Beir():
            return [source.path]
        case WebDataset():
            return [path for tar in source.tars if "://" not in tar for path in _expand(tar, root)]
        case HuggingFace():
            return [source.path] if is_local_folder(source, root) else []
        case Coco():
            return [path for path in (source.path, source.images) if path]
        case VisualGenome():
            files = (source.image_data, source.objects, source.relationships, source.images)
            return [path for path in files if path]
        case _:
            return []


def is_remote(source: Source, root: Path = Path()) -> bool:
    """Return whether a source sends requests to other hosts, for records or only for images."""
    match source:
        case HuggingFace():
            return source.contact is not None or not is_local_folder(source, root)
        case CrawlSettings():
            return source.contact is not None  # without it, a source must not contain URLs
        case _:
            return False


def is_local_folder(source: HuggingFace, root: Path = Path()) -> bool:
    """Return whether the data set is a folder rather than one of the hub."""
    return (root / source.path).is_dir()


def find_tars(pattern: str, root: Path = Path()) -> list[Path]:
    """Return the files that match a path with `*`, sorted."""
    path = root / pattern
    found = Path(path.anchor).glob(str(path.relative_to(path.anchor)))
    return sorted(each for each in found if each.is_file())


def _expand(pattern: str, root: Path) -> Sequence[str]:
    """Return the files that match; the pattern itself if there is none, as it names a folder in any case."""
    return [str(path) for path in find_tars(pattern, root)] or [pattern]
