import pytest
import torch

from lightning_modules.layers.masks import causal_mask, combine_masks, padding_mask, token_positions

PRESENT = torch.tensor([[False, True, True], [True, True, False]])


def test_causal_lets_the_last_queries_see_themselves_and_the_past() -> None:
    assert causal_mask(2, 4).tolist() == [[True, True, True, False], [True, True, True, True]]


def test_masks_are_joined_by_and_and_hide_in_a_bias() -> None:
    both = combine_masks(padding_mask(PRESENT), causal_mask(3, 3))
    assert both is not None
    for row, query, key in torch.cartesian_prod(torch.arange(2), torch.arange(3), torch.arange(3)).tolist():
        assert both[row, 0, query, key].item() == (PRESENT[row, key].item() and key <= query)
    bias = torch.randn(4, 3, 3)
    for joined in (combine_masks(both, bias), combine_masks(bias, both)):
        assert joined is not None
        assert torch.equal(joined.isneginf(), ~both.expand(2, 4, 3, 3))
        assert torch.equal(joined[both.expand(2, 4, 3, 3)], bias.expand(2, 4, 3, 3)[both.expand(2, 4, 3, 3)])
    assert combine_masks(None, None) is None
    assert combine_masks(bias, None) is bias
    assert combine_masks(None, both) is both


@pytest.mark.parametrize(("past", "expected"), [(0, [[0, 0, 1], [0, 1, 1]]), (2, [[1], [1]])])
def test_positions_do_not_count_padding(past: int, expected: list[list[int]]) -> None:
    assert token_positions(PRESENT, past, 3 - past, PRESENT.device).tolist() == expected


def test_positions_go_on_from_the_past() -> None:
    assert token_positions(None, 4, 3, torch.device("cpu")).tolist() == [4, 5, 6]
