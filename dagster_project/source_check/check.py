"""Read the first records of one source as stage `catalog` does, in a temporary folder."""

import contextlib
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from assets.catalog.annotations import AnnotationSource
from assets.catalog.crawl_job import CrawlJob
from assets.catalog.delimited import DelimitedError, find_dialect
from assets.catalog.fetch_images import fetch_images
from assets.catalog.images import ImageInfo
from assets.catalog.mapped_records import MappedRecords
from assets.catalog.stage import CatalogSource, _open_source
from dagster_project.source_check.first_records import EnoughRecords, FirstRecords
from dagster_project.source_check.mapping import describe_mapping
from dagster_project.source_check.results import AcceptedRecord, RefusedRecord, SourceCheck
from heddle.core.dependencies import Dependencies
from heddle.core.errors import UserError
from heddle.core.parameters.section import load
from heddle.core.stage import Stage, StageError
from heddle.sources.locations import local_paths
from heddle.sources.parameters import (
    CatalogParameters,
    CrawlSettings,
    Demo,
    Mapped,
    Sitemap,
    Source,
    Table,
    WebDataset,
    WordPress,
)

STAGE = "catalog"
PATHS = ("path", "images", "image_data", "objects", "relationships")
"""Parameters of sources that are local paths."""


class SourceCheckError(UserError):
    """The source cannot be checked; the message contains what to do."""


def check_source(name: str, rows: int) -> list[SourceCheck]:
    """Read the first records of a source of ``params.yaml`` in the working directory, which stays as it is.

    Args:
        rows: number of records of each table.

    Returns:
        One check, or one for each table of several sources that share the name.

    Raises:
        SourceCheckError: there is no such source.
        StageError: the source cannot be read.
    """
    parameters = load(STAGE, CatalogParameters)
    wanted = [source for source in parameters.sources if source.name == name]
    if not wanted:
        names = ", ".join(source.name for source in parameters.sources)
        raise SourceCheckError(f"params.yaml: catalog.sources: no source {name!r}; sources: {names}")
    inputs = Dependencies(STAGE, time.time())
    for source in wanted:
        for path in local_paths(source):
            Stage(STAGE, Path(), inputs).check_watched(source.name, path)
    return [_check(source, parameters, rows) for source in wanted]


def _check(source: Source, parameters: CatalogParameters, rows: int) -> SourceCheck:
    check = SourceCheck(source.name, source.kind, _locations(source))
    _find_form(source, check)
    root = f"{Path.cwd()}/"
    sources = [_first(each, rows) for each in (*_annotated(source, parameters), source)]
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        stage = Stage(STAGE, Path(folder))
        opened = [_open_source(stage, _absolute(each), stack) for each in sources]
        stack.enter_context(contextlib.chdir(folder))  # caches of requests are written into the working directory
        collector = FirstRecords(Path(folder), parameters, source, rows)
        try:
            _gather(sources, opened, collector)
        except StageError as error:
            raise SourceCheckError(str(error).replace(root, "")) from error
        _note_records(collector, check, root)
    check.notes = [note.replace(root, "") for note in collector.notes]
    describe_mapping(source, collector.records, check)
    return check


def _note_records(collector: FirstRecords, check: SourceCheck, root: str) -> None:
    """Note accepted and refused records; origins are relative to ``root``."""
    result = collector.finish()
    check.accepted = [_accepted(draft.row, image) for draft, image in result.listings]
    check.accepted += [
        AcceptedRecord(table, str(row.get("id") or " ".join(key)), row.get("title"), None)
        for table, found in collector.tables.items()
        for key, (_, row) in found.items()
    ]
    for row in result.quarantine:
        name, origin, detail = (row[field].replace(root, "") for field in ("id", "origin", "detail"))
        check.refused.append(RefusedRecord(row["table"], name, origin, row["reason"], detail))
    check.looked_at, check.limited = sum(collector.fetched.values()), collector.limited


def _gather(sources: Sequence[Source], opened: Sequence[CatalogSource], collector: FirstRecords) -> None:
    """Add the first records and their images, in the order of the stage."""
    crawl_jobs = []
    for source, each in zip(sources, opened, strict=True):
        try:
            crawl_job = each.gather(collector)
        except EnoughRecords:
            crawl_job = _image_job(source, collector)
        if crawl_job:
            crawl_jobs.append(crawl_job)
    if any(crawl_job.spider for crawl_job in crawl_jobs):
        from assets.catalog.crawl import crawl_pages  # imports Scrapy, which is slow

        collector.crawling = True
        crawl_pages(crawl_jobs, lambda: None)
    fetch_images(crawl_jobs, collector, lambda: None, processes=1)
    for each in opened:
        if isinstance(each, AnnotationSource):
            each.annotate(collector)


def _image_job(source: Source, collector: FirstRecords) -> CrawlJob | None:
    """The crawl of the images of a source whose reading was ended."""
    if isinstance(source, Mapped):
        return MappedRecords(source, ", ".join(_locations(source)), collector, None).create_crawl_job()
    return CrawlJob(source.name, source) if isinstance(source, CrawlSettings) else None


def _annotated(source: Source, parameters: CatalogParameters) -> list[Source]:
    """The sources whose listings a source annotates."""
    return [each for each in parameters.sources if each.name == getattr(source, "annotates", None)]


def _first(source: Source, rows: int) -> Source:
    """The source with small pages, few of them at once. Of a site, the records of the first answers are read."""
    if isinstance(source, WordPress):
        return source.model_copy(update={"per_page": min(rows, source.per_page), "guides": None, "concurrency": 1})
    return source.model_copy(update={"concurrency": 1}) if isinstance(source, Sitemap | Demo) else source


def _absolute(source: Source) -> Source:
    """The source with absolute paths, which another working directory does not change."""
    local = set(local_paths(source))
    paths: dict[str, Any] = {
        name: str(Path(path).absolute()) for name in PATHS if (path := getattr(source, name, None)) in local
    }
    if isinstance(source, WebDataset):
        paths["tars"] = [tar if "://" in tar else str(Path(tar).absolute()) for tar in source.tars]
    return source.model_copy(update=paths)


def _locations(source: Source) -> list[str]:
    """Files, folders or addresses of a source, as its parameters name them."""
    if isinstance(source, Demo):
        return ["the generated shop"]
    address = getattr(source, "url", None) or getattr(source, "path", None)
    named = [str(address)] if address else [*getattr(source, "tars", [])]
    return list(dict.fromkeys([*named, *local_paths(source)]))


def _find_form(source: Source, check: SourceCheck) -> None:
    """Note delimiter and encoding of a CSV file."""
    if not isinstance(source, Table) or Path(source.path).suffix.lower() not in (".csv", ".tsv"):
        return
    default = "\t" if source.path.lower().endswith(".tsv") else ","
    with contextlib.suppress(OSError, DelimitedError):  # the source itself raises the error with its name
        dialect = find_dialect(Path(source.path), source.delimiter, source.encoding, default)
        check.delimiter, check.encoding, check.encoding_guessed = dialect.delimiter, dialect.encoding, dialect.guessed


def _accepted(row: Mapping[str, Any], image: ImageInfo) -> AcceptedRecord:
    shown = {
        "format": image.format,
        "width": image.width,
        "height": image.height,
        "bytes": image.original.size,
    }
    return AcceptedRecord("listings", str(row["id"]), row.get("title"), shown)
