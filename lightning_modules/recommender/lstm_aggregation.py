"""LSTM aggregation of neighbours (Hamilton, Ying and Leskovec 2017, section 3.3)."""

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence
from torch_geometric.nn.aggr import Aggregation


class LstmAggregation(Aggregation):
    """The LSTM's state after the last neighbour; zeros for a node without neighbours.

    PyG's ``LSTMAggregation`` reads the padding of shorter rows as well, so its result for one node depends on the
    number of neighbours of the other nodes. This class packs the rows instead.

    Args:
        channels: size of a neighbour's vector and of the state.
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
        """Neighbours (E, C), sorted by the receiving node ``index`` (E,) -> states (dim_size, C)."""
        rows, present = self.to_dense_batch(x, index, ptr, dim_size, dim)  # (N, max neighbours, C), (N, max neighbours)
        counts = present.sum(dim=1)
        states = x.new_zeros(len(rows), rows.shape[2])
        connected = counts > 0
        if connected.any():
            packed = pack_padded_sequence(
                rows[connected], counts[connected].cpu(), batch_first=True, enforce_sorted=False
            )
            states = states.index_put((torch.nonzero(connected)[:, 0],), self.lstm(packed)[1][0][0])
        return states
