"""Texts drawn side by side are those drawn alone."""

import torch
from torch import Tensor

from lightning_modules.writer.row_sampler import RowSampler

LOGITS = torch.randn(4, 6, 9, generator=torch.Generator().manual_seed(1))  # steps, rows, vocabulary


def _drawn(keys: list[str], rows: list[int], seed: int = 0) -> Tensor:
    sampler = RowSampler(keys, seed, top_p=0.8)
    return torch.stack([sampler(step[rows]) for step in LOGITS], dim=1)


def test_a_row_is_drawn_the_same_whatever_stands_beside_it() -> None:
    together = _drawn(list("abcdef"), list(range(6)))
    for row, key in enumerate("abcdef"):
        assert _drawn([key], [row]).tolist() == together[row : row + 1].tolist()
    assert _drawn(list("fa"), [5, 0]).tolist() == together[[5, 0]].tolist()


def test_seed_and_key_make_the_difference() -> None:
    wide = torch.zeros(1, 2, 1000).expand(3, 2, 1000)
    first, second = (RowSampler(["a", "b"], seed, top_p=1.0) for seed in (1, 2))
    drawn = torch.stack([torch.stack([sampler(step) for step in wide], dim=1) for sampler in (first, second)])
    assert len({tuple(text) for text in drawn.flatten(0, 1).tolist()}) == 4


def test_only_the_likeliest_are_drawn_and_nothing_that_is_forbidden() -> None:
    logits = torch.tensor([[5.0, 5.0, 0.0, -torch.inf], [-torch.inf, -torch.inf, -torch.inf, 0.0]])
    sampler = RowSampler(["a", "b"], 0, top_p=0.9)
    drawn = torch.stack([sampler(logits) for _ in range(200)], dim=1)
    assert set(drawn[0].tolist()) == {0, 1}
    assert set(drawn[1].tolist()) == {3}
