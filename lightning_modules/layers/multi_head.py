"""Multi-head attention."""

from lightning_modules.layers.grouped_query import GroupedQueryAttention


class MultiHeadAttention(GroupedQueryAttention):
    """``concat(head_1, …, head_h) W_o``: every head has its own keys and values.

    Source: Vaswani et al. 2017, Attention Is All You Need, section 3.2.2. Shapes as in :class:`GroupedQueryAttention`.
    """

    def __init__(self, width: int, heads: int = 8, *, bias: bool = True, dropout: float = 0.0) -> None:
        super().__init__(width, heads, heads, bias=bias, dropout=dropout)
