"""The transformer encoder: self-attention between all tokens."""

from torch import Tensor, nn

from lightning_modules.layers.attention_block import AttentionBlock
from lightning_modules.layers.config import TransformerConfig
from lightning_modules.layers.feed_forward import FeedForwardBlock
from lightning_modules.layers.masks import combine_masks, padding_mask, token_positions
from lightning_modules.layers.positions import Positions
from lightning_modules.layers.rotary import Rotation


class TransformerEncoderLayer(nn.Module):
    """Self-attention, then a feed-forward block: (B, T, width) -> (B, T, width).

    Source: Vaswani et al. 2017, Attention Is All You Need, section 3.1.
    """

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.attention = AttentionBlock(config)
        self.feed_forward = FeedForwardBlock(
            config.hidden_size,
            config.intermediate_size,
            activation=config.activation,
            dropout=config.dropout,
            norm=config.norm,
        )

    def forward(self, states: Tensor, *, mask: Tensor | None = None, rotation: Rotation | None = None) -> Tensor:
        """See :class:`GroupedQueryAttention` for ``mask`` and ``rotation``."""
        return self.feed_forward(self.attention(states, mask=mask, rotation=rotation))


class TransformerEncoder(nn.Module):
    """Positions and a stack of encoder layers: embedded tokens (B, T, width) -> (B, T, width)."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.positions = Positions(config)
        self.dropout = nn.Dropout(config.dropout)
        self.layers = nn.ModuleList(TransformerEncoderLayer(config) for _ in range(config.num_layers))
        self.norm = nn.LayerNorm(config.hidden_size) if config.norm == "first" else nn.Identity()

    def forward(self, states: Tensor, present: Tensor | None = None) -> Tensor:
        """
        Args:
            states: embedded tokens, (B, T, width).
            present: True for tokens, False for padding, (B, T); None without padding. Outputs at padding are undefined.
        """
        length = states.shape[1]
        positioned = self.positions(states, token_positions(present, 0, length, states.device), length)
        mask = combine_masks(None if present is None else padding_mask(present), positioned.bias)
        states = self.dropout(positioned.states)
        for layer in self.layers:
            states = layer(states, mask=mask, rotation=positioned.rotation)
        return self.norm(states)
