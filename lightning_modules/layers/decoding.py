"""Generation with a decoder and a cache, token by token."""

from collections.abc import Callable

import torch
from torch import Tensor

from lightning_modules.layers.cache import DecoderCache
from lightning_modules.layers.decoder import TransformerDecoder


class CachedDecoding:
    """State of a batch of texts during generation; implements :class:`lightning_modules.layers.generation.Decoding`.

    Args:
        embed: token ids (B, T) -> states (B, T, width).
        decoder: with a memory (an encoder's states) or without (a language model).
        score: states (..., width) -> logits (..., vocabulary).
        present: True for the first tokens, False for padding, (B, T); None without padding. Padding is on the left.
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
        """Tokens (B, T) that follow those of earlier calls -> logits of the next token, (B, vocabulary)."""
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
        """Select rows (M,) of the batch, in this order; rows can be dropped, repeated or permuted."""
        self.cache.select(rows)
        self.present, self.memory, self.memory_present = (
            None if tensor is None else tensor[rows] for tensor in (self.present, self.memory, self.memory_present)
        )
