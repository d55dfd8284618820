import pytest
import torch

from lightning_modules.layers.alibi import ALiBi, ALiBiAttention, alibi_slopes
from lightning_modules.layers.masks import causal_mask, padding_mask


def test_eight_heads_halve_from_a_half() -> None:
    assert alibi_slopes(8) == [1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 32, 1 / 64, 1 / 128, 1 / 256]


def test_sixteen_heads_have_a_root_between_each_two() -> None:
    assert alibi_slopes(16) == pytest.approx([2 ** (-(index + 1) / 2) for index in range(16)])


def test_other_numbers_take_every_second_slope_of_the_next_power() -> None:
    # The authors' code for 12 heads: those of 8, then numbers 1, 3, 5, 7 of those of 16.
    assert alibi_slopes(12) == pytest.approx([*alibi_slopes(8), *alibi_slopes(16)[0:8:2]])
    assert alibi_slopes(6) == pytest.approx([1 / 4, 1 / 16, 1 / 64, 1 / 256, 1 / 2, 1 / 8])


@pytest.mark.parametrize("heads", range(1, 40))
def test_every_head_has_its_own_slope(heads: int) -> None:
    slopes = alibi_slopes(heads)
    assert len(set(slopes)) == len(slopes) == heads
    assert all(0 < slope < 1 for slope in slopes)


def test_the_bias_is_the_distance_times_the_slope_at_any_length() -> None:
    bias = ALiBi(8)(2, 3000)
    assert bias.shape == (8, 2, 3000)
    for head, slope in enumerate(alibi_slopes(8)):
        for query, position in enumerate((2998, 2999)):
            expected = [-slope * abs(position - key) for key in (0, 17, 2047, 2998, 2999)]
            assert bias[head, query, [0, 17, 2047, 2998, 2999]].tolist() == pytest.approx(expected)
    assert not ALiBi(8).state_dict()


def test_attention_adds_the_bias_to_the_scores() -> None:
    attention = ALiBiAttention(16, heads=4)
    x, present = torch.randn(2, 6, 16), torch.tensor([[True] * 6, [True] * 4 + [False] * 2])
    weights = attention(x, mask=padding_mask(present), causal=True, return_weights=True).weights
    query, key = (part(x).view(2, 6, 4, 4).transpose(1, 2) for part in (attention.query, attention.key))
    scores = query @ key.transpose(-1, -2) / 2
    distance = (torch.arange(6)[:, None] - torch.arange(6)).abs()
    scores = scores - torch.tensor(alibi_slopes(4))[:, None, None] * distance
    scores = scores.masked_fill(~(causal_mask(6, 6) & present[:, None, None, :]), -torch.inf)
    torch.testing.assert_close(weights, scores.softmax(dim=-1))
