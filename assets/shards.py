"""Listings and pictures as WebDataset tars, a folder for each split; pictures re-encoded once, to training size.

A split that no listing falls in is a tar without samples: a catalogue may bring guides alone, or a few listings.
"""

import hashlib
import json
import multiprocessing
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import webdataset

from assets.originals import Original, find_originals
from assets.parameters.shards import ShardsParameters
from assets.parameters.shared import Compute, Split
from assets.pictures import PictureError, decode, encode_jpeg, fit
from assets.processes import die_with_parent
from assets.schemas import read_rows
from assets.split import SPLITS, SplitName, split_of
from assets.stage import Metrics, Stage, StageError, main, write_json

LABELS = ("item", "material", "bin", "product_class")

Row = dict[str, Any]


@dataclass(frozen=True)
class Shard:
    """One tar to be written: its path and its samples as (key, row, picture), sorted by key."""

    path: Path
    samples: list[tuple[str, Row, Original]]


def shards(stage: Stage) -> Metrics:
    """Write train, validation and test tars, the label vocabularies of the train split and the pictures' format."""
    parameters = stage.parameters(ShardsParameters)
    rows = read_rows(stage.input("validated") / "listings.parquet")
    splits = split_rows((row for row in rows if row["image"]), stage.parameters(Split, "split"))
    for name in SPLITS:
        if not splits[name]:
            stage.progress(f"no listing with a picture falls in the {name} split")
    originals = find_originals(stage.input("catalog"))
    plan = [shard for name in SPLITS for shard in _plan(stage.output / name, splits[name], originals, parameters)]
    done = 0
    for count in write_shards(plan, parameters, stage.parameters(Compute, "compute").threads):
        done += count
        stage.progress("listings", done, sum(map(len, splits.values())))
    write_json(stage.output / "labels.json", vocabularies(splits["train"]))
    write_json(stage.output / "pictures.json", {"size": parameters.image_size, "fit": parameters.fit})
    return {
        **{f"{name}_listings": len(splits[name]) for name in SPLITS},
        "listings_without_picture": len(rows) - sum(map(len, splits.values())),
        "pictures_shared_between_splits": _shared_pictures(splits),
        "shards": len(plan),
    }


def split_rows(rows: Iterable[Row], split: Split) -> dict[SplitName, list[Row]]:
    """The rows of each split."""
    splits: dict[SplitName, list[Row]] = {name: [] for name in SPLITS}
    for row in rows:
        splits[split_of(row["id"], split)].append(row)
    return splits


def sample_key(listing_id: str) -> str:
    """The name of a listing's sample: 16 hex digits of its id's SHA-256."""
    return hashlib.sha256(listing_id.encode()).hexdigest()[:16]


def vocabularies(rows: list[Row]) -> dict[str, list[str]]:
    """For each kind of label the values that occur, sorted."""
    return {label: sorted({row[label] for row in rows if row[label]}) for label in LABELS}


def write_shards(plan: list[Shard], parameters: ShardsParameters, processes: int) -> Iterator[int]:
    """Write every shard, several at a time; yields how many samples each has. How many at a time changes no byte."""
    if processes == 1:
        yield from (write_shard(shard, parameters) for shard in plan)
        return
    # Spawned, not forked: the parent may have threads (Arrow's), and a fork would copy their locks.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(processes, len(plan)), mp_context=context, initializer=die_with_parent) as pool:
        yield from pool.map(write_shard, plan, [parameters] * len(plan))


def write_shard(shard: Shard, parameters: ShardsParameters) -> int:
    """Write one tar: for each sample ``<key>.jpg`` and ``<key>.json``; returns how many samples.

    Raises:
        StageError: a picture cannot be read; the message names its listing.
    """
    with shard.path.open("wb") as file, webdataset.TarWriter(file, user="", group="", mtime=0, encoder=False) as tar:
        for key, row, original in shard.samples:
            tar.write({"__key__": key, "jpg": _picture(row, original, parameters), "json": _json(row)})
    return len(shard.samples)


def _plan(
    folder: Path, rows: list[Row], originals: Mapping[str, Original], parameters: ShardsParameters
) -> Iterator[Shard]:
    folder.mkdir()
    samples = []
    for row in rows:
        if row["image"] not in originals:
            raise StageError(
                f"data/validated/listings.parquet: {row['id']}: its picture {row['image']} is in no tar of "
                "data/catalog; run `dvc repro validated`"
            )
        samples.append((sample_key(row["id"]), row, originals[row["image"]]))
    samples.sort(key=lambda sample: sample[0])
    size = parameters.listings_per_shard
    for number, start in enumerate(range(0, max(1, len(samples)), size)):  # DVC keeps no folder without files
        yield Shard(folder / f"{number:05}.tar", samples[start : start + size])


def _picture(row: Row, original: Original, parameters: ShardsParameters) -> bytes:
    size = parameters.image_size
    try:
        picture = decode(original.read(), least_side=2 * size)
    except PictureError as error:
        raise StageError(
            f"{original.tar}: {row['image']}, the picture of {row['id']}, cannot be read ({error}); "
            "take the listing out of the source or mend its picture"
        ) from error
    return encode_jpeg(fit(picture, size, parameters.fit), parameters.quality)


def _json(row: Row) -> bytes:
    return json.dumps(row, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def _shared_pictures(splits: Mapping[SplitName, list[Row]]) -> int:
    """Pictures that stand in more than one split: there should be none, or the evaluation flatters the model."""
    places: dict[str, set[SplitName]] = defaultdict(set)
    for name, rows in splits.items():
        for row in rows:
            places[row["image"]].add(name)
    return sum(len(names) > 1 for names in places.values())


if __name__ == "__main__":
    main(shards)
