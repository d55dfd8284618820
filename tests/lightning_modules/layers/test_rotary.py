import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from lightning_modules.layers.position_tables import rotary_angles
from lightning_modules.layers.rotary import RotaryPositions, rotate


@given(query_at=st.integers(0, 400), key_at=st.integers(0, 400), shift=st.integers(0, 3000), seed=st.integers(0, 99))
@settings(deadline=None, max_examples=50)
def test_scores_depend_on_relative_positions_alone(query_at: int, key_at: int, shift: int, seed: int) -> None:
    torch.manual_seed(seed)
    query, key = torch.randn(2, 1, 1, 1, 16)
    rotary = RotaryPositions(8, 16)

    def score(first: int, second: int) -> float:
        at = [rotary(torch.tensor([position]), position + 1) for position in (first, second)]
        return (rotate(query, at[0]) * rotate(key, at[1])).sum().item()

    assert score(query_at + shift, key_at + shift) == pytest.approx(score(query_at, key_at), abs=2e-5)


def test_turns_each_pair_by_its_angle() -> None:
    states = torch.randn(1, 1, 5, 6)
    turned = rotate(states, RotaryPositions(5, 6)(torch.arange(5), 5))
    before, after = (torch.complex(x[..., :3], x[..., 3:]) for x in (states, turned))
    angles = torch.from_numpy(rotary_angles(5, 6)).float()
    torch.testing.assert_close(after, before * torch.polar(torch.ones_like(angles), angles))


def test_the_table_grows_and_stays_out_of_the_weights() -> None:
    small, large = RotaryPositions(2, 8), RotaryPositions(100, 8)
    positions = torch.tensor([0, 99])
    assert torch.equal(small(positions, 100).sin, large(positions, 100).sin)
    assert not nn.ModuleList([small, large]).state_dict()


def test_rows_may_stand_at_different_positions() -> None:
    rotary, states = RotaryPositions(9, 4), torch.randn(2, 3, 2, 4)
    positions = torch.tensor([[0, 1], [7, 8]])
    both = rotate(states, rotary(positions, 9))
    for row in range(2):
        alone = rotate(states[row : row + 1], rotary(positions[row], 9))
        torch.testing.assert_close(both[row : row + 1], alone)
