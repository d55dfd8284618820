import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_modules.layers.position_tables import rotary_angles, sinusoidal_table


def test_the_sinusoidal_table_is_the_papers_formula() -> None:
    table = sinusoidal_table(50, 16)
    assert table.shape == (50, 16)
    for position in (0, 1, 49):
        for pair in range(8):
            angle = position / 10_000 ** (2 * pair / 16)
            assert table[position, 2 * pair] == pytest.approx(math.sin(angle))
            assert table[position, 2 * pair + 1] == pytest.approx(math.cos(angle))


@given(start=st.integers(0, 900), shift=st.integers(0, 90))
def test_sinusoidal_similarity_depends_on_distance_only(start: int, shift: int) -> None:
    table = sinusoidal_table(1000, 32)
    assert np.dot(table[start], table[start + shift]) == pytest.approx(np.dot(table[0], table[shift]), abs=1e-9)


def test_the_rotary_angles_are_the_papers_formula() -> None:
    angles = rotary_angles(100, 8, base=500.0)
    assert angles.shape == (100, 4)
    assert angles[99].tolist() == pytest.approx([99 / 500 ** (2 * pair / 8) for pair in range(4)])
