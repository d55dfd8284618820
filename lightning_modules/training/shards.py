"""Reproducible batches from WebDataset shards, for every model.

Random draws for a sample depend on seed, epoch and the sample's key only. The samples of a batch depend on seed, epoch,
the number of processes and, for streamed shards, the number of loader workers.
"""

import io
import itertools
import json
import random
import tarfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
import webdataset
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.utils.data import IterableDataset, get_worker_info

from lightning_modules.training.settings import LoadingSettings

Row = dict[str, Any]
"""A listing, as in the shard's JSON."""


@dataclass(frozen=True)
class ShardSample:
    """One listing with its image."""

    key: str
    image: NDArray[np.uint8]
    """Red, green and blue, (S, S, 3)."""
    row: Row


@dataclass  # not frozen: Lightning moves its tensors to the device
class ImageTextBatch:
    """Images and their texts."""

    pixels: Tensor
    """uint8, (B, 3, S, S)."""
    tokens: Tensor
    """int64, (B, T), padded to the longest text of the batch."""

    def __len__(self) -> int:
        return len(self.pixels)


class Collate(Protocol):
    """Collates samples to a model's batch; ``epoch`` is None for validation and test, without random changes."""

    def __call__(self, samples: Sequence[ShardSample], epoch: int | None) -> Any: ...


class ShardSplit:
    """One folder of shards, restricted to the rows that a model can use.

    Args:
        folder: contains ``00000.tar``, …
        keep: whether the model can use a row.
        settings: cache or stream.
    """

    def __init__(self, folder: Path, keep: Callable[[Row], bool], settings: LoadingSettings) -> None:
        self.tars = _tars(folder)
        self.keep = keep
        self.settings = settings
        self.total, self.kept = _count(self.tars, keep)
        self._cached = [_decode(raw) for raw in self._raw(self.tars)] if settings.cache else None

    def in_order(self, part: int = 0, parts: int = 1) -> Iterator[ShardSample]:
        """Every ``parts``-th sample, starting with ``part``, sorted by key."""
        if self._cached is not None:
            return iter(self._cached[part::parts])
        return map(_decode, itertools.islice(self._raw(self.tars), part, None, parts))

    def rows(self) -> Iterator[Row]:
        """The rows of the samples, shard by shard, without reading the images."""
        return filter(self.keep, _rows(self.tars))

    def shuffled(self, seed: str, part: int, parts: int) -> Iterator[ShardSample]:
        """One part of the samples in a random order.

        With at least as many shards as parts, each part reads its own shards; otherwise every part reads all shards.
        """
        if self._cached is not None:
            order = list(range(len(self._cached)))
            random.Random(seed).shuffle(order)
            return (self._cached[index] for index in order[part::parts])
        tars = list(self.tars)
        random.Random(seed).shuffle(tars)
        if len(tars) >= parts:
            samples = self._raw(tars[part::parts])
        else:
            samples = itertools.islice(self._raw(tars), part, None, parts)
        shuffle = webdataset.filters.shuffle(self.settings.shuffle_buffer, rng=random.Random(f"{seed} {part}"))
        return map(_decode, shuffle(samples))

    def _raw(self, tars: Sequence[str]) -> Iterator[dict[str, Any]]:
        return (raw for raw in _read(tars) if self.keep(raw["row"]))


class ShardBatches(IterableDataset):
    """The batches of one process in one epoch; loader workers produce them in turn.

    Args:
        split: source of the samples.
        collate: converts samples to a batch.
        epoch: for training: shuffled, full batches only. None: in order and complete.
        seed: of the shuffling.
        rank, ranks: index and number of processes; each process gets the same number of batches.
    """

    def __init__(
        self, split: ShardSplit, collate: Collate, epoch: int | None, seed: int, rank: int = 0, ranks: int = 1
    ) -> None:
        self.split, self.collate, self.epoch, self.seed = split, collate, epoch, seed
        self.rank, self.ranks = rank, ranks
        self.size = split.settings.batch_size

    def __len__(self) -> int:
        share = self.split.kept // self.ranks
        return share // self.size if self.epoch is not None else -(-share // self.size)

    def __iter__(self) -> Iterator[Any]:
        info = get_worker_info()
        worker, workers = (0, 1) if info is None else (info.id, info.num_workers)
        if self.epoch is not None and not self.split.settings.cache:
            chunks = self._streamed_chunks(worker, workers)
        else:
            chunks = itertools.islice(self._chunks(), worker, None, workers)
        for chunk in chunks:
            yield self.collate(chunk, self.epoch)

    def _chunks(self) -> Iterator[list[ShardSample]]:
        """The samples of all batches of this process; each loader worker uses every n-th."""
        if self.epoch is None:
            samples = self.split.in_order(self.rank, self.ranks)
        else:
            samples = self.split.shuffled(f"{self.seed} {self.epoch}", self.rank, self.ranks)
        share = self.split.kept // self.ranks  # equal for all processes: one with a further batch would wait forever
        samples = itertools.islice(samples, share)
        return (list(itertools.islice(samples, self.size)) for _ in range(len(self)))

    def _streamed_chunks(self, worker: int, workers: int) -> Iterator[list[ShardSample]]:
        """The samples of the batches of one loader worker, which reads its own shards."""
        part, parts = self.rank * workers + worker, self.ranks * workers
        # Shards differ in size: a worker without further samples continues with its shards in a new order.
        endless = itertools.chain.from_iterable(
            self.split.shuffled(f"{self.seed} {self.epoch} {lap}", part, parts) for lap in itertools.count()
        )
        return (list(itertools.islice(endless, self.size)) for _ in range(worker, len(self), workers))


def stack_pixels(images: Sequence[NDArray[np.uint8]]) -> Tensor:
    """Images (S, S, 3) -> uint8 (B, 3, S, S)."""
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).contiguous()


def read_samples(folder: Path) -> Iterator[ShardSample]:
    """All samples of a folder of shards, sorted by key."""
    return map(_decode, _read(_tars(folder)))


def _tars(folder: Path) -> list[str]:
    return sorted(str(tar) for tar in folder.glob("*.tar"))


def _read(tars: Sequence[str]) -> Iterator[dict[str, Any]]:
    if not tars:
        return
    source = webdataset.DataPipeline(webdataset.SimpleShardList(list(tars)), webdataset.tarfile_to_samples())
    for sample in source:
        yield {"key": sample["__key__"], "jpg": sample["jpg"], "row": json.loads(sample["json"])}


def _decode(raw: dict[str, Any]) -> ShardSample:
    with Image.open(io.BytesIO(raw["jpg"])) as image:
        return ShardSample(raw["key"], np.asarray(image.convert("RGB")), raw["row"])


def _count(tars: Sequence[str], keep: Callable[[Row], bool]) -> tuple[int, int]:
    """Number of rows, and of those that are kept."""
    kept = [keep(row) for row in _rows(tars)]
    return len(kept), sum(kept)


def _rows(tars: Sequence[str]) -> Iterator[Row]:
    """All rows, without reading the images."""
    for path in tars:
        with tarfile.open(path) as tar:
            for member in tar:
                if member.name.endswith(".json"):
                    content = tar.extractfile(member)
                    assert content is not None
                    yield json.load(content)
