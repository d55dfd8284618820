import io
import json
import tarfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader

from lightning_modules.training.settings import LoadingSettings
from lightning_modules.training.shards import Row, ShardBatches, ShardSample, ShardSplit, read_samples, stack_pixels

COUNT, SHARDS = 23, 4


def _settings(cache: bool, workers: int = 0) -> LoadingSettings:
    return LoadingSettings(batch_size=4, num_workers=workers, cache=cache, shuffle_buffer=6)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """23 samples over 4 shards, unevenly; sample n is an image of one grey, every fifth has no words."""
    folder = tmp_path_factory.mktemp("train")
    for shard in range(SHARDS):
        with tarfile.open(folder / f"{shard:05}.tar", "w") as tar:
            for number in range(shard * 7, min(COUNT, shard * 7 + 7)):
                image = io.BytesIO()
                Image.new("RGB", (8, 8), (number * 9,) * 3).save(image, "JPEG")
                row = {"id": f"a:{number}", "title": f"title {number}" if number % 5 else None, "n": number}
                for name, content in (("jpg", image.getvalue()), ("json", json.dumps(row).encode())):
                    member = tarfile.TarInfo(f"{number:016x}.{name}")
                    member.size = len(content)
                    tar.addfile(member, io.BytesIO(content))
    return folder


def _has_title(row: Row) -> bool:
    return bool(row["title"])


def _numbers(samples: Sequence[ShardSample], epoch: int | None) -> list[int]:
    return [sample.row["n"] for sample in samples]


def _loaded(split: ShardSplit, epoch: int | None, rank: int = 0, ranks: int = 1, seed: int = 1) -> list[list[int]]:
    batches = ShardBatches(split, _numbers, epoch, seed, rank, ranks)
    return list(DataLoader(batches, batch_size=None, num_workers=split.settings.num_workers))


KEPT = [number for number in range(COUNT) if number % 5]


def test_samples_come_back_as_they_were_written(folder: Path) -> None:
    samples = list(read_samples(folder))
    assert [sample.row["n"] for sample in samples] == list(range(COUNT))
    assert [round(sample.image.mean() / 9) for sample in samples] == list(range(COUNT))
    pixels = stack_pixels([sample.image for sample in samples[:2]])
    assert pixels.shape == (2, 3, 8, 8)
    assert pixels.dtype == torch.uint8


@pytest.mark.parametrize("cache", [True, False])
def test_rows_that_cannot_be_used_are_left_out_and_counted(folder: Path, cache: bool) -> None:
    split = ShardSplit(folder, _has_title, _settings(cache))
    assert (split.total, split.kept) == (COUNT, len(KEPT))
    assert [sample.row["n"] for sample in split.in_order()] == KEPT


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("cache", [True, False])
def test_validation_is_complete_and_in_order_whatever_the_workers(folder: Path, cache: bool, workers: int) -> None:
    split = ShardSplit(folder, _has_title, _settings(cache, workers))
    assert [number for batch in _loaded(split, None) for number in batch] == KEPT


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("cache", [True, False])
@pytest.mark.parametrize("ranks", [1, 2, 3])
def test_processes_share_a_training_epoch_evenly(folder: Path, cache: bool, workers: int, ranks: int) -> None:
    split = ShardSplit(folder, _has_title, _settings(cache, workers))
    shares = [_loaded(split, 3, rank, ranks) for rank in range(ranks)]
    assert {len(share) for share in shares} == {len(KEPT) // ranks // 4}
    assert all(len(batch) == 4 for share in shares for batch in share)
    assert [_loaded(split, 3, rank, ranks) for rank in range(ranks)] == shares
    seen = [number for share in shares for batch in share for number in batch]
    assert set(seen) <= set(KEPT)
    if cache:
        assert len(set(seen)) == len(seen)


@pytest.mark.parametrize("cache", [True, False])
def test_order_depends_on_seed_and_epoch(folder: Path, cache: bool) -> None:
    split = ShardSplit(folder, _has_title, _settings(cache))
    orders = [_loaded(split, epoch, seed=seed) for epoch, seed in ((0, 1), (1, 1), (0, 2))]
    assert orders[0] != orders[1] != orders[2] != orders[0]
    assert orders[0] != [KEPT[start : start + 4] for start in range(0, 16, 4)]


def test_a_streamed_process_reads_other_shards_than_its_neighbour(folder: Path) -> None:
    split = ShardSplit(folder, _has_title, _settings(cache=False))
    parts = [{sample.row["n"] for sample in split.shuffled("s", part, 2)} for part in range(2)]
    assert parts[0].isdisjoint(parts[1])
    assert parts[0] | parts[1] == set(KEPT)


def test_more_processes_than_shards_still_share_every_sample(folder: Path) -> None:
    split = ShardSplit(folder, _has_title, _settings(cache=False))
    parts = [[sample.row["n"] for sample in split.shuffled("s", part, 6)] for part in range(6)]
    assert sorted(number for part in parts for number in part) == KEPT


def test_cached_images_equal_streamed_ones(folder: Path) -> None:
    cached, streamed = (ShardSplit(folder, _has_title, _settings(cache)) for cache in (True, False))
    for one, other in zip(cached.in_order(), streamed.in_order(), strict=True):
        assert one.key == other.key
        assert np.array_equal(one.image, other.image)
