"""The source `huggingface`: a data set of the hub by its id, or a folder that the library `datasets` reads.

With `HF_HUB_OFFLINE=1`, no request is sent and the library's cache is used.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from assets.catalog.collector import Collector
from assets.catalog.crawl_job import CrawlJob
from assets.catalog.local_images import ImageFolders
from assets.catalog.mapped_records import ImageContent, MappedRecords, check_columns, check_fields
from heddle.core.stage import StageError
from heddle.sources.parameters import HuggingFace

ROW = "__row__"
"""Virtual column with the number of the row in its split, for data sets without ids."""
CACHE = Path(".heddle/huggingface")  # for folders, so that files converted from the project stay in the project
BATCH = 16  # rows in memory at a time, with their images


class HuggingFaceSource:
    """Reads one split of one data set."""

    def __init__(self, source: HuggingFace) -> None:
        self._source = source
        self._folder = Path(source.path) if Path(source.path).is_dir() else None
        self._named = f"source {source.name}: {source.path}"

    def gather(self, collector: Collector) -> CrawlJob | None:
        """Add all rows; return the crawl of images that are URLs, if any.

        Raises:
            StageError: the data set, configuration, split or a column of the mapping does not exist, or the data set
                cannot be read.
        """
        columns = self._source.columns
        check_fields(self._named, self._source.table, columns)
        dataset = self._open()
        check_columns(self._named, columns.values(), [*dataset.column_names, ROW])
        records = MappedRecords(self._source, self._source.path, collector, self._find_folders())
        number = 0
        for number, row in enumerate(self._rows(dataset), 1):
            values = row | {ROW: number}
            fields = {field: values[column] for field, column in columns.items()}
            if "image" in fields:
                fields["image"] = _read_image(fields["image"])
            record = {name: value for name, value in values.items() if not _is_media(value)}
            records.add(fields, record, f"{self._source.path} {self._source.split} row {number}")
        if number == 0:
            raise StageError(f"{self._named}: the split {self._source.split} has no rows")
        return records.create_crawl_job()

    def _open(self) -> Any:
        # Imported here because the import is slow and few projects need it.
        from datasets import Dataset, load_dataset, load_from_disk

        source = self._source
        try:
            if self._folder is None:
                return load_dataset(source.path, source.config, split=source.split, revision=source.revision)
            if not any((self._folder / name).is_file() for name in ("dataset_info.json", "dataset_dict.json")):
                folder = str(self._folder.absolute())
                return load_dataset(folder, source.config, split=source.split, cache_dir=str(CACHE.absolute()))
            saved = load_from_disk(str(self._folder))
        except Exception as error:  # the library raises many types of errors, also those of file formats
            raise StageError(f"{self._named}: cannot be opened: {type(error).__name__}: {error}") from error
        if isinstance(saved, Dataset):
            return saved
        if source.split not in saved:
            raise StageError(f"{self._named}: no split {source.split!r}; splits: {', '.join(saved)}")
        return saved[source.split]

    def _rows(self, dataset: Any) -> Iterator[dict[str, Any]]:
        """Iterate over the rows without decoding images, with class names instead of class numbers."""
        classes = {name: feature for name, feature in dataset.features.items() if hasattr(feature, "int2str")}
        try:
            for batch in dataset.with_format("arrow").iter(BATCH):
                for row in batch.to_pylist():
                    yield row | {name: _class_name(row[name], feature) for name, feature in classes.items()}
        except Exception as error:
            raise StageError(f"{self._named}: cannot be read: {type(error).__name__}: {error}") from error

    def _find_folders(self) -> ImageFolders:
        """Return the folders of local images: those of the data set, and of the library's caches of images."""
        from datasets.config import HF_DATASETS_CACHE
        from huggingface_hub.constants import HF_HUB_CACHE

        # Not the parent of these caches, because it contains the hub's token.
        own = (self._folder, CACHE) if self._folder else (Path(HF_DATASETS_CACHE), Path(HF_HUB_CACHE))
        return ImageFolders([folder.absolute() for folder in own], self._source.outside)


def _read_image(value: Any) -> ImageContent | str:
    """Return the image of a value of a column of images, paths or URLs; empty if it has none."""
    if not _is_media(value):
        return "" if value is None else str(value)
    name = str(value["path"] or "")
    return name if value["bytes"] is None else ImageContent(name, value["bytes"])


def _is_media(value: Any) -> bool:
    """Return whether a value is an image, audio or video as `datasets` stores it."""
    return isinstance(value, Mapping) and value.keys() == {"bytes", "path"}


def _class_name(number: int | None, feature: Any) -> str | None:
    """Return the name of a class; None if the row has no class, which some data sets write as -1."""
    return None if number is None or number < 0 else str(feature.int2str(number))
