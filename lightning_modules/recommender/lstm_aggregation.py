"""Neighbours read one after the other by an LSTM (Hamilton et al. 2017, section 3.3)."""

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence
from torch_geometric.nn.aggr import Aggregation


class LstmAggregation(Aggregation):
    """The state after the last neighbour; zeros where there is none.

    PyG's own takes the state after the zeros with which shorter rows are filled up, so that what a node hears depends
    on how many neighbours another one has.

    Args:
        channels: of a neighbour, and of the state.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(channels, channels, batch_first=True)

    def reset_parameters(self) -> None:
        self.lstm.reset_parameters()

    def forward(
        self,
        x: Tensor,
        index: Tensor | None = None,
        ptr: Tensor | None = None,
        dim_size: int | None = None,
        dim: int = -2,
    ) -> Tensor:
        """Neighbours (E, C), sorted by the node that they tell -> states (dim_size, C)."""
        rows, is_told = self.to_dense_batch(x, index, ptr, dim_size, dim)  # (N, most, C), (N, most)
        counts = is_told.sum(dim=1)
        states = x.new_zeros(len(rows), rows.shape[2])
        told = counts > 0
        if told.any():
            packed = pack_padded_sequence(rows[told], counts[told].cpu(), batch_first=True, enforce_sorted=False)
            states = states.index_put((torch.nonzero(told)[:, 0],), self.lstm(packed)[1][0][0])
        return states
