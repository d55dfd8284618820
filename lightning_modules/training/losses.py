"""Losses that stay right when a batch is spread over several processes."""

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.nn.functional import all_gather
from torch.nn import functional


def contrastive_loss(image: Tensor, text: Tensor, scale: Tensor) -> Tensor:
    """Symmetric cross-entropy of matching images and texts (Radford et al. 2021, figure 3).

    Each process compares its own samples with those of all processes. The mean of the losses over the processes is the
    loss of the joined batch, and so are the gradients: gathering adds up what the processes send back, and
    ``DistributedDataParallel`` takes the mean over them.

    Args:
        image: L2-normalised embeddings, (B, D); B is equal on all processes.
        text: L2-normalised embeddings, (B, D); row i belongs to row i of ``image``.
        scale: what the cosines are multiplied by, scalar: 1 / temperature.

    Returns:
        The mean loss over this process's samples, scalar.
    """
    all_image, all_text = gather(image), gather(text)  # (P * B, D) each, for P processes
    target = torch.arange(len(image), device=image.device) + _rank() * len(image)
    by_image = functional.cross_entropy(scale * image @ all_text.T, target)  # (B, P * B)
    by_text = functional.cross_entropy(scale * text @ all_image.T, target)
    return (by_image + by_text) / 2


def gather(features: Tensor) -> Tensor:
    """The rows of all processes in rank order, (P * B, D), with gradient; unchanged where there is one process."""
    if not (dist.is_available() and dist.is_initialized()) or dist.get_world_size() == 1:
        return features
    return torch.cat(all_gather(features))


def _rank() -> int:
    return dist.get_rank() if dist.is_available() and dist.is_initialized() else 0
