"""The text tower of CLIP: token ids to one vector per text."""

import torch
from torch import Tensor, nn

from lightning_modules.clip.config import TextTower
from lightning_modules.layers.config import TransformerConfig
from lightning_modules.layers.decoder import TransformerDecoder
from lightning_modules.layers.embedding import TokenEmbedding
from lightning_modules.layers.feed_forward import FeedForwardBlock
from lightning_modules.layers.grouped_query import GroupedQueryAttention

EMBEDDING_STD = 0.02
PARTS = 4
"""Number of parts of a batch, split by text length, because most texts are far shorter than the longest one."""


class TextEncoder(nn.Module):
    """Token ids (B, T) -> (B, width): the decoder's state at the first end token of each text.

    A causal transformer with pre-norm layers and a final norm. Source: Radford et al. 2021, section 2.4.

    Args:
        vocabulary: number of tokens.
        end_token: id of the end token, which every text contains.
    """

    def __init__(self, tower: TextTower, vocabulary: int, end_token: int) -> None:
        super().__init__()
        self.embedding = TokenEmbedding(vocabulary, tower.hidden_size, scaled=False, std=EMBEDDING_STD)
        self.decoder = TransformerDecoder(_transformer(tower), cross_attention=False)
        self.width, self.end_token = tower.hidden_size, end_token
        _initialize_like_clip(self.decoder, tower)

    def forward(self, tokens: Tensor) -> Tensor:
        end = (tokens == self.end_token).int().argmax(dim=1)  # first one, (B,)
        order = end.argsort(stable=True)
        states = torch.cat([self._pool_states(tokens[rows], end[rows]) for rows in order.chunk(PARTS)])
        return states[order.argsort()]

    def _pool_states(self, tokens: Tensor, end: Tensor) -> Tensor:
        """Token ids (B, T) -> states (B, width) at the positions ``end``, (B,)."""
        # Attention is causal, so the state at the end token does not depend on padding and needs no mask.
        states = self.decoder(self.embedding(tokens[:, : int(end.max()) + 1]))  # (B, T, width)
        return states[torch.arange(len(tokens), device=tokens.device), end]


def _transformer(tower: TextTower) -> TransformerConfig:
    return TransformerConfig(
        context_length=tower.context_length,
        hidden_size=tower.hidden_size,
        num_layers=tower.num_layers,
        num_heads=tower.num_heads,
        intermediate_size=tower.intermediate_size,
        activation=tower.activation,
        positions=tower.positions,
        attention=tower.attention,
        dropout=0.0,
        norm="first",
    )


def _initialize_like_clip(decoder: TransformerDecoder, tower: TextTower) -> None:
    """Initialize with the normal distributions of transformers' CLIP; deeper stacks get smaller weights."""
    narrow, deep = tower.hidden_size**-0.5, (2 * tower.num_layers) ** -0.5
    for part in decoder.modules():
        if isinstance(part, GroupedQueryAttention):
            for linear in (part.query, part.key, part.value):
                nn.init.normal_(linear.weight, std=narrow * deep)
            nn.init.normal_(part.output.weight, std=narrow)
        elif isinstance(part, FeedForwardBlock):
            nn.init.normal_(part.hidden.weight, std=(2 * tower.hidden_size) ** -0.5)
            nn.init.normal_(part.output.weight, std=narrow * deep)
