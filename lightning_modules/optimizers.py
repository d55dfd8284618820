"""Optimisers and schedules."""

import math

from torch import nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR

from lightning_modules.settings import OptimizerSettings


def adamw_with_cosine(network: nn.Module, settings: OptimizerSettings, steps: int) -> tuple[AdamW, LambdaLR]:
    """AdamW (Loshchilov and Hutter 2019) with a linear warm-up and a cosine decay over ``steps`` optimiser steps."""
    optimizer = AdamW(
        parameter_groups(network, settings.weight_decay),
        lr=settings.learning_rate,
        betas=(settings.beta1, settings.beta2),
    )
    warmup = round(steps * settings.warmup_share)
    return optimizer, LambdaLR(optimizer, lambda step: cosine_factor(step, steps, warmup, settings.final_share))


def parameter_groups(network: nn.Module, weight_decay: float) -> list[dict]:
    """Matrices and kernels decay; norms, biases and scalars, which have fewer than two dimensions, do not."""
    trainable = [parameter for parameter in network.parameters() if parameter.requires_grad]
    return [
        {"params": [p for p in trainable if p.ndim >= 2], "weight_decay": weight_decay},
        {"params": [p for p in trainable if p.ndim < 2], "weight_decay": 0.0},
    ]


def cosine_factor(step: int, steps: int, warmup: int, final_share: float) -> float:
    """Share of the peak rate at optimiser step ``step`` (from 0): up in a line, down in half a cosine."""
    if step < warmup:
        return (step + 1) / warmup
    done = min(1.0, (step - warmup) / max(1, steps - warmup))
    return final_share + (1 - final_share) * (1 + math.cos(math.pi * done)) / 2
