"""A text that a decoder writes, token by token, without reading it anew each time."""

from collections.abc import Callable

import torch
from torch import Tensor

from lightning_modules.layers.cache import DecoderCache
from lightning_modules.layers.decoder import TransformerDecoder


class CachedDecoding:
    """A batch of texts under way: what :mod:`lightning_modules.layers.generation` asks for its next tokens.

    Args:
        embed: token ids (B, T) -> states (B, T, width).
        decoder: with a memory (an encoder's states) or without (a language model).
        score: states (..., width) -> logits (..., vocabulary).
        present: True where the first tokens are no padding, (B, T); None if all are. Padding stands in front: the next
            token follows the last one.
        memory: (B, S, width), with ``memory_present`` (B, S) where some of it is padding.
    """

    def __init__(
        self,
        embed: Callable[[Tensor], Tensor],
        decoder: TransformerDecoder,
        score: Callable[[Tensor], Tensor],
        *,
        present: Tensor | None = None,
        memory: Tensor | None = None,
        memory_present: Tensor | None = None,
    ) -> None:
        self.embed, self.decoder, self.score = embed, decoder, score
        self.present, self.memory, self.memory_present = present, memory, memory_present
        self.cache = DecoderCache(len(decoder.layers))

    def next_logits(self, tokens: Tensor) -> Tensor:
        """Tokens (B, T) that follow those of earlier calls -> logits of what comes next, (B, vocabulary)."""
        if self.present is not None and self.cache.length:
            new = torch.ones_like(tokens, dtype=torch.bool)
            self.present = torch.cat([self.present, new], dim=1)  # (B, past + T)
        states = self.decoder(
            self.embed(tokens),
            self.present,
            memory=self.memory,
            memory_present=self.memory_present,
            cache=self.cache,
        )
        return self.score(states[:, -1])

    def select(self, rows: Tensor) -> None:
        """Go on with these rows (M,) of the batch, in this order: left out, doubled or swapped."""
        self.cache.select(rows)
        self.present, self.memory, self.memory_present = (
            None if tensor is None else tensor[rows] for tensor in (self.present, self.memory, self.memory_present)
        )
