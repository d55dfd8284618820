"""Rotary positions."""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lightning_modules.layers.fixed_positions import FixedPositions
from lightning_modules.layers.position_tables import BASE, rotary_angles


class Rotation(NamedTuple):
    """Cosines and sines of the angles of T tokens, (T, head_width / 2) or (B, 1, T, head_width / 2) each."""

    cos: Tensor
    sin: Tensor


class RotaryPositions(FixedPositions):
    """Each pair of a query's and a key's numbers is turned by an angle that grows with the token's position.

    The dot product of two turned vectors depends on the difference of their angles alone, so scores depend on how far
    apart two tokens stand and not on where. Source: Su et al. 2021, RoFormer: Enhanced Transformer with Rotary Position
    Embedding.

    Args:
        length: positions to make room for at once.
        head_width: of each head, even.
        base: of the row of wavelengths; higher ones suit longer texts.
    """

    def __init__(self, length: int, head_width: int, base: float = BASE) -> None:
        self.head_width, self.base = head_width, base
        super().__init__(length)

    def rows(self, length: int) -> NDArray[np.float64]:
        angles = rotary_angles(length, self.head_width, self.base)
        return np.concatenate([np.cos(angles), np.sin(angles)], axis=-1)  # (length, head_width)

    def forward(self, positions: Tensor, length: int) -> Rotation:
        """The rotation of tokens at ``positions``, (T,) or (B, T), all below ``length``."""
        rows = self.at(positions, length)
        return Rotation(*(rows if positions.ndim == 1 else rows.unsqueeze(1)).chunk(2, dim=-1))


def rotate(states: Tensor, rotation: Rotation) -> Tensor:
    """states (B, heads, T, head_width), turned; number i and number i + head_width / 2 are a pair.

    So it is in the Llama of transformers. In the paper neighbours are pairs, which is the same network with its columns
    in another order.
    """
    cos, sin = (part.to(states.dtype) for part in rotation)
    first, second = states.chunk(2, dim=-1)
    return torch.cat([first * cos - second * sin, second * cos + first * sin], dim=-1)
