"""Sinusoidal position encoding."""

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from lightning_modules.layers.fixed_positions import FixedPositions
from lightning_modules.layers.position_tables import sinusoidal_table


class SinusoidalPositions(FixedPositions):
    """Sines and cosines of many wavelengths, added to the states: no parameters, any text length.

    A shift by k positions is the same linear map at every position, so attention can learn relative positions. Source:
    Vaswani et al. 2017, Attention Is All You Need, section 3.5.

    Args:
        length: initial number of positions.
        width: of the states, even.
    """

    def __init__(self, length: int, width: int) -> None:
        self.width = width
        super().__init__(length)

    def rows(self, length: int) -> NDArray[np.float64]:
        return sinusoidal_table(length, self.width)

    def forward(self, states: Tensor, positions: Tensor, length: int) -> Tensor:
        """Add the rows of ``positions``, (T,) or (B, T), all below ``length``, to the states (B, T, width)."""
        return states + self.at(positions, length)
