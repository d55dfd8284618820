"""Who may see whom.

One convention holds everywhere: a mask is a boolean tensor that broadcasts to (B, heads, queries, keys) and is True
where the query may see the key. Masks are joined by ``&``. A query that may see nothing gets zeros, not NaN.
A bias is a float tensor of the same shape that is added to the scores.
"""

import torch
from torch import Tensor


def causal_mask(queries: int, keys: int, device: torch.device | None = None) -> Tensor:
    """Each token sees itself and what came before, (queries, keys); the queries are the last of the keys."""
    return torch.ones(queries, keys, dtype=torch.bool, device=device).tril(keys - queries)


def padding_mask(present: Tensor) -> Tensor:
    """Nobody sees padding: ``present`` (B, keys), True where there is a token, -> (B, 1, 1, keys)."""
    return present[:, None, None, :]


def combine_masks(first: Tensor | None, second: Tensor | None) -> Tensor | None:
    """Two masks, or a mask and a bias, as one tensor that attention takes for a mask; None where there is neither."""
    if first is None or second is None:
        return second if first is None else first
    if first.dtype == second.dtype == torch.bool:
        return first & second
    mask, bias = (first, second) if first.dtype == torch.bool else (second, first)
    return torch.where(mask, bias, -torch.inf)


def token_positions(present: Tensor | None, past: int, new: int, device: torch.device) -> Tensor:
    """Where the ``new`` last tokens stand, counted from 0 and without padding, (new,) or (B, new).

    Args:
        present: True where there is a token, (B, past + new); None if there is no padding.
        past: tokens before the new ones.
    """
    if present is None:
        return torch.arange(past, past + new, device=device)
    return (present.cumsum(dim=1) - 1).clamp(min=0)[:, past:]  # (B, new)
