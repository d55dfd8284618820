"""Token embeddings."""

from torch import Tensor, nn


class TokenEmbedding(nn.Embedding):
    """Token ids (...) -> (..., width), times sqrt(width).

    Xavier's uniform initialization (Glorot and Bengio 2010) gives small weights, which suit a matrix that is also the
    output layer; the factor scales them to the size of the position embeddings. Source: Vaswani et al. 2017, section
    3.4.

    Args:
        scaled: multiply by sqrt(width); CLIP does not.
        std: standard deviation of a normal initialization instead of Xavier's.
    """

    def __init__(self, vocabulary: int, width: int, *, scaled: bool = True, std: float | None = None) -> None:
        self.std = std
        self.scale = width**0.5 if scaled else None
        super().__init__(vocabulary, width)

    def reset_parameters(self) -> None:
        if self.std is None:
            nn.init.xavier_uniform_(self.weight)
        else:
            nn.init.normal_(self.weight, std=self.std)

    def forward(self, tokens: Tensor) -> Tensor:
        vectors = super().forward(tokens)
        return vectors if self.scale is None else vectors * self.scale
