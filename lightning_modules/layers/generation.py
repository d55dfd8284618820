"""Text generation: greedy decoding, top-k and top-p sampling."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

Pick = Callable[[Tensor], Tensor]
"""Logits (B, vocabulary) -> one token per row, (B,)."""


class Decoding(Protocol):
    """State of a batch of texts during generation, such as ``CachedDecoding``."""

    def next_logits(self, tokens: Tensor) -> Tensor:
        """Tokens (B, T) that follow those of earlier calls -> logits of the next token, (B, vocabulary)."""

    def select(self, rows: Tensor) -> None:
        """Select rows (M,) of the batch, in this order; rows can be dropped, repeated or permuted."""


@torch.no_grad()
def generate(decoding: Decoding, first: Tensor, pick: Pick, *, length: int, end: int, pad: int) -> Tensor:
    """Generate the continuations of ``first``, (B, at most ``length``); stops when all texts have ended.

    Args:
        decoding: state of the batch of texts.
        first: start tokens or prompts, (B, T); not part of the result.
        pick: chooses the next token: :func:`greedy` or a :class:`Sampler`.
        length: maximum number of generated tokens.
        end: id of the token that ends a text and is part of it.
        pad: id of the tokens after the end.
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
    """The most probable token of each row: (B, vocabulary) -> (B,)."""
    return logits.argmax(dim=-1)


@dataclass(frozen=True)
class Sampler:
    """Samples a token from the most probable ones: (B, vocabulary) -> (B,).

    Sources: Fan et al. 2018, Hierarchical Neural Story Generation (top-k); Holtzman et al. 2020, The Curious Case of
    Neural Text Degeneration (top-p).

    Raises:
        ValueError: a setting is out of range.
    """

    generator: torch.Generator
    """Source of randomness, on the device of the logits."""
    temperature: float = 1.0
    """Divisor of the logits: low values approach greedy decoding, high values uniform sampling."""
    top_k: int | None = None
    """Sample from this number of most probable tokens; None for all."""
    top_p: float = 1.0
    """Sample from the smallest set of most probable tokens with this total probability."""

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
    """Logits (..., vocabulary) with all but the ``count`` highest (first of equals) set to minus infinity."""
    ranked = logits.argsort(dim=-1, descending=True, stable=True)
    return _keep(logits, ranked, torch.arange(logits.shape[-1], device=logits.device) < count)


def keep_top_p(logits: Tensor, probability: float) -> Tensor:
    """Logits (..., vocabulary) with all set to minus infinity but the smallest set of highest with ``probability``."""
    ranked = logits.argsort(dim=-1, descending=True, stable=True)
    chances = logits.softmax(dim=-1).gather(-1, ranked)
    before = (
        chances.cumsum(dim=-1) - chances
    )  # probability of the tokens ranked higher; 0 for the first, which is always kept
    return _keep(logits, ranked, before < probability)


def _keep(logits: Tensor, ranked: Tensor, kept: Tensor) -> Tensor:
    """Mask by rank: ``ranked`` is the token of each rank, ``kept`` True for kept ranks; (..., vocabulary) each."""
    stays = torch.empty_like(logits, dtype=torch.bool).scatter_(-1, ranked, kept.expand_as(ranked))
    return logits.masked_fill(~stays, -torch.inf)
