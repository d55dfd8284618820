"""Attention masks.

A mask is a boolean tensor that broadcasts to (B, heads, queries, keys) and is True where the query may attend to the
key. Masks are combined by ``&``. A query without any allowed key gets zeros, not NaN. A bias is a float tensor of the
same shape that is added to the scores.
"""

import torch
from torch import Tensor


def causal_mask(queries: int, keys: int, device: torch.device | None = None) -> Tensor:
    """Each token attends to itself and earlier tokens, (queries, keys); the queries are the last of the keys."""
    return torch.ones(queries, keys, dtype=torch.bool, device=device).tril(keys - queries)


def padding_mask(present: Tensor) -> Tensor:
    """No token attends to padding: ``present`` (B, keys), True for tokens -> (B, 1, 1, keys)."""
    return present[:, None, None, :]


def combine_masks(first: Tensor | None, second: Tensor | None) -> Tensor | None:
    """Combine two masks, or a mask and a bias, to one attention mask; None without both."""
    if first is None or second is None:
        return second if first is None else first
    if first.dtype == second.dtype == torch.bool:
        return first & second
    mask, bias = (first, second) if first.dtype == torch.bool else (second, first)
    return torch.where(mask, bias, -torch.inf)


def token_positions(present: Tensor | None, past: int, new: int, device: torch.device) -> Tensor:
    """Positions of the last ``new`` tokens from 0, padding not counted, (new,) or (B, new).

    Args:
        present: True for tokens, False for padding, (B, past + new); None without padding.
        past: number of tokens before the new ones.
        new: number of new tokens.
        device: of the result.
    """
    if present is None:
        return torch.arange(past, past + new, device=device)
    return (present.cumsum(dim=1) - 1).clamp(min=0)[:, past:]  # (B, new)
