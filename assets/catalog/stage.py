"""The stage `catalog`: crawl or read every source, verify images, find duplicates, write tables and tars."""

import os
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any, Protocol

from assets.catalog.annotations import AnnotationSource
from assets.catalog.collector import OTHER_TABLES, Harvest
from assets.catalog.crawl_history import Ledger
from assets.catalog.crawl_job import Visit
from assets.catalog.drafts import Draft, Settled
from assets.catalog.duplicates import Duplicate, find_duplicates
from assets.catalog.fetching import fetch_images
from assets.catalog.images import ImageInfo
from assets.catalog.tars import write_images
from heddle.core.parameters.shared import read_seed
from heddle.core.schemas import DUPLICATES, IMAGES, LISTINGS, QUARANTINE, TABLES, TOMBSTONES, write_table
from heddle.core.stage import Metrics, Stage, StageError, write_json
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
    """What every kind of source is once it is opened."""

    def gather(self, harvest: Harvest) -> Visit | None:
        """Bring what can be had at once; the answer is the crawl that brings the rest, if any.

        Raises:
            StageError: the source as a whole cannot be read.
        """


REASONS = ("image_missing", "image_truncated", "image_type", "image_too_large", "no_image", "malformed_record")
"""Why any source's record may be refused here; some sources have further reasons, and `validated` adds its own."""


def catalog(stage: Stage) -> Metrics:
    """Bring the listings of all sources, with their images and further tables, de-duplicated, into one form."""
    parameters = stage.parameters(CatalogParameters)
    spool = stage.output / ".originals"
    spool.mkdir()
    threads = min(4, os.cpu_count() or 1)
    harvest = Harvest(spool, parameters.image_megapixels * 1e6, int(parameters.image_megabytes * 1e6), threads)
    _gather(stage, parameters, harvest)
    settled = harvest.settle()
    _refuse_empty(settled, harvest.annotating)
    if not settled.listings and not harvest.tables["guides"]:
        named = ", ".join(source.name for source in parameters.sources)
        raise StageError(f"catalog.sources: {named} brought neither a listing nor a guide; name a source of either")
    stage.progress("looking for duplicates")
    shown = [(draft.id, image) for draft, image in settled.listings]
    duplicates = find_duplicates(shown, parameters.max_hash_distance, parameters.max_colour_distance)
    left_out = {each.id for each in duplicates}
    accepted = [(draft, image) for draft, image in settled.listings if draft.id not in left_out]
    _write(stage, harvest, settled, accepted, duplicates)
    _bury(stage, parameters.sources, settled)
    shutil.rmtree(spool)
    write_json(stage.output / "ceilings.json", _ceilings(stage, parameters.sources))
    images = {image.sha256: image.original.size for _, image in accepted}
    return _metrics(harvest, settled, len(accepted), len(duplicates)) | {
        "images": len(images),
        "image_bytes": sum(images.values()),
    }


def _gather(stage: Stage, parameters: CatalogParameters, harvest: Harvest) -> None:
    with ExitStack() as stack:
        visits: list[Visit] = []
        opened = [_opened(stage, source, stack) for source in parameters.sources]
        for source, parameter in zip(opened, parameters.sources, strict=True):
            stage.progress(f"source {parameter.name} ({parameter.kind})")
            visit = source.gather(harvest)
            visits.extend([visit] if visit else [])
        if any(visit.spider for visit in visits):
            from assets.catalog.crawl import crawl_pages  # with Scrapy

            crawl_pages(visits, lambda: _tell(stage, harvest))
        fetch_images(visits, harvest, lambda: _tell(stage, harvest))
        for source in opened:
            if isinstance(source, AnnotationSource):
                source.annotate(harvest)


def _tell(stage: Stage, harvest: Harvest) -> None:
    fetched = harvest.fetched["listings"]
    if fetched:
        stage.progress("listings have their image", harvest.examined(), fetched)
    else:
        stage.progress("waiting for the first listings")


def _opened(stage: Stage, source: Source, stack: ExitStack) -> CatalogSource:
    """A source of any kind, imported where it is asked for: some bring Scrapy or parsers, which take seconds."""
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


def _refuse_empty(settled: Settled, annotating: set[str]) -> None:
    """A source none of whose listings could be taken is a mistake in its parameters, not a hundred bad records."""
    taken = {draft.source for draft, _ in settled.listings} | annotating
    refused = [row for row in settled.quarantine if row["table"] == "listings"]
    for source in sorted({row["id"].partition(":")[0] for row in refused} - taken):
        rows = [row for row in refused if row["id"].startswith(f"{source}:")]
        reason, times = Counter(row["reason"] for row in rows).most_common(1)[0]
        example = next(row for row in rows if row["reason"] == reason)
        raise StageError(
            f"source {source}: none of its {len(rows)} listings could be taken, {times} for {reason}; "
            f"for example {example['origin']}: {example['detail']}"
        )


def _write(
    stage: Stage,
    harvest: Harvest,
    settled: Settled,
    accepted: list[tuple[Draft, ImageInfo]],
    duplicates: list[Duplicate],
) -> None:
    """Write every table and the tars."""
    stage.progress("writing tables and images")
    folder = stage.output
    accepted = sorted(accepted, key=lambda each: each[0].id)
    write_table(folder / "listings.parquet", _listings(accepted), LISTINGS)
    for table in OTHER_TABLES:
        rows = [row for _, (_, row) in sorted(harvest.tables[table].items())]
        write_table(folder / f"{table}.parquet", rows, TABLES[table])
    images = write_images(folder, (image for _, image in accepted))
    write_table(folder / "images.parquet", images, IMAGES)
    quarantine = sorted(settled.quarantine, key=lambda row: tuple(row[name] for name in QUARANTINE.names))
    write_table(folder / "quarantine.parquet", quarantine, QUARANTINE)
    write_table(folder / "duplicates.parquet", [vars(each) for each in duplicates], DUPLICATES)


def _bury(stage: Stage, sources: Sequence[Source], settled: Settled) -> None:
    """Write `tombstones`, where there is a site whose listings may be gone."""
    ledgers = {source.name: Ledger(source.name) for source in sources if isinstance(source, WordPress)}
    if not ledgers:
        return
    refused = {row["id"] for row in settled.quarantine if row["table"] == "listings"}
    told = refused | {draft.id for draft, _ in settled.listings}
    gone = [row for ledger in ledgers.values() for row in ledger.gone(told)]
    write_table(stage.output / "tombstones.parquet", sorted(gone, key=lambda row: row["id"]), TOMBSTONES)
    for name, ledger in ledgers.items():
        ledger.add({draft.id: _remembered(draft) for draft, _ in settled.listings if draft.source == name})


def _remembered(draft: Draft) -> dict[str, Any]:
    row = draft.row
    return {name: row[name] for name in TOMBSTONES.names}


def _listings(accepted: list[tuple[Draft, ImageInfo]]) -> Iterator[dict[str, Any]]:
    for draft, image in accepted:
        yield draft.row | {"image": image.sha256, "exif": list(image.exif)}


def _ceilings(stage: Stage, sources: Sequence[Source]) -> dict[str, float]:
    """The best that any model could do: known where all listings were generated, unknown otherwise."""
    if not all(isinstance(source, Demo) for source in sources):
        return {}
    from assets.catalog.demo import generated

    return generated(stage.parameters(DemoShop, "demo_shop"), read_seed()).ceilings


def _metrics(harvest: Harvest, settled: Settled, accepted: int, duplicates: int) -> dict[str, int]:
    """Counts that add up: fetched = accepted + quarantined + duplicates, for each table."""
    quarantined = Counter(row["table"] for row in settled.quarantine)
    reasons = Counter(row["reason"] for row in settled.quarantine)
    metrics = {
        "listings_fetched": harvest.fetched["listings"],
        "listings_accepted": accepted,
        "listings_quarantined": quarantined["listings"],
        "listings_duplicates": duplicates,
    }
    for table in OTHER_TABLES:
        metrics |= {
            f"{table}_fetched": harvest.fetched[table],
            f"{table}_accepted": len(harvest.tables[table]),
            f"{table}_quarantined": quarantined[table],
        }
    return metrics | {
        f"quarantined_{reason}": reasons[reason] for reason in (*REASONS, *sorted({*reasons} - {*REASONS}))
    }
