"""Markov chains: a language model whose probabilities are known, as the next token depends only on the last one."""

from dataclasses import dataclass

import torch
from torch import Tensor

PAD, START, END = 0, 1, 2


@dataclass
class Chain:
    """A Markov chain for each row, with the methods that decoding calls."""

    logits: Tensor
    """Of the token after each token, (rows, vocabulary, vocabulary)."""
    row: Tensor
    """The chain that each text follows, (texts,)."""

    def next_logits(self, tokens: Tensor) -> Tensor:
        return self.logits[self.row, tokens[:, -1]]

    def select(self, rows: Tensor) -> None:
        self.row = self.row[rows]

    def first(self) -> Tensor:
        """Restart. Returns the first token of each row, (rows, 1)."""
        self.row = torch.arange(len(self.logits))
        return torch.full((len(self.logits), 1), START)


def chain(rows: int, vocabulary: int, seed: int) -> Chain:
    generator = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(rows, vocabulary, vocabulary, generator=generator)
    return Chain(logits, torch.arange(rows))
