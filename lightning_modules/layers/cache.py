"""Keys and values that attention need not compute again while a text grows token by token."""

from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor

KeysValues = tuple[Tensor, Tensor]
"""Keys and values, (B, key_value_heads, K, head_width) each."""


class KeyValueCache(ABC):
    """What one attention remembers."""

    def __init__(self) -> None:
        self.held: KeysValues | None = None

    @abstractmethod
    def update(self, fresh: Callable[[], KeysValues]) -> KeysValues:
        """The keys and values to attend to; ``fresh`` computes those of the tokens at hand."""

    @property
    def length(self) -> int:
        """Tokens held."""
        return 0 if self.held is None else self.held[0].shape[2]

    def select(self, rows: Tensor) -> None:
        """Go on with these rows (M,) of the batch, in this order."""
        if self.held is not None:
            self.held = (self.held[0][rows], self.held[1][rows])


class GrowingCache(KeyValueCache):
    """Self-attention's: the tokens at hand come behind those held."""

    def update(self, fresh: Callable[[], KeysValues]) -> KeysValues:
        key, value = fresh()
        if self.held is not None:
            key, value = torch.cat([self.held[0], key], dim=2), torch.cat([self.held[1], value], dim=2)
        self.held = (key, value)
        return self.held


class FixedCache(KeyValueCache):
    """Cross-attention's: what is attended to stays the same, so the first time is the only one."""

    def update(self, fresh: Callable[[], KeysValues]) -> KeysValues:
        if self.held is None:
            self.held = fresh()
        return self.held


class LayerCache:
    """Of one decoder layer."""

    def __init__(self) -> None:
        self.own, self.memory = GrowingCache(), FixedCache()


class DecoderCache:
    """Of a stack of decoder layers."""

    def __init__(self, layers: int) -> None:
        self.layers = [LayerCache() for _ in range(layers)]

    @property
    def length(self) -> int:
        """Tokens that the stack has seen."""
        return self.layers[0].own.length

    def select(self, rows: Tensor) -> None:
        """Go on with these rows (M,) of the batch, in this order: left out, doubled or swapped."""
        for layer in self.layers:
            layer.own.select(rows)
            layer.memory.select(rows)
