"""Rows of fixed numbers, one for each position."""

from abc import ABC, abstractmethod

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn


class FixedPositions(nn.Module, ABC):
    """A table that follows from a formula: it grows when a longer text comes, and stays out of the weights' file.

    Args:
        length: positions to make room for at once.
    """

    table: Tensor

    def __init__(self, length: int) -> None:
        super().__init__()
        self.register_buffer("table", self._made(length), persistent=False)

    @abstractmethod
    def rows(self, length: int) -> NDArray[np.float64]:
        """The first ``length`` rows, (length, columns)."""

    def at(self, positions: Tensor, length: int) -> Tensor:
        """The rows at ``positions`` (...), all below ``length``: (..., columns)."""
        if length > len(self.table):  # doubled, so that a text which grows by one token seldom waits
            self.table = self._made(max(length, 2 * len(self.table))).to(self.table)
        return self.table[positions]

    def _made(self, length: int) -> Tensor:
        # From float64: in float32 the angle itself is wrong by 1e-4 at position 2,000.
        return torch.from_numpy(self.rows(length)).float()
