"""The text tower of CLIP, from our own layers: token ids to one vector for each text."""

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
"""Of a batch, each of texts of similar lengths: what people write of an image is mostly far shorter than the longest
text of a batch, to which all others would be padded."""


class TextEncoder(nn.Module):
    """Token ids (B, T) -> (B, width): the state at each text's first end token.

    Source: Radford et al. 2021, section 2.4: norm first, causal, the norm after the last layer included.

    Args:
        vocabulary: tokens that there are.
        end_token: every text holds one.
    """

    def __init__(self, tower: TextTower, vocabulary: int, end_token: int) -> None:
        super().__init__()
        self.embedding = TokenEmbedding(vocabulary, tower.hidden_size, scaled=False, std=EMBEDDING_STD)
        self.decoder = TransformerDecoder(_transformer(tower), cross_attention=False)
        self.width, self.end_token = tower.hidden_size, end_token
        _start_as_clip(self.decoder, tower)

    def forward(self, tokens: Tensor) -> Tensor:
        end = (tokens == self.end_token).int().argmax(dim=1)  # first one, (B,)
        order = end.argsort(stable=True)
        states = torch.cat([self._read(tokens[rows], end[rows]) for rows in order.chunk(PARTS)])
        return states[order.argsort()]

    def _read(self, tokens: Tensor, end: Tensor) -> Tensor:
        """Token ids (B, T) -> the states (B, width) at the places ``end``, (B,)."""
        # The end token never sees what stands behind it, so there is no need to say which tokens are padding.
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


def _start_as_clip(decoder: TransformerDecoder, tower: TextTower) -> None:
    """Normal weights as transformers' CLIP draws them: the deeper the stack, the less each layer adds at first."""
    narrow, deep = tower.hidden_size**-0.5, (2 * tower.num_layers) ** -0.5
    for part in decoder.modules():
        if isinstance(part, GroupedQueryAttention):
            for linear in (part.query, part.key, part.value):
                nn.init.normal_(linear.weight, std=narrow * deep)
            nn.init.normal_(part.output.weight, std=narrow)
        elif isinstance(part, FeedForwardBlock):
            nn.init.normal_(part.hidden.weight, std=(2 * tower.hidden_size) ** -0.5)
            nn.init.normal_(part.output.weight, std=narrow * deep)
