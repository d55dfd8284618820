"""Grouped-query attention."""

from torch import Tensor, nn

from lightning_modules.layers.cache import KeysValues, KeyValueCache
from lightning_modules.layers.linear import LinearLayer
from lightning_modules.layers.rotary import Rotation, rotate
from lightning_modules.layers.scaled_dot_product import AttentionOutput, ScaledDotProductAttention


class GroupedQueryAttention(nn.Module):
    """Attention whose groups of ``heads / key_value_heads`` query heads share keys and values.

    ``concat(head_1, …, head_h) W_o``, where ``head_i`` is scaled dot-product attention of ``q W_q,i`` to ``k W_k,g``
    and ``v W_v,g``, and g is the group of head i. The cache of keys and values shrinks by the size of a group. With as
    many groups as heads this is multi-head attention, with one group multi-query attention.

    Source: Ainslie et al. 2023, GQA: Training Generalized Multi-Query Transformer Models from Multi-Head Checkpoints.

    Args:
        width: of the states; each head has ``width / heads`` dimensions.
        heads: number of query heads.
        key_value_heads: number of heads of keys and values.
        bias: whether the four projections have one.
        dropout: of attention weights.

    Raises:
        ValueError: key_value_heads does not divide heads, or heads does not divide width.
    """

    def __init__(
        self, width: int, heads: int = 8, key_value_heads: int = 4, *, bias: bool = True, dropout: float = 0.0
    ) -> None:
        super().__init__()
        if width % heads or heads % key_value_heads:
            raise ValueError(f"{key_value_heads} key/value heads must divide {heads} heads, these the width {width}")
        self.heads, self.key_value_heads = heads, key_value_heads
        shared = width // heads * key_value_heads
        self.query = LinearLayer(width, width, bias=bias)
        self.key = LinearLayer(width, shared, bias=bias)
        self.value = LinearLayer(width, shared, bias=bias)
        self.output = LinearLayer(width, width, bias=bias)
        self.attention = ScaledDotProductAttention(dropout)

    def forward(
        self,
        query: Tensor,
        key: Tensor | None = None,
        value: Tensor | None = None,
        *,
        mask: Tensor | None = None,
        causal: bool = False,
        rotation: Rotation | None = None,
        cache: KeyValueCache | None = None,
        return_weights: bool = False,
    ) -> AttentionOutput:
        """query (B, Q, width), key and value (B, K, width) -> context (B, Q, width), weights (B, heads, Q, K) or None.

        Args:
            key: ``query`` if None, which is self-attention.
            value: ``key`` if None.
            mask: True where the query may attend to the key, or a float bias; broadcasts to (B, heads, Q, K).
            causal: the queries are the last Q of the K tokens and do not attend to later tokens.
            rotation: rotary angles of the new tokens, for queries and keys.
            cache: of this layer, for generation; it can contain more tokens than ``key``.
        """
        key = query if key is None else key
        value = key if value is None else value

        def fresh() -> KeysValues:
            keys = _split_heads(self.key(key), self.key_value_heads)
            keys = keys if rotation is None else rotate(keys, rotation)
            return keys, _split_heads(self.value(value), self.key_value_heads)

        queries = _split_heads(self.query(query), self.heads)  # (B, heads, Q, head_width)
        queries = queries if rotation is None else rotate(queries, rotation)
        keys, values = fresh() if cache is None else cache.update(fresh)  # (B, key_value_heads, K, head_width)
        context, weights = self.attention(
            queries,
            self._repeat_groups(keys),
            self._repeat_groups(values),
            mask,
            causal=causal,
            return_weights=return_weights,
        )
        return AttentionOutput(self.output(context.transpose(1, 2).flatten(2)), weights)

    def _repeat_groups(self, shared: Tensor) -> Tensor:
        """(B, key_value_heads, K, head_width) -> (B, heads, K, head_width): the heads of a group are adjacent."""
        group = self.heads // self.key_value_heads
        return shared if group == 1 else shared.repeat_interleave(group, dim=1)


def _split_heads(states: Tensor, heads: int) -> Tensor:
    """(B, T, heads * head_width) -> (B, heads, T, head_width)."""
    return states.unflatten(-1, (heads, -1)).transpose(1, 2)
