"""The attention block of a transformer layer."""

from torch import Tensor, nn

from lightning_modules.layers.cache import KeyValueCache
from lightning_modules.layers.config import TransformerConfig
from lightning_modules.layers.grouped_query import GroupedQueryAttention
from lightning_modules.layers.rotary import Rotation
from lightning_modules.layers.sublayer import Sublayer


class AttentionBlock(nn.Module):
    """Self-attention or attention to a memory, wrapped in a :class:`Sublayer`: (B, T, width) -> (B, T, width)."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.attention = GroupedQueryAttention(
            config.hidden_size, config.num_heads, config.num_key_value_heads, dropout=config.dropout
        )
        self.around = Sublayer(config.hidden_size, config.norm, config.dropout)

    def forward(
        self,
        states: Tensor,
        memory: Tensor | None = None,
        *,
        mask: Tensor | None = None,
        causal: bool = False,
        rotation: Rotation | None = None,
        cache: KeyValueCache | None = None,
    ) -> Tensor:
        """states (B, T, width), memory (B, S, width); the rest as in :class:`GroupedQueryAttention`."""
        return self.around(
            states,
            lambda x: self.attention(x, memory, mask=mask, causal=causal, rotation=rotation, cache=cache).context,
        )
