"""Fixed position tables."""

from abc import ABC, abstractmethod

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn


class FixedPositions(nn.Module, ABC):
    """A position table from a formula; it grows for longer texts and is not saved with the weights.

    Args:
        length: initial number of positions.
    """

    table: Tensor

    def __init__(self, length: int) -> None:
        super().__init__()
        self.register_buffer("table", self._make_table(length), persistent=False)

    @abstractmethod
    def rows(self, length: int) -> NDArray[np.float64]:
        """The first ``length`` rows, (length, columns)."""

    def at(self, positions: Tensor, length: int) -> Tensor:
        """The rows at ``positions`` (...), all below ``length``: (..., columns)."""
        if length > len(self.table):  # doubled, so that token-by-token generation seldom extends the table
            self.table = self._make_table(max(length, 2 * len(self.table))).to(self.table)
        return self.table[positions]

    def _make_table(self, length: int) -> Tensor:
        # Computed in float64: in float32 the error of the angle is 1e-4 at position 2,000.
        return torch.from_numpy(self.rows(length)).float()
