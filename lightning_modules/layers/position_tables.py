"""Tables of fixed position encodings as NumPy arrays."""

import numpy as np
from numpy.typing import NDArray

BASE = 10_000.0
"""Base of the wavelengths, which range from 2π to nearly 2π · 10,000 tokens."""


def sinusoidal_table(length: int, width: int, base: float = BASE) -> NDArray[np.float64]:
    """``sin(p / base^(2i / width))`` in column 2i of row p, the cosine in column 2i + 1: (length, width).

    Source: Vaswani et al. 2017, Attention Is All You Need, section 3.5.

    Args:
        width: even.
    """
    angles = _angles(length, width, base)  # (length, width / 2)
    return np.stack([np.sin(angles), np.cos(angles)], axis=-1).reshape(length, width)


def rotary_angles(length: int, head_width: int, base: float = BASE) -> NDArray[np.float64]:
    """``p / base^(2i / head_width)`` radians turn pair i of a head at position p: (length, head_width / 2).

    Source: Su et al. 2021, RoFormer: Enhanced Transformer with Rotary Position Embedding, equation 15.

    Args:
        head_width: even.
    """
    return _angles(length, head_width, base)


def _angles(length: int, width: int, base: float) -> NDArray[np.float64]:
    frequencies = base ** (-np.arange(0, width, 2, dtype=np.float64) / width)
    return np.arange(length, dtype=np.float64)[:, None] * frequencies
