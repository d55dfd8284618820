"""What all trained models share when they are asked: few threads, a GPU if there is one, batches of one size."""

import os
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

import torch

BATCH = 64
"""Samples that are computed together; always as many, so that equal input gives equal bytes."""

Thing = TypeVar("Thing")
NetworkType = TypeVar("NetworkType", bound=torch.nn.Module)


def prepare_for_inference(network: NetworkType, threads: int) -> NetworkType:
    """The network on a GPU if there is one; ``threads`` are this process's from now on."""
    torch.set_num_threads(threads)
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    return network.to("cuda" if torch.cuda.is_available() else "cpu")


def iterate_batches(things: Iterable[Thing]) -> Iterator[list[Thing]]:
    """Lists of ``BATCH`` things, the last one perhaps shorter."""
    iterator = iter(things)
    while batch := list(islice(iterator, BATCH)):
        yield batch
