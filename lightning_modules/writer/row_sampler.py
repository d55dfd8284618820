"""Sampling in batches in which each row is sampled as if it were alone."""

from collections.abc import Sequence
from hashlib import sha256

import torch
from torch import Tensor

from lightning_modules.layers.generation import keep_top_p


class RowSampler:
    """Samples a token for each row by nucleus sampling, (B, vocabulary) -> (B,).

    A row's samples depend on the seed and its own key, not on the other rows of the batch
    (:class:`lightning_modules.layers.generation.Sampler` uses one generator for all rows).

    Args:
        keys: keys of the B rows.
        seed: random seed.
        top_p: probability of the nucleus (Holtzman et al. 2020).
    """

    def __init__(self, keys: Sequence[str], seed: int, top_p: float) -> None:
        self.top_p = top_p
        self._generators = [torch.Generator().manual_seed(_seed_from(f"{seed} {key}")) for key in keys]

    def __call__(self, logits: Tensor) -> Tensor:
        probabilities = keep_top_p(logits.float(), self.top_p).softmax(dim=-1).cpu()
        drawn = [
            torch.multinomial(row, 1, generator=generator)
            for row, generator in zip(probabilities, self._generators, strict=True)
        ]
        return torch.cat(drawn).to(logits.device)


def _seed_from(words: str) -> int:
    return int.from_bytes(sha256(words.encode()).digest()[:7])
