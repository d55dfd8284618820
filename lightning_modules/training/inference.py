"""Inference settings that all trained models share: threads, device and batch size."""

import os
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

import torch

BATCH_SIZE = 64
"""Samples per batch; constant, so that equal input gives equal bytes."""

Item = TypeVar("Item")
NetworkType = TypeVar("NetworkType", bound=torch.nn.Module)


def prepare_for_inference(network: NetworkType, threads: int) -> NetworkType:
    """Move a network to a GPU if there is one, and set the number of CPU threads of this process."""
    torch.set_num_threads(threads)
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    return network.to("cuda" if torch.cuda.is_available() else "cpu")


def iterate_batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    """Lists of ``BATCH_SIZE`` items; the last list can be shorter."""
    iterator = iter(items)
    while batch := list(islice(iterator, BATCH_SIZE)):
        yield batch
