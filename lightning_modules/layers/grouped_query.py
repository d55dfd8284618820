"""Attention with several heads, some of which share keys and values."""

from torch import Tensor, nn

from lightning_modules.layers.cache import KeysValues, KeyValueCache
from lightning_modules.layers.linear import LinearLayer
from lightning_modules.layers.rotary import Rotation, rotate
from lightning_modules.layers.scaled_dot_product import AttentionOutput, ScaledDotProductAttention


class GroupedQueryAttention(nn.Module):
    """Heads look at the same tokens with different eyes; every ``heads / key_value_heads`` share keys and values.

    ``concat(head_1, …, head_h) W_o``, where ``head_i`` is scaled dot-product attention of ``q W_q,i`` to ``k W_k,g``
    and ``v W_v,g``, and g is head i's group. While a text grows token by token, keys and values are what must be held
    and read: 8 heads that share 4 halve that. As many groups as heads is multi-head attention, one is multi-query.

    Source: Ainslie et al. 2023, GQA: Training Generalized Multi-Query Transformer Models from Multi-Head Checkpoints.

    Args:
        width: of the states; each head works on ``width / heads`` of it.
        bias: of the four projections.
        dropout: chance of each attention weight to be zeroed in training.

    Raises:
        ValueError: the numbers do not divide each other.
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
            mask: True where the query may see the key, or a float bias; broadcasts to (B, heads, Q, K).
            causal: the queries are the last Q of the K tokens, and see nothing that comes after them.
            rotation: rotary angles of the tokens at hand, for queries and keys alike.
            cache: of this attention, for a text that grows; it may know more tokens than ``key`` holds.
        """
        key = query if key is None else key
        value = key if value is None else value

        def fresh() -> KeysValues:
            keys = _split(self.key(key), self.key_value_heads)
            keys = keys if rotation is None else rotate(keys, rotation)
            return keys, _split(self.value(value), self.key_value_heads)

        queries = _split(self.query(query), self.heads)  # (B, heads, Q, head_width)
        queries = queries if rotation is None else rotate(queries, rotation)
        keys, values = fresh() if cache is None else cache.update(fresh)  # (B, key_value_heads, K, head_width)
        context, weights = self.attention(
            queries, self._each(keys), self._each(values), mask, causal=causal, return_weights=return_weights
        )
        return AttentionOutput(self.output(context.transpose(1, 2).flatten(2)), weights)

    def _each(self, shared: Tensor) -> Tensor:
        """(B, key_value_heads, K, head_width) -> (B, heads, K, head_width): a group's heads are neighbours."""
        group = self.heads // self.key_value_heads
        return shared if group == 1 else shared.repeat_interleave(group, dim=1)


def _split(states: Tensor, heads: int) -> Tensor:
    """(B, T, heads * head_width) -> (B, heads, T, head_width)."""
    return states.unflatten(-1, (heads, -1)).transpose(1, 2)
