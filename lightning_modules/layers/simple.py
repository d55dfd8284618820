"""Attention with one head."""

from torch import Tensor, nn

from lightning_modules.layers.linear import LinearLayer
from lightning_modules.layers.scaled_dot_product import AttentionOutput, ScaledDotProductAttention


class SimpleAttention(nn.Module):
    """Single-head attention with projections of queries, keys and values.

    ``softmax((q W_q) (k W_k)ᵀ / sqrt(D)) (v W_v)``: multi-head attention with one head and no output projection.
    Source: Vaswani et al. 2017, Attention Is All You Need, section 3.2.1, with the projections of 3.2.2.

    Args:
        width: of queries, keys and values.
        attention_width: D, dimensions of the projections; ``width`` if None.
        dropout: of attention weights.
    """

    def __init__(self, width: int, attention_width: int | None = None, *, dropout: float = 0.0) -> None:
        super().__init__()
        inner = attention_width or width
        self.query, self.key, self.value = (LinearLayer(width, inner) for _ in range(3))
        self.attention = ScaledDotProductAttention(dropout)

    def forward(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> AttentionOutput:
        """query (B, Q, width), key and value (B, K, width) -> context (B, Q, attention_width), weights (B, Q, K).

        Args:
            mask: True where the query may attend to the key, broadcasts to (B, Q, K).
        """
        return self.attention(self.query(query), self.key(key), self.value(value), mask, return_weights=True)
