"""Beam search."""

from typing import NamedTuple

import torch
from torch import Tensor

from lightning_modules.layers.generation import Decoding


class Hypotheses(NamedTuple):
    """Generated texts, best first: tokens (B, beams, T), padded after the end, and scores (B, beams)."""

    tokens: Tensor
    scores: Tensor


@torch.no_grad()
def beam_search(
    decoding: Decoding, first: Tensor, *, beams: int, length: int, end: int, pad: int, penalty: float = 0.6
) -> Hypotheses:
    """Beam search: extend the ``beams`` best prefixes of each text instead of one.

    The score of a text y is ``log P(y) / ((5 + |y|) / 6)^penalty``; without the length penalty short texts would win.
    A finished text remains among the beams until better ones replace it. With one beam the result equals greedy
    decoding.
    Source: Wu et al. 2016, Google's Neural Machine Translation System, section 7.

    Args:
        decoding: state of the batch of texts.
        first: start tokens or prompts, (B, T); not part of the result.
        beams: number of prefixes per text.
        length: maximum number of generated tokens, at least 1.
        end: id of the token that ends a text; it is part of the text and counts.
        pad: id of the tokens after the end.
        penalty: exponent of the length penalty.
    """
    rows, device = len(first), first.device
    texts = first.new_empty(rows, beams, 0)
    chances = torch.full((rows, beams), -torch.inf, device=device)
    chances[:, 0] = 0.0  # all beams are equal at first, so only one of them may be extended
    lengths, over = torch.zeros_like(chances), torch.zeros_like(chances, dtype=torch.bool)
    logits = decoding.next_logits(first).repeat_interleave(beams, dim=0)  # (B * beams, vocabulary)
    decoding.select(torch.arange(rows, device=device).repeat_interleave(beams))
    while True:
        steps = _steps(logits, over.flatten(), pad).unflatten(0, (rows, beams))  # (B, beams, vocabulary)
        counts = (lengths + ~over)[:, :, None]
        ranked = (chances[:, :, None] + steps) / _norm(counts, penalty)
        best = ranked.flatten(1).topk(beams).indices  # (B, beams)
        parent, token = best // logits.shape[-1], best % logits.shape[-1]
        chances = (chances[:, :, None] + steps).flatten(1).gather(1, best)
        lengths, over = counts.squeeze(2).gather(1, parent), over.gather(1, parent) | (token == end)
        texts = torch.cat([texts.gather(1, parent[:, :, None].expand_as(texts)), token[:, :, None]], dim=2)
        if texts.shape[2] >= length or over.all():
            return Hypotheses(texts, chances / _norm(lengths, penalty))
        decoding.select((parent + beams * torch.arange(rows, device=device)[:, None]).flatten())
        logits = decoding.next_logits(token.view(-1, 1))


def _steps(logits: Tensor, over: Tensor, pad: int) -> Tensor:
    """Log-probabilities of the next token, (N, vocabulary); a finished text is padded with probability 1."""
    steps = logits.float().log_softmax(dim=-1)
    steps[over] = -torch.inf
    steps[over, pad] = 0.0
    return steps


def _norm(lengths: Tensor, penalty: float) -> Tensor:
    return ((5 + lengths) / 6) ** penalty
