"""Labels of classifiers that can be missing: ids, loss and accuracy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

MISSING = -100
"""Id of a missing label, and of a label whose class does not occur in the train split."""


@dataclass  # not frozen: Lightning moves its tensors to the device
class LabelledBatch:
    """Images and their label ids."""

    pixels: Tensor
    """uint8, (B, 3, S, S)."""
    labels: dict[str, Tensor]
    """Kind of label -> class ids or ``MISSING``, int64, (B,)."""

    def __len__(self) -> int:
        return len(self.pixels)


def encode_labels(rows: Sequence[Mapping[str, Any]], head: str, classes: Sequence[str]) -> Tensor:
    """Class ids of the rows' labels of one kind, ``MISSING`` for unknown ones, int64 (B,)."""
    index_of = {name: index for index, name in enumerate(classes)}
    return torch.tensor([index_of.get(row[head], MISSING) for row in rows], dtype=torch.int64)


def masked_label_loss(logits: Tensor, target: Tensor, smoothing: float) -> Tensor:
    """Label-smoothed cross-entropy (Szegedy et al. 2016, section 7), averaged over the rows with a label.

    Args:
        logits: (B, C).
        target: class ids or ``MISSING``, (B,).
        smoothing: share of the target distribution that is uniform over all classes, in [0, 1).

    Returns:
        A scalar; 0 with zero gradients if no row has a label.
    """
    losses = functional.cross_entropy(
        logits, target, ignore_index=MISSING, label_smoothing=smoothing, reduction="none"
    )  # (B,), 0 where missing
    return losses.sum() / (target != MISSING).sum().clamp(min=1)
