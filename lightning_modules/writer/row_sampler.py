"""Texts drawn side by side, each as if it were drawn alone."""

from collections.abc import Sequence
from hashlib import sha256

import torch
from torch import Tensor

from lightning_modules.layers.generation import keep_top_p


class RowSampler:
    """Draws a token for each row from its likeliest ones, (B, vocabulary) -> (B,).

    A row's draws depend on the seed and its own key, not on which rows are drawn with it
    (:class:`lightning_modules.layers.generation.Sampler` draws for all of them together).

    Args:
        keys: of the rows.
        seed: another one, other texts.
        top_p: only the fewest likeliest tokens that have this probability together (Holtzman et al. 2020).
    """

    def __init__(self, keys: Sequence[str], seed: int, top_p: float) -> None:
        self.top_p = top_p
        self._generators = [torch.Generator().manual_seed(_number(f"{seed} {key}")) for key in keys]

    def __call__(self, logits: Tensor) -> Tensor:
        probabilities = keep_top_p(logits.float(), self.top_p).softmax(dim=-1).cpu()
        drawn = [
            torch.multinomial(row, 1, generator=generator)
            for row, generator in zip(probabilities, self._generators, strict=True)
        ]
        return torch.cat(drawn).to(logits.device)


def _number(words: str) -> int:
    return int.from_bytes(sha256(words.encode()).digest()[:7])
