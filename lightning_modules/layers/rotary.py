"""Rotary position embedding."""

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
    """Rotates pairs of a query's and a key's dimensions by an angle proportional to the token's position.

    The dot product of two rotated vectors depends on the difference of their angles, so attention scores depend on the
    distance of two tokens, not on their positions. Source: Su et al. 2021, RoFormer: Enhanced Transformer with Rotary
    Position Embedding.

    Args:
        length: initial number of positions.
        head_width: dimensions of each head, even.
        base: of the wavelengths; higher values suit longer texts.
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
    """Rotate states (B, heads, T, head_width); dimensions i and i + head_width / 2 are a pair.

    This is the order of transformers' Llama. The paper pairs adjacent dimensions, which is equivalent up to a
    permutation of columns.
    """
    cos, sin = (part.to(states.dtype) for part in rotation)
    first, second = states.chunk(2, dim=-1)
    return torch.cat([first * cos - second * sin, second * cos + first * sin], dim=-1)
