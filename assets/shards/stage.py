"""The stage `shards`: write listings and images as WebDataset tars, one folder for each split.

Images are re-encoded once, at training size. A split without listings gets one tar without samples, because a catalogue
may contain guides only, or few listings.
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
from heddle.core.splits import SPLITS, SplitName, split_of_listing
from heddle.core.stage import Metrics, Stage, StageError, write_json
from heddle.images.originals import Original, find_originals
from heddle.images.resize import ImageDecodeError, decode, encode_jpeg, fit

LABELS = ("item", "material", "bin", "product_class")


@dataclass(frozen=True)
class Shard:
    """One tar to write, with its listings sorted by key (a table takes a tenth of the memory of dictionaries)."""

    path: Path
    listings: pa.Table
    originals: list[Original]


def shards(stage: Stage) -> Metrics:
    """Write train, validation and test tars, the labels of the train split, and size and fit of the images."""
    parameters = stage.parameters(ShardsParameters)
    listings = read_table(stage.input("validated") / "listings.parquet")
    splits = split_listings(listings.filter(pc.is_valid(listings["image"])), stage.parameters(Split, "split"))
    total, shown = listings.num_rows, sum(split.num_rows for split in splits.values())
    del listings
    pa.default_memory_pool().release_unused()
    for name in SPLITS:
        if not splits[name].num_rows:
            stage.progress(f"the {name} split has no listing with an image")
    originals = find_originals(stage.input("catalog"))
    plan = (
        shard for name in SPLITS for shard in _plan_shards(stage.output / name, splits[name], originals, parameters)
    )
    written = []
    for count in write_shards(plan, parameters, stage.parameters(Compute, "compute").threads):
        written.append(count)
        stage.progress("listings", sum(written), shown)
    write_json(stage.output / "labels.json", vocabularies(splits["train"]))
    write_json(stage.output / "images.json", {"size": parameters.image_size, "resize_mode": parameters.resize_mode})
    return {
        **{f"{name}_listings": splits[name].num_rows for name in SPLITS},
        "listings_without_image": total - shown,
        "images_shared_between_splits": _count_shared_images(splits),
        "shards": len(written),
    }


def split_listings(listings: pa.Table, split: Split) -> dict[SplitName, pa.Table]:
    """Split a table of listings."""
    keys = listings.select(["id", "same_image_as"]).to_pylist()
    names = np.array([split_of_listing(key, split) for key in keys], dtype=object)
    return {name: listings.filter(pa.array(names == name)) for name in SPLITS}


def sample_key(listing_id: str) -> str:
    """Return the name of a listing's sample: 16 hex digits of the SHA-256 of its id."""
    return hashlib.sha256(listing_id.encode()).hexdigest()[:16]


def vocabularies(listings: pa.Table) -> dict[str, list[str]]:
    """Return the sorted values of each kind of label."""
    return {label: sorted(filter(None, listings[label].unique().to_pylist())) for label in LABELS}


def write_shards(plan: Iterable[Shard], parameters: ShardsParameters, processes: int) -> Iterator[int]:
    """Write all shards in parallel and yield their numbers of samples. The number of processes changes no byte."""
    if processes == 1:
        yield from (write_shard(shard, parameters) for shard in plan)
        return
    # Spawned, not forked: the parent may have threads of Arrow, and a fork would copy their locks.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context, initializer=die_with_parent) as pool:
        writing: deque[Future[int]] = deque()
        for shard in plan:  # few at once, because each shard holds its listings in memory
            writing.append(pool.submit(write_shard, shard, parameters))
            if len(writing) > 2 * processes:
                yield writing.popleft().result()
        yield from (each.result() for each in writing)


def write_shard(shard: Shard, parameters: ShardsParameters) -> int:
    """Write one tar with ``<key>.jpg`` and ``<key>.json`` for each sample. Return the number of samples.

    Raises:
        StageError: an image cannot be read; the message contains the id of its listing.
    """
    # webdataset's TarWriter is not used: it imports torch in each process, which takes 200 MB and seconds.
    with tarfile.open(shard.path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for row, original in zip(shard.listings.to_pylist(), shard.originals, strict=True):
            key = sample_key(row["id"])
            _add(tar, f"{key}.jpg", _encode_image(row, original, parameters))
            _add(tar, f"{key}.json", _encode_json(row))
    return shard.listings.num_rows


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)  # by default mtime, uid and gid are 0 and the owners' names are empty
    member.size, member.mode = len(content), 0o444
    tar.addfile(member, io.BytesIO(content))


def _plan_shards(
    folder: Path, listings: pa.Table, originals: Mapping[str, Original], parameters: ShardsParameters
) -> Iterator[Shard]:
    folder.mkdir()
    order = np.argsort(np.array([sample_key(listing_id) for listing_id in listings["id"].to_pylist()], dtype="U16"))
    size = parameters.listings_per_shard
    for number, start in enumerate(
        range(0, max(1, len(order)), size)
    ):  # at least one tar, because DVC drops empty folders
        part = listings.take(pa.array(order[start : start + size]))
        images = zip(part["id"].to_pylist(), part["image"].to_pylist(), strict=True)
        found = [_find_original(listing_id, image, originals) for listing_id, image in images]
        yield Shard(folder / f"{number:05}.tar", part, found)


def _find_original(listing_id: str, image: str, originals: Mapping[str, Original]) -> Original:
    if image not in originals:
        raise StageError(
            f"data/validated/listings.parquet: {listing_id}: its image {image} is not in the tars of "
            "data/catalog; run `dvc repro validated`"
        )
    return originals[image]


def _encode_image(row: dict[str, Any], original: Original, parameters: ShardsParameters) -> bytes:
    size = parameters.image_size
    try:
        image = decode(original.read(), size=size, how=parameters.resize_mode)
    except ImageDecodeError as error:
        raise StageError(
            f"{original.file}: {row['image']}, the image of {row['id']}, cannot be read ({error}); "
            "remove the listing from the source or fix its image"
        ) from error
    return encode_jpeg(fit(image, size, parameters.resize_mode), parameters.quality)


def _encode_json(row: dict[str, Any]) -> bytes:
    return json.dumps(row, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def _count_shared_images(splits: Mapping[SplitName, pa.Table]) -> int:
    """Count images in more than one split. There should be none, or metrics on the test split are too high."""
    splits_of = Counter(image for listings in splits.values() for image in listings["image"].unique().to_pylist())
    return sum(count > 1 for count in splits_of.values())
