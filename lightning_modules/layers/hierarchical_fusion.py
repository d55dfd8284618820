"""Two vectors to one, on three levels."""

import torch
from torch import Tensor, nn

from lightning_modules.layers.perceptron import MultiLayerPerceptron
from lightning_modules.layers.simple import SimpleAttention


class HierarchicalFusion(nn.Module):
    """Early, mid and late fusion of two modalities: (B, width) each -> (B, width).

    Early joins both side by side, mid takes their product and their sum; each goes through a linear layer, ReLU,
    dropout and a linear layer. Late pools what there is, both modalities and what the other levels made of them, by the
    attention of a learned query; without it, their mean is taken. Sources: Baltrušaitis et al. 2019, Multimodal Machine
    Learning, section 6.1, for early and late fusion; Kim et al. 2017, Hadamard Product for Low-rank Bilinear Pooling,
    for the product.

    Args:
        early, mid, late: which levels there are.
        dropout: between the two linear layers.
    """

    def __init__(self, width: int, *, early: bool, mid: bool, late: bool, dropout: float = 0.1) -> None:
        super().__init__()
        self.early = _fusion(width, dropout) if early else None
        self.mid = _fusion(width, dropout) if mid else None
        self.late = SimpleAttention(width) if late else None
        self.query = nn.Parameter(torch.zeros(1, 1, width)) if late else None
        self.absent = nn.Parameter(torch.zeros(width))

    def forward(self, first: Tensor, second: Tensor, second_present: Tensor) -> Tensor:
        """first (B, width), second (B, width), which only the rows of ``second_present`` (B,) have.

        A second modality that is absent is a learned vector.
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
