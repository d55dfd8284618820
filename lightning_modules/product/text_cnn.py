"""A convolutional network over token embeddings.

Source: Kim 2014, Convolutional Neural Networks for Sentence Classification, with batch norm and a dense layer on top.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from lightning_modules.layers.linear import LinearLayer
from lightning_modules.product.config import WordsBranch


class TextCnn(nn.Module):
    """Token ids (B, T), padded at the end -> (B, features).

    A convolution of k tokens gives n - k + 1 values for a text of n tokens. Padding is excluded from the maximum and
    from the statistics of the batch norm. A text of fewer than k tokens, also an empty one, gives one value: it is
    padded with zero vectors.

    ReLU precedes the batch norm, as in Keras' ``Conv1D(activation="relu")``.
    """

    def __init__(self, branch: WordsBranch, vocabulary: int, pad_token: int) -> None:
        super().__init__()
        self.pad_token = pad_token
        self.kernels = branch.kernel_sizes
        self.embedding = nn.Embedding(vocabulary, branch.embedding_dim, padding_idx=pad_token)
        self.convolutions = nn.ModuleList(
            nn.Conv1d(branch.embedding_dim, branch.num_filters, kernel) for kernel in branch.kernel_sizes
        )
        self.norms = nn.ModuleList(nn.BatchNorm1d(branch.num_filters) for _ in branch.kernel_sizes)
        width = branch.num_filters * len(branch.kernel_sizes)
        self.dense = LinearLayer(width, branch.features, activation="relu", norm="batch", dropout=branch.dropout)

    def forward(self, tokens: Tensor) -> Tensor:
        lengths = (tokens != self.pad_token).sum(dim=1)  # (B,)
        missing = max(0, max(self.kernels) - tokens.shape[1])
        tokens = functional.pad(tokens, (0, missing), value=self.pad_token)
        vectors = self.embedding(tokens).transpose(1, 2)  # (B, embedding, T)
        maxima = []
        for kernel, convolution, norm in zip(self.kernels, self.convolutions, self.norms, strict=True):
            values = functional.relu(convolution(vectors)).transpose(1, 2)  # (B, W, filters)
            positions = torch.arange(values.shape[1], device=tokens.device)
            valid = positions < (lengths[:, None] - kernel + 1).clamp(min=1)  # (B, W)
            maxima.append(_masked_maximum(norm, values, valid))
        return self.dense(torch.cat(maxima, dim=1))


def _masked_maximum(norm: nn.Module, values: Tensor, valid: Tensor) -> Tensor:
    """Maximum of the normalized values over the valid positions: (B, W, C), (B, W) -> (B, C)."""
    normalized = norm(values[valid])  # (valid positions, C)
    padded = normalized.new_full(values.shape, -torch.inf)
    padded[valid] = normalized
    return padded.amax(dim=1)
