"""Pool the cells of a feature grid inside a box."""

import torch
from torch import Tensor

MIN_SIDE = 1e-3
"""Smallest side of a box, as a share of the image's side, so that a box without area still lies in a cell."""


def region_pool(cells: Tensor, boxes: Tensor) -> Tensor:
    """The mean of a grid's cells, each weighted by the share of its area inside the box.

    RoI pooling (Girshick 2015, Fast R-CNN, section 2.1) with a 1 x 1 output, exact at the borders.

    Args:
        cells: cells of a square grid, row by row, (B, side * side, C).
        boxes: x0, y0, x1, y1 as shares of the square image's side, in [0, 1], (B, N, 4); N may be 0.

    Returns:
        One vector for each box, (B, N, C).
    """
    side = round(cells.shape[1] ** 0.5)
    low, high = boxes[..., :2].clamp(0, 1 - MIN_SIDE), boxes[..., 2:].clamp(0, 1)  # (B, N, 2): across, down
    high = torch.maximum(high, low + MIN_SIDE)
    edges = torch.arange(side + 1, device=cells.device, dtype=boxes.dtype) / side
    inside = torch.minimum(high[..., None], edges[1:]) - torch.maximum(low[..., None], edges[:-1])
    across, down = inside.clamp(min=0).unbind(dim=2)  # (B, N, side) each: shares of the side
    shares = (down[..., :, None] * across[..., None, :]).flatten(2)  # (B, N, side * side)
    shares = shares / shares.sum(dim=-1, keepdim=True)
    return shares.to(cells.dtype) @ cells
