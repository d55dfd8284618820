"""The transformer decoder: causal self-attention, optional attention to a memory."""

from torch import Tensor, nn

from lightning_modules.layers.attention_block import AttentionBlock
from lightning_modules.layers.cache import DecoderCache, LayerCache
from lightning_modules.layers.config import TransformerConfig
from lightning_modules.layers.feed_forward import FeedForwardBlock
from lightning_modules.layers.masks import causal_mask, combine_masks, padding_mask, token_positions
from lightning_modules.layers.positions import Positions
from lightning_modules.layers.rotary import Rotation


class TransformerDecoderLayer(nn.Module):
    """Self-attention, attention to a memory, feed-forward block: (B, T, width) -> (B, T, width).

    Source: Vaswani et al. 2017, Attention Is All You Need, section 3.1; without a memory, Radford et al. 2018,
    Improving Language Understanding by Generative Pre-Training.

    Args:
        config: shape of the layer.
        cross_attention: whether the layer attends to a memory.
    """

    def __init__(self, config: TransformerConfig, *, cross_attention: bool) -> None:
        super().__init__()
        self.attention = AttentionBlock(config)
        self.cross_attention = AttentionBlock(config) if cross_attention else None
        self.feed_forward = FeedForwardBlock(
            config.hidden_size,
            config.intermediate_size,
            activation=config.activation,
            dropout=config.dropout,
            norm=config.norm,
        )

    def forward(
        self,
        states: Tensor,
        memory: Tensor | None = None,
        *,
        mask: Tensor | None = None,
        causal: bool = True,
        memory_mask: Tensor | None = None,
        rotation: Rotation | None = None,
        cache: LayerCache | None = None,
    ) -> Tensor:
        """states (B, T, width), memory (B, S, width) or None; further arguments as in :class:`AttentionBlock`."""
        own, held = (None, None) if cache is None else (cache.own, cache.memory)
        states = self.attention(states, mask=mask, causal=causal, rotation=rotation, cache=own)
        if self.cross_attention is not None:
            states = self.cross_attention(states, memory, mask=memory_mask, cache=held)
        return self.feed_forward(states)


class TransformerDecoder(nn.Module):
    """Positions and a stack of decoder layers: embedded tokens (B, T, width) -> (B, T, width).

    Args:
        config: shape of the layers.
        cross_attention: whether every layer attends to a memory, such as an encoder's states.
    """

    def __init__(self, config: TransformerConfig, *, cross_attention: bool) -> None:
        super().__init__()
        self.positions = Positions(config)
        self.dropout = nn.Dropout(config.dropout)
        self.layers = nn.ModuleList(
            TransformerDecoderLayer(config, cross_attention=cross_attention) for _ in range(config.num_layers)
        )
        self.norm = nn.LayerNorm(config.hidden_size) if config.norm == "first" else nn.Identity()

    def forward(
        self,
        states: Tensor,
        present: Tensor | None = None,
        *,
        memory: Tensor | None = None,
        memory_present: Tensor | None = None,
        cache: DecoderCache | None = None,
    ) -> Tensor:
        """
        Args:
            states: embedded tokens, (B, T, width).
            present: True for tokens, False for padding, (B, cached tokens + T); None without padding.
            memory: states to attend to, (B, S, width).
            memory_present: as ``present``, for the memory, (B, S).
            cache: of the tokens before ``states``; those of ``states`` are appended.
        """
        past, new = 0 if cache is None else cache.length, states.shape[1]
        positioned = self.positions(states, token_positions(present, past, new, states.device), past + new)
        mask = combine_masks(None if present is None else padding_mask(present), positioned.bias)
        causal = mask is None  # the fused kernel needs no mask in memory
        if not causal:
            mask = combine_masks(mask, causal_mask(new, past + new, states.device))
        memory_mask = None if memory_present is None else padding_mask(memory_present)
        states = self.dropout(positioned.states)
        for index, layer in enumerate(self.layers):
            states = layer(
                states,
                memory,
                mask=mask,
                causal=causal,
                memory_mask=memory_mask,
                rotation=positioned.rotation,
                cache=None if cache is None else cache.layers[index],
            )
        return self.norm(states)
