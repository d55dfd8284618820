"""Optimisers and schedules."""

import math
from typing import Any

from torch import nn
from torch.optim import AdamW, Optimizer
from torch.optim.lr_scheduler import LambdaLR, LinearLR, ReduceLROnPlateau

from lightning_modules.training.settings import CosineSchedule, OptimizerSettings

START = 1e-3
"""Initial learning rate of a plateau schedule's warm-up, as a share of the peak rate."""


def adamw(network: nn.Module, settings: OptimizerSettings) -> AdamW:
    """AdamW (Loshchilov and Hutter 2019) at its peak rate."""
    return AdamW(
        parameter_groups(network, settings.weight_decay),
        lr=settings.learning_rate,
        betas=(settings.beta1, settings.beta2),
    )


def parameter_groups(network: nn.Module, weight_decay: float) -> list[dict]:
    """Parameter groups with weight decay (two or more dimensions) and without (norms, biases, scalars)."""
    trainable = [parameter for parameter in network.parameters() if parameter.requires_grad]
    return [
        {"params": [p for p in trainable if p.ndim >= 2], "weight_decay": weight_decay},
        {"params": [p for p in trainable if p.ndim < 2], "weight_decay": 0.0},
    ]


def schedules(
    optimizer: Optimizer, settings: OptimizerSettings, steps: int, epochs: int, monitor: str
) -> list[dict[str, Any]]:
    """Learning rate schedules in Lightning's format.

    Args:
        optimizer: at its peak rate.
        settings: kind and parameters of the schedule.
        steps: optimiser steps of the whole training.
        epochs: number of epochs of the whole training.
        monitor: metric, logged after each validation, that a plateau schedule monitors.
    """
    schedule = settings.schedule
    warmup = round(steps * min(1.0, schedule.warmup_epochs / epochs))
    if isinstance(schedule, CosineSchedule):
        share = schedule.min_lr_ratio
        cosine = LambdaLR(optimizer, lambda step: cosine_factor(step, steps, warmup, share))
        return [{"scheduler": cosine, "interval": "step"}]
    plateau = ReduceLROnPlateau(
        optimizer,
        factor=schedule.factor,
        patience=schedule.patience,
        min_lr=schedule.min_lr_ratio * settings.learning_rate,
    )
    configs: list[dict[str, Any]] = [{"scheduler": plateau, "interval": "epoch", "monitor": monitor}]
    if warmup:  # both multiply the current rate, so they can be combined
        rise = LinearLR(optimizer, start_factor=max(START, 1 / warmup), total_iters=warmup)
        configs.append({"scheduler": rise, "interval": "step"})
    return configs


def cosine_factor(step: int, steps: int, warmup: int, final_share: float) -> float:
    """Share of the peak rate at optimiser step ``step`` (from 0): linear warm-up, then half a cosine."""
    if step < warmup:
        return (step + 1) / warmup
    done = min(1.0, (step - warmup) / max(1, steps - warmup))
    return final_share + (1 - final_share) * (1 + math.cos(math.pi * done)) / 2
