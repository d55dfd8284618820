"""Caches of attention keys and values for generation token by token."""

from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor

KeysValues = tuple[Tensor, Tensor]
"""Keys and values, (B, key_value_heads, K, head_width) each."""


class KeyValueCache(ABC):
    """Cache of one attention layer."""

    def __init__(self) -> None:
        self.held: KeysValues | None = None

    @abstractmethod
    def update(self, fresh: Callable[[], KeysValues]) -> KeysValues:
        """Keys and values to attend to; ``fresh`` computes those of the new tokens."""

    @property
    def length(self) -> int:
        """Number of cached tokens."""
        return 0 if self.held is None else self.held[0].shape[2]

    def select(self, rows: Tensor) -> None:
        """Select rows (M,) of the batch, in this order."""
        if self.held is not None:
            self.held = (self.held[0][rows], self.held[1][rows])


class GrowingCache(KeyValueCache):
    """Cache of self-attention: new tokens are appended."""

    def update(self, fresh: Callable[[], KeysValues]) -> KeysValues:
        key, value = fresh()
        if self.held is not None:
            key, value = torch.cat([self.held[0], key], dim=2), torch.cat([self.held[1], value], dim=2)
        self.held = (key, value)
        return self.held


class FixedCache(KeyValueCache):
    """Cache of cross-attention: the memory does not change, so it is computed once."""

    def update(self, fresh: Callable[[], KeysValues]) -> KeysValues:
        if self.held is None:
            self.held = fresh()
        return self.held


class LayerCache:
    """Caches of one decoder layer."""

    def __init__(self) -> None:
        self.own, self.memory = GrowingCache(), FixedCache()


class DecoderCache:
    """Caches of a stack of decoder layers."""

    def __init__(self, layers: int) -> None:
        self.layers = [LayerCache() for _ in range(layers)]

    @property
    def length(self) -> int:
        """Number of cached tokens."""
        return self.layers[0].own.length

    def select(self, rows: Tensor) -> None:
        """Select rows (M,) of the batch, in this order; rows can be dropped, repeated or permuted."""
        for layer in self.layers:
            layer.own.select(rows)
            layer.memory.select(rows)
