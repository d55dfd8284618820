"""Losses that are exact when a batch is distributed over several processes."""

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.nn.functional import all_gather
from torch.nn import functional


def contrastive_loss(image: Tensor, text: Tensor, scale: Tensor) -> Tensor:
    """Symmetric cross-entropy of matching images and texts (Radford et al. 2021, figure 3).

    Each process compares its own samples with those of all processes. The mean of the processes' losses is the loss of
    the whole batch. The gradients agree as well: ``all_gather`` sums the gradients of all processes, and
    ``DistributedDataParallel`` averages them.

    Args:
        image: L2-normalised embeddings, (B, D); B is equal on all processes.
        text: L2-normalised embeddings, (B, D); row i belongs to row i of ``image``.
        scale: factor of the cosines, 1 / temperature, scalar.

    Returns:
        The mean loss over this process's samples, scalar.
    """
    all_image, all_text = gather(image), gather(text)  # (P * B, D) each, for P processes
    target = torch.arange(len(image), device=image.device) + _rank() * len(image)
    by_image = functional.cross_entropy(scale * image @ all_text.T, target)  # (B, P * B)
    by_text = functional.cross_entropy(scale * text @ all_image.T, target)
    return (by_image + by_text) / 2


def gather(features: Tensor) -> Tensor:
    """Rows of all processes in rank order, (P * B, D), with gradients; unchanged with one process."""
    if not (dist.is_available() and dist.is_initialized()) or dist.get_world_size() == 1:
        return features
    return torch.cat(all_gather(features))


def _rank() -> int:
    return dist.get_rank() if dist.is_available() and dist.is_initialized() else 0
