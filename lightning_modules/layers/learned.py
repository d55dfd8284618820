"""Learned position embeddings."""

from torch import Tensor, nn

STD = 0.02
"""Standard deviation of the initialization, as in BERT, GPT-2 and CLIP."""


class LearnedPositions(nn.Module):
    """A trained vector per position, added to the states.

    Source: Gehring et al. 2017, Convolutional Sequence to Sequence Learning, section 3.1.

    Args:
        length: number of positions.
        width: of the states.
    """

    def __init__(self, length: int, width: int) -> None:
        super().__init__()
        self.table = nn.Embedding(length, width)
        nn.init.normal_(self.table.weight, std=STD)

    def forward(self, states: Tensor, positions: Tensor, length: int) -> Tensor:
        """Add the vectors of ``positions``, (T,) or (B, T), all below ``length``, to the states (B, T, width).

        Raises:
            ValueError: the table has fewer than ``length`` positions.
        """
        if length > self.table.num_embeddings:
            raise ValueError(f"{length} tokens exceed the {self.table.num_embeddings} learned positions")
        return states + self.table(positions)
