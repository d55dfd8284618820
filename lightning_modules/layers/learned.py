"""Learned positions."""

from torch import Tensor, nn

STD = 0.02
"""Of the first values, as in BERT, GPT-2 and CLIP."""


class LearnedPositions(nn.Module):
    """A vector for each position, learned like a word's and added to the states.

    Source: Gehring et al. 2017, Convolutional Sequence to Sequence Learning, section 3.1.

    Args:
        length: positions that there are.
        width: of the states.
    """

    def __init__(self, length: int, width: int) -> None:
        super().__init__()
        self.table = nn.Embedding(length, width)
        nn.init.normal_(self.table.weight, std=STD)

    def forward(self, states: Tensor, positions: Tensor, length: int) -> Tensor:
        """states (B, T, width) with what stands at ``positions``, (T,) or (B, T), all below ``length``, added.

        Raises:
            ValueError: there are fewer than ``length`` positions.
        """
        if length > self.table.num_embeddings:
            raise ValueError(f"{length} tokens, but only {self.table.num_embeddings} positions were learned")
        return states + self.table(positions)
