"""The stage `catalog`: crawl or read all sources, examine images, find duplicates, write tables and tars."""

import os
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from typing import Any, Protocol

from assets.catalog.annotations import AnnotationSource
from assets.catalog.collector import OTHER_TABLES, Collector
from assets.catalog.crawl_history import CrawlHistory
from assets.catalog.crawl_job import CrawlJob
from assets.catalog.duplicates import find_copies, find_duplicates
from assets.catalog.fetch_images import fetch_images
from assets.catalog.image_tars import write_images
from assets.catalog.images import ImageInfo
from assets.catalog.listing_drafts import CollectionResult, Draft
from heddle.core.parameters.shared import read_seed
from heddle.core.schemas import DUPLICATES, IMAGES, LISTINGS, QUARANTINE, TABLES, TOMBSTONES, write_table
from heddle.core.stage import Metrics, Stage, StageError, write_json
from heddle.sources.last_crawl import note_crawl
from heddle.sources.locations import is_remote, local_paths
from heddle.sources.losses import ListingCounts, find_losses
from heddle.sources.parameters import (
    Beir,
    CatalogParameters,
    Coco,
    Demo,
    DemoShop,
    HuggingFace,
    Sitemap,
    Source,
    Table,
    VisualGenome,
    WebDataset,
    WordPress,
    Wxr,
)


class CatalogSource(Protocol):
    """Interface of all kinds of sources."""

    def gather(self, collector: Collector) -> CrawlJob | None:
        """Add all records that need no crawl; return the crawl that adds the others, if any.

        Raises:
            StageError: the whole source cannot be read.
        """


REASONS = ("image_missing", "image_truncated", "image_type", "image_too_large", "no_image", "malformed_record")
"""Quarantine reasons of all sources; some sources have further reasons, and `validated` adds its own."""


def catalog(stage: Stage) -> Metrics:
    """Collect listings, images and further tables from all sources, and drop duplicate listings."""
    parameters = stage.parameters(CatalogParameters)
    for source in parameters.sources:
        for path in local_paths(source):
            stage.check_watched(source.name, path)
    blob_folder = stage.output / ".originals"
    blob_folder.mkdir()
    collector = Collector(
        blob_folder,
        max_pixels=parameters.image_megapixels * 1e6,
        max_bytes=int(parameters.image_megabytes * 1e6),
        threads=min(4, os.cpu_count() or 1),
    )
    _gather(stage, parameters, collector)
    result = collector.finish()
    _check_sources(result, collector.annotating)
    if not result.listings and not collector.tables["guides"]:
        named = ", ".join(source.name for source in parameters.sources)
        raise StageError(f"catalog.sources: {named} contain neither listings nor guides; add a source that does")
    stage.progress("finding duplicates")
    images = [(draft.id, image) for draft, image in result.listings]
    copies = find_copies(images, parameters.max_hash_distance, parameters.max_colour_distance)
    duplicates = find_duplicates(result.listings, copies, parameters.duplicates)
    dropped = {each.id for each in duplicates}
    accepted = [(draft, image) for draft, image in result.listings if draft.id not in dropped]
    sources = _count_listings(result, dropped)
    for loss in find_losses(sources):
        stage.progress(f"WARNING: {loss}")
    accepted.sort(key=lambda each: each[0].id)
    _write(stage, collector, result, accepted, copies)
    write_table(stage.output / "duplicates.parquet", [vars(each) for each in duplicates], DUPLICATES)
    _write_tombstones(stage, parameters.sources, result)
    shutil.rmtree(blob_folder)
    for source in filter(is_remote, parameters.sources):
        note_crawl(source.name)
    write_json(stage.output / "upper_bounds.json", _compute_upper_bounds(stage, parameters.sources))
    sizes = {image.sha256: image.original.size for _, image in accepted}
    return _metrics(collector, result, len(accepted), len(duplicates)) | {
        "images": len(sizes),
        "image_bytes": sum(sizes.values()),
        "sources": {name: asdict(counts) for name, counts in sources.items()},
    }


def _gather(stage: Stage, parameters: CatalogParameters, collector: Collector) -> None:
    with ExitStack() as stack:
        crawl_jobs: list[CrawlJob] = []
        sources = [_open_source(stage, source, stack) for source in parameters.sources]
        for source, parameter in zip(sources, parameters.sources, strict=True):
            stage.progress(f"source {parameter.name} ({parameter.kind})")
            crawl_job = source.gather(collector)
            if crawl_job:
                crawl_jobs.append(crawl_job)
        if any(crawl_job.spider for crawl_job in crawl_jobs):
            from assets.catalog.crawl import crawl_pages  # imports Scrapy, which is slow

            crawl_pages(crawl_jobs, lambda: _report_progress(stage, collector))
        fetch_images(crawl_jobs, collector, lambda: _report_progress(stage, collector))
        for source in sources:
            if isinstance(source, AnnotationSource):
                source.annotate(collector)


def _report_progress(stage: Stage, collector: Collector) -> None:
    fetched = collector.fetched["listings"]
    if fetched:
        stage.progress("listings with an examined image", collector.count_examined(), fetched)
    else:
        stage.progress("waiting for the first listings")


def _open_source(stage: Stage, source: Source, stack: ExitStack) -> CatalogSource:
    """Open a source of any kind. Each module is imported here, because some import Scrapy or parsers, which is slow."""
    match source:
        case WordPress():
            from assets.catalog.wordpress import WordPressSource

            return WordPressSource(source)
        case Demo():
            from assets.catalog.demo import DemoSource

            return DemoSource(source, stage.parameters(DemoShop, "demo_shop"), read_seed(), stack)
        case Table():
            from assets.catalog.table import TableSource

            return TableSource(source)
        case Beir():
            from assets.catalog.beir import BeirSource

            return BeirSource(source)
        case WebDataset():
            from assets.catalog.webdataset import WebDatasetSource

            return WebDatasetSource(source)
        case HuggingFace():
            from assets.catalog.huggingface import HuggingFaceSource

            return HuggingFaceSource(source)
        case Sitemap():
            from assets.catalog.sitemap import SitemapSource

            return SitemapSource(source)
        case Wxr():
            from assets.catalog.wxr import WxrSource

            return WxrSource(source)
        case Coco():
            from assets.catalog.coco import CocoSource

            return CocoSource(source)
        case VisualGenome():
            from assets.catalog.visual_genome import VisualGenomeSource

            return VisualGenomeSource(source)


def _check_sources(result: CollectionResult, annotating: set[str]) -> None:
    """Stop if all listings of a source were rejected, because then its parameters are probably wrong."""
    accepted = {draft.source for draft, _ in result.listings} | annotating
    rejected = [row for row in result.quarantine if row["table"] == "listings"]
    for source in sorted({row["id"].partition(":")[0] for row in rejected} - accepted):
        rows = [row for row in rejected if row["id"].startswith(f"{source}:")]
        reason, times = Counter(row["reason"] for row in rows).most_common(1)[0]
        example = next(row for row in rows if row["reason"] == reason)
        raise StageError(
            f"source {source}: all {len(rows)} listings were rejected, {times} for {reason}; "
            f"for example {example['origin']}: {example['detail']}"
        )


def _count_listings(result: CollectionResult, dropped: set[str]) -> dict[str, ListingCounts]:
    """Counts of listings by source."""
    fetched = Counter(draft.source for draft, _ in result.listings)
    quarantined = Counter(row["id"].partition(":")[0] for row in result.quarantine if row["table"] == "listings")
    duplicates = Counter(draft.source for draft, _ in result.listings if draft.id in dropped)
    return {
        source: ListingCounts(fetched[source] - duplicates[source], quarantined[source], duplicates[source])
        for source in sorted({*fetched, *quarantined})
    }


def _write(
    stage: Stage,
    collector: Collector,
    result: CollectionResult,
    accepted: Sequence[tuple[Draft, ImageInfo]],
    copies: Mapping[str, str],
) -> None:
    """Write the tables and tars of all accepted records, and the quarantine."""
    stage.progress("writing tables and images")
    folder = stage.output
    write_table(folder / "listings.parquet", _listings(accepted, copies), LISTINGS)
    for table in OTHER_TABLES:
        rows = [row for _, (_, row) in sorted(collector.tables[table].items())]
        write_table(folder / f"{table}.parquet", rows, TABLES[table])
    images = write_images(folder, (image for _, image in accepted))
    write_table(folder / "images.parquet", images, IMAGES)
    quarantine = sorted(result.quarantine, key=lambda row: tuple(row[name] for name in QUARANTINE.names))
    write_table(folder / "quarantine.parquet", quarantine, QUARANTINE)


def _write_tombstones(stage: Stage, sources: Sequence[Source], result: CollectionResult) -> None:
    """Write `tombstones` with removed listings, if a source is a crawled WordPress site."""
    histories = {source.name: CrawlHistory(source.name) for source in sources if isinstance(source, WordPress)}
    if not histories:
        return
    rejected = {row["id"] for row in result.quarantine if row["table"] == "listings"}
    ids = rejected | {draft.id for draft, _ in result.listings}
    removed = [row for history in histories.values() for row in history.find_removed(ids)]
    write_table(stage.output / "tombstones.parquet", sorted(removed, key=lambda row: row["id"]), TOMBSTONES)
    for name, history in histories.items():
        history.add({draft.id: _tombstone(draft) for draft, _ in result.listings if draft.source == name})


def _tombstone(draft: Draft) -> dict[str, Any]:
    row = draft.row
    return {name: row[name] for name in TOMBSTONES.names}


def _listings(accepted: Sequence[tuple[Draft, ImageInfo]], copies: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    for draft, image in accepted:
        same_image_as = copies.get(draft.id)
        yield draft.row | {"image": image.sha256, "same_image_as": same_image_as, "exif": list(image.exif)}


def _compute_upper_bounds(stage: Stage, sources: Sequence[Source]) -> dict[str, float]:
    """Return upper bounds of metrics, which are known only if all listings are generated."""
    if not all(isinstance(source, Demo) for source in sources):
        return {}
    from assets.catalog.demo import build_shop

    return build_shop(stage.parameters(DemoShop, "demo_shop"), read_seed()).upper_bounds


def _metrics(collector: Collector, result: CollectionResult, accepted: int, duplicates: int) -> dict[str, int]:
    """Counts that add up: fetched = accepted + quarantined + duplicates, for each table."""
    quarantined = Counter(row["table"] for row in result.quarantine)
    reasons = Counter(row["reason"] for row in result.quarantine)
    metrics = {
        "listings_fetched": collector.fetched["listings"],
        "listings_accepted": accepted,
        "listings_quarantined": quarantined["listings"],
        "listings_duplicates": duplicates,
    }
    for table in OTHER_TABLES:
        metrics |= {
            f"{table}_fetched": collector.fetched[table],
            f"{table}_accepted": len(collector.tables[table]),
            f"{table}_quarantined": quarantined[table],
        }
    return metrics | {
        f"quarantined_{reason}": reasons[reason] for reason in (*REASONS, *sorted({*reasons} - {*REASONS}))
    }
