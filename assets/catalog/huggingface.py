"""The source `huggingface`: a data set of the hub by its id, or a folder that the library `datasets` reads.

`HF_HUB_OFFLINE=1` keeps everything off the network: what the library's cache holds is used then.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from assets.catalog.collector import Harvest
from assets.catalog.crawl_job import Visit
from assets.catalog.mapped import Content, MappedRecords, check_columns, check_fields
from heddle.core.stage import StageError
from heddle.sources.parameters import HuggingFace

ROW = "__row__"
"""A column that every data set has: the number of the row in its split, for those without ids."""
CACHE = Path(".heddle/huggingface")  # for folders: what is converted from a project's files stays in the project
BATCH = 16  # rows in memory at a time, with their images


class HuggingFaceSource:
    """Reads one split of one data set."""

    def __init__(self, source: HuggingFace) -> None:
        self._source = source
        self._folder = Path(source.path) if Path(source.path).is_dir() else None
        self._named = f"source {source.name}: {source.path}"

    def gather(self, harvest: Harvest) -> Visit | None:
        """Bring all rows; the answer is the crawl of images that are given by URL, if any.

        Raises:
            StageError: there is no such data set, configuration or split, it cannot be read, or a column of the
                mapping is none of its.
        """
        columns = self._source.columns
        check_fields(self._named, self._source.table, columns)
        dataset = self._opened()
        check_columns(self._named, columns.values(), [*dataset.column_names, ROW])
        records = MappedRecords(self._source, self._source.path, harvest, self._folder)
        number = 0
        for number, row in enumerate(self._rows(dataset), 1):
            values = row | {ROW: number}
            told = {field: values[column] for field, column in columns.items()}
            if "image" in told:
                told["image"] = self._image(told["image"], harvest.size)
            record = {name: value for name, value in values.items() if not _is_media(value)}
            records.take(told, record, f"{self._source.path} {self._source.split} row {number}")
        if number == 0:
            raise StageError(f"{self._named}: the split {self._source.split} has no rows")
        return records.visit()

    def _opened(self) -> Any:
        # Heavy, and only those pay who have such a source.
        from datasets import Dataset, load_dataset, load_from_disk

        source = self._source
        try:
            if self._folder is None:
                return load_dataset(source.path, source.config, split=source.split, revision=source.revision)
            if not any((self._folder / name).is_file() for name in ("dataset_info.json", "dataset_dict.json")):
                folder = str(self._folder.absolute())
                return load_dataset(folder, source.config, split=source.split, cache_dir=str(CACHE.absolute()))
            saved = load_from_disk(str(self._folder))
        except Exception as error:  # the library raises errors of a dozen kinds, those of file formats among them
            raise StageError(f"{self._named}: cannot be opened: {type(error).__name__}: {error}") from error
        if isinstance(saved, Dataset):
            return saved
        if source.split not in saved:
            raise StageError(f"{self._named}: no split {source.split!r}; there is: {', '.join(saved)}")
        return saved[source.split]

    def _rows(self, dataset: Any) -> Iterator[dict[str, Any]]:
        """The rows as they are stored, images not decoded, and classes by their names."""
        classes = {name: feature for name, feature in dataset.features.items() if hasattr(feature, "int2str")}
        try:
            for batch in dataset.with_format("arrow").iter(BATCH):
                for row in batch.to_pylist():
                    yield row | {name: _class(row[name], feature) for name, feature in classes.items()}
        except Exception as error:
            raise StageError(f"{self._named}: cannot be read on: {type(error).__name__}: {error}") from error

    def _image(self, value: Any, size: int) -> Content | str | None:
        """What a column of images, paths or addresses holds; None if that is nothing that may be read."""
        if not _is_media(value):
            return None if value is None else str(value)
        content, name = value["bytes"], str(value["path"] or "")
        if content is not None:
            return Content(name, content)
        if not name or "://" in name:
            return name
        # Images that lie beside the data set. A row must not make us read other files of this machine.
        from datasets.config import HF_CACHE_HOME

        path = Path(name).resolve()
        roots = (self._folder, CACHE) if self._folder is not None else (Path(HF_CACHE_HOME),)
        if not any(path.is_relative_to(root.resolve()) for root in roots) or not path.is_file():
            return None
        with path.open("rb") as file:
            return Content(name, file.read(size + 1))


def _is_media(value: Any) -> bool:
    """Whether a value is an image, sound or film as `datasets` stores it."""
    return isinstance(value, Mapping) and value.keys() == {"bytes", "path"}


def _class(number: int | None, feature: Any) -> str | None:
    """The name of a class; None where the row has none, which some data sets write as -1."""
    return None if number is None or number < 0 else str(feature.int2str(number))
