"""Listings and images as WebDataset tars, a folder for each split; images re-encoded once, to training size.

A split that no listing falls in is a tar without samples: a catalogue may bring guides alone, or a few listings.
"""

import hashlib
import io
import json
import multiprocessing
import tarfile
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from assets.shards.parameters import ShardsParameters
from heddle.core.parameters.shared import Compute, Split
from heddle.core.processes import die_with_parent
from heddle.core.schemas import read_table
from heddle.core.splits import SPLITS, SplitName, split_of
from heddle.core.stage import Metrics, Stage, StageError, write_json
from heddle.images.originals import Original, find_originals
from heddle.images.resize import ImageDecodeError, decode, encode_jpeg, fit

LABELS = ("item", "material", "bin", "product_class")


@dataclass(frozen=True)
class Shard:
    """One tar to be written: its path, its listings sorted by key (a table needs a tenth of dictionaries' memory)."""

    path: Path
    listings: pa.Table
    originals: list[Original]


def shards(stage: Stage) -> Metrics:
    """Write train, validation and test tars, the label vocabularies of the train split and the images' format."""
    parameters = stage.parameters(ShardsParameters)
    listings = read_table(stage.input("validated") / "listings.parquet")
    splits = split_listings(listings.filter(pc.is_valid(listings["image"])), stage.parameters(Split, "split"))
    total, shown = listings.num_rows, sum(split.num_rows for split in splits.values())
    del listings
    pa.default_memory_pool().release_unused()
    for name in SPLITS:
        if not splits[name].num_rows:
            stage.progress(f"no listing with an image falls in the {name} split")
    originals = find_originals(stage.input("catalog"))
    plan = (shard for name in SPLITS for shard in _plan(stage.output / name, splits[name], originals, parameters))
    written = []
    for count in write_shards(plan, parameters, stage.parameters(Compute, "compute").threads):
        written.append(count)
        stage.progress("listings", sum(written), shown)
    write_json(stage.output / "labels.json", vocabularies(splits["train"]))
    write_json(stage.output / "images.json", {"size": parameters.image_size, "fit": parameters.resize_mode})
    return {
        **{f"{name}_listings": splits[name].num_rows for name in SPLITS},
        "listings_without_image": total - shown,
        "images_shared_between_splits": _shared_images(splits),
        "shards": len(written),
    }


def split_listings(listings: pa.Table, split: Split) -> dict[SplitName, pa.Table]:
    """The listings of each split."""
    names = np.array([split_of(listing_id, split) for listing_id in listings["id"].to_pylist()], dtype=object)
    return {name: listings.filter(pa.array(names == name)) for name in SPLITS}


def sample_key(listing_id: str) -> str:
    """The name of a listing's sample: 16 hex digits of its id's SHA-256."""
    return hashlib.sha256(listing_id.encode()).hexdigest()[:16]


def vocabularies(listings: pa.Table) -> dict[str, list[str]]:
    """For each kind of label the values that occur, sorted."""
    return {label: sorted(filter(None, listings[label].unique().to_pylist())) for label in LABELS}


def write_shards(plan: Iterable[Shard], parameters: ShardsParameters, processes: int) -> Iterator[int]:
    """Write every shard, several at a time; yields how many samples each has. How many at a time changes no byte."""
    if processes == 1:
        yield from (write_shard(shard, parameters) for shard in plan)
        return
    # Spawned, not forked: the parent may have threads (Arrow's), and a fork would copy their locks.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context, initializer=die_with_parent) as pool:
        writing: deque[Future[int]] = deque()
        for shard in plan:  # not all at once: each holds its listings
            writing.append(pool.submit(write_shard, shard, parameters))
            if len(writing) > 2 * processes:
                yield writing.popleft().result()
        yield from (each.result() for each in writing)


def write_shard(shard: Shard, parameters: ShardsParameters) -> int:
    """Write one tar: for each sample ``<key>.jpg`` and ``<key>.json``; returns how many samples.

    Raises:
        StageError: an image cannot be read; the message names its listing.
    """
    # Not by webdataset's TarWriter: it brings torch into each of these processes, 200 MB and seconds to import.
    with tarfile.open(shard.path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for row, original in zip(shard.listings.to_pylist(), shard.originals, strict=True):
            key = sample_key(row["id"])
            _add(tar, f"{key}.jpg", _image(row, original, parameters))
            _add(tar, f"{key}.json", _json(row))
    return shard.listings.num_rows


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)  # mtime, uid and gid are 0, the owners' names empty, by default
    member.size, member.mode = len(content), 0o444
    tar.addfile(member, io.BytesIO(content))


def _plan(
    folder: Path, listings: pa.Table, originals: Mapping[str, Original], parameters: ShardsParameters
) -> Iterator[Shard]:
    folder.mkdir()
    order = np.argsort(np.array([sample_key(listing_id) for listing_id in listings["id"].to_pylist()], dtype="U16"))
    size = parameters.listings_per_shard
    for number, start in enumerate(range(0, max(1, len(order)), size)):  # DVC keeps no folder without files
        part = listings.take(pa.array(order[start : start + size]))
        images = zip(part["id"].to_pylist(), part["image"].to_pylist(), strict=True)
        found = [_original(listing_id, image, originals) for listing_id, image in images]
        yield Shard(folder / f"{number:05}.tar", part, found)


def _original(listing_id: str, image: str, originals: Mapping[str, Original]) -> Original:
    if image not in originals:
        raise StageError(
            f"data/validated/listings.parquet: {listing_id}: its image {image} is in no tar of "
            "data/catalog; run `dvc repro validated`"
        )
    return originals[image]


def _image(row: dict[str, Any], original: Original, parameters: ShardsParameters) -> bytes:
    size = parameters.image_size
    try:
        image = decode(original.read(), size=size, how=parameters.resize_mode)
    except ImageDecodeError as error:
        raise StageError(
            f"{original.file}: {row['image']}, the image of {row['id']}, cannot be read ({error}); "
            "take the listing out of the source or mend its image"
        ) from error
    return encode_jpeg(fit(image, size, parameters.resize_mode), parameters.quality)


def _json(row: dict[str, Any]) -> bytes:
    return json.dumps(row, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def _shared_images(splits: Mapping[SplitName, pa.Table]) -> int:
    """Images that stand in more than one split: there should be none, or the evaluation flatters the model."""
    splits_of = Counter(image for listings in splits.values() for image in listings["image"].unique().to_pylist())
    return sum(count > 1 for count in splits_of.values())
