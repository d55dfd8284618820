"""Early, mid and late fusion of two vectors."""

import torch
from torch import Tensor, nn

from lightning_modules.layers.perceptron import MultiLayerPerceptron
from lightning_modules.layers.simple import SimpleAttention


class HierarchicalFusion(nn.Module):
    """Early, mid and late fusion of two modalities: (B, width) each -> (B, width).

    Early fusion concatenates both vectors, mid fusion concatenates their product and their sum; each is followed by a
    linear layer, ReLU, dropout and a linear layer. Late fusion pools both modalities and the outputs of the other
    levels by attention of a trained query; without late fusion the result is their mean. Sources: Baltrušaitis et al.
    2019, Multimodal Machine Learning, section 6.1, for early and late fusion; Kim et al. 2017, Hadamard Product for
    Low-rank Bilinear Pooling, for the product.

    Args:
        width: of each modality's vector.
        early, mid, late: whether the level exists.
        dropout: between the two linear layers of a level.
    """

    def __init__(self, width: int, *, early: bool, mid: bool, late: bool, dropout: float = 0.1) -> None:
        super().__init__()
        self.early = _fusion(width, dropout) if early else None
        self.mid = _fusion(width, dropout) if mid else None
        self.late = SimpleAttention(width) if late else None
        self.query = nn.Parameter(torch.zeros(1, 1, width)) if late else None
        self.absent = nn.Parameter(torch.zeros(width))

    def forward(self, first: Tensor, second: Tensor, second_present: Tensor) -> Tensor:
        """first (B, width), second (B, width), True in ``second_present`` (B,) for rows with a second vector.

        A missing second vector is replaced by a trained one.
        """
        second = torch.where(second_present[:, None], second, self.absent)
        levels = [first, second]
        if self.early is not None:
            levels.append(self.early(torch.cat([first, second], dim=-1)))
        if self.mid is not None:
            levels.append(self.mid(torch.cat([first * second, first + second], dim=-1)))
        stacked = torch.stack(levels, dim=1)  # (B, levels, width)
        if self.late is None:
            return stacked.mean(dim=1)
        assert self.query is not None
        return self.late(self.query.expand(len(first), -1, -1), stacked, stacked).context.squeeze(1)


def _fusion(width: int, dropout: float) -> MultiLayerPerceptron:
    return MultiLayerPerceptron(2 * width, [width], width, activation="relu", dropout=dropout)
