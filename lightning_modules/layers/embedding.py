"""Tokens as vectors."""

from torch import Tensor, nn


class TokenEmbedding(nn.Embedding):
    """Token ids (...) -> (..., width), times sqrt(width).

    Xavier's uniform start (Glorot and Bengio 2010) gives small numbers, as a matrix that also scores the next token
    needs; the root brings them up to the positions that are added. Source: Vaswani et al. 2017, section 3.4.

    Args:
        scaled: times sqrt(width); CLIP leaves it out.
        std: of a normal start in place of Xavier's.
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
