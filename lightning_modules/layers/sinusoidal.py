"""Sinusoidal positions."""

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from lightning_modules.layers.fixed_positions import FixedPositions
from lightning_modules.layers.position_tables import sinusoidal_table


class SinusoidalPositions(FixedPositions):
    """Waves of many lengths, added to the states: nothing to learn, and a row for every position there can be.

    A shift by k positions is one and the same linear map at every position, so a layer can learn to look k tokens
    back. Source: Vaswani et al. 2017, Attention Is All You Need, section 3.5.

    Args:
        length: positions to make room for at once.
        width: of the states, even.
    """

    def __init__(self, length: int, width: int) -> None:
        self.width = width
        super().__init__(length)

    def rows(self, length: int) -> NDArray[np.float64]:
        return sinusoidal_table(length, self.width)

    def forward(self, states: Tensor, positions: Tensor, length: int) -> Tensor:
        """states (B, T, width) with what stands at ``positions``, (T,) or (B, T), all below ``length``, added."""
        return states + self.at(positions, length)
