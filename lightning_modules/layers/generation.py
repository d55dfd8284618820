"""Writing on: from logits of the next token to texts."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

Pick = Callable[[Tensor], Tensor]
"""Logits (B, vocabulary) -> one token for each row, (B,)."""


class Decoding(Protocol):
    """A batch of texts under way, such as :class:`lightning_modules.layers.decoding.CachedDecoding`."""

    def next_logits(self, tokens: Tensor) -> Tensor:
        """Tokens (B, T) that follow those of earlier calls -> logits of what comes next, (B, vocabulary)."""

    def select(self, rows: Tensor) -> None:
        """Go on with these rows (M,) of the batch, in this order: left out, doubled or swapped."""


@torch.no_grad()
def generate(decoding: Decoding, first: Tensor, pick: Pick, *, length: int, end: int, pad: int) -> Tensor:
    """Texts that follow ``first``, (B, at most ``length``); shorter once every text has ended.

    Args:
        first: what the texts begin with, (B, T): a start token or a prompt. It is not part of the answer.
        pick: the likeliest token (:func:`greedy`), or one drawn by a :class:`Sampler`.
        length: most tokens to write.
        end: a text is over with this token, which is kept; ``pad`` stands behind it.
    """
    tokens = first
    written: list[Tensor] = []
    over = torch.zeros(len(first), dtype=torch.bool, device=first.device)
    while len(written) < length and not over.all():
        token = pick(decoding.next_logits(tokens)).masked_fill(over, pad)  # (B,)
        over = over | (token == end)
        written.append(token)
        tokens = token[:, None]
    return torch.stack(written, dim=1) if written else first[:, :0]


def greedy(logits: Tensor) -> Tensor:
    """The likeliest token of each row: (B, vocabulary) -> (B,)."""
    return logits.argmax(dim=-1)


@dataclass(frozen=True)
class Sampler:
    """Draws a token from the likeliest ones: (B, vocabulary) -> (B,).

    Sources: Fan et al. 2018, Hierarchical Neural Story Generation (top-k); Holtzman et al. 2020, The Curious Case of
    Neural Text Degeneration (top-p).

    Raises:
        ValueError: a setting that leaves nothing to draw from.
    """

    generator: torch.Generator
    """Of the draws, on the logits' device: the same seed gives the same texts."""
    temperature: float = 1.0
    """The logits are divided by it: near 0 the likeliest token is certain, high up all are alike."""
    top_k: int | None = None
    """Only so many of the likeliest tokens."""
    top_p: float = 1.0
    """Only the fewest likeliest tokens that have this probability together."""

    def __post_init__(self) -> None:
        if self.temperature <= 0 or not 0 < self.top_p <= 1 or (self.top_k is not None and self.top_k < 1):
            raise ValueError(
                "temperature must be above 0, top_k at least 1, top_p in (0, 1]; "
                f"found {self.temperature}, {self.top_k}, {self.top_p}"
            )

    def __call__(self, logits: Tensor) -> Tensor:
        logits = logits.float() / self.temperature
        if self.top_k is not None:
            logits = keep_top_k(logits, self.top_k)
        probabilities = keep_top_p(logits, self.top_p).softmax(dim=-1)
        return torch.multinomial(probabilities, 1, generator=self.generator).squeeze(1)


def keep_top_k(logits: Tensor, count: int) -> Tensor:
    """Logits (..., vocabulary) with all but the ``count`` highest at minus infinity; of equal ones the first stay."""
    ranked = logits.argsort(dim=-1, descending=True, stable=True)
    return _keep(logits, ranked, torch.arange(logits.shape[-1], device=logits.device) < count)


def keep_top_p(logits: Tensor, probability: float) -> Tensor:
    """Logits (..., vocabulary) with all at minus infinity but the fewest highest that have ``probability`` together."""
    ranked = logits.argsort(dim=-1, descending=True, stable=True)
    chances = logits.softmax(dim=-1).gather(-1, ranked)
    before = chances.cumsum(dim=-1) - chances  # what the likelier tokens have; 0 for the likeliest, which always stays
    return _keep(logits, ranked, before < probability)


def _keep(logits: Tensor, ranked: Tensor, kept: Tensor) -> Tensor:
    """``kept`` says of each rank whether it stays, ``ranked`` which token has that rank; (..., vocabulary) each."""
    stays = torch.empty_like(logits, dtype=torch.bool).scatter_(-1, ranked, kept.expand_as(ranked))
    return logits.masked_fill(~stays, -torch.inf)
