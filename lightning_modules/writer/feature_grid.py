"""Image features as one vector and as a grid of vectors."""

from typing import NamedTuple

import torch
from torch import Tensor
from transformers import CLIPVisionModel, ViTModel

from lightning_modules.image.config import ImageTower
from lightning_modules.image.image_tower import ImageEncoder

MIN_SIDE = 4
"""Fewest cells of a grid in each direction: a coarser grid does not locate objects."""


class FeatureGrid(NamedTuple):
    """Features of B images."""

    pooled: Tensor
    """One vector for each image, as of :class:`ImageEncoder`, (B, width)."""
    cells: Tensor
    """The grid, row by row from the top left, (B, side * side, map_width)."""


class FeatureGridEncoder(ImageEncoder):
    """An :class:`ImageEncoder` that also returns the feature grid: normalised pixels (B, 3, S, S) to both.

    A transformer's grid is the states of its patches. A convolutional network's grid is the output of its last stage
    with at least ``MIN_SIDE`` cells in each direction, or of its first stage where none has.

    Args:
        tower: kind and shape.
        image_size: S, in pixels.

    Attributes:
        side: cells of the grid in each direction.
        map_width: dimensions of a cell's vector.
    """

    def __init__(self, tower: ImageTower, image_size: int) -> None:
        super().__init__(tower, image_size)
        self._stage = -1
        with torch.no_grad():
            training = self.training
            self.eval()  # keep the batch norms' statistics
            pixels = next(self.parameters()).new_zeros(1, 3, image_size, image_size)
            if not self._is_transformer():
                maps = self.model(pixel_values=pixels, output_hidden_states=True).hidden_states
                fine_stages = [index for index, stage in enumerate(maps) if stage.shape[-1] >= MIN_SIDE]
                self._stage = fine_stages[-1] if fine_stages else 0
            cells = self(pixels).cells
            self.train(training)
        self.side, self.map_width = round(cells.shape[1] ** 0.5), cells.shape[2]

    def forward(self, pixels: Tensor) -> FeatureGrid:  # type: ignore[override]
        outputs = self.model(pixel_values=pixels, output_hidden_states=not self._is_transformer())
        if not self._is_transformer():
            cells = outputs.hidden_states[self._stage]  # (B, map_width, side, side)
            return FeatureGrid(torch.flatten(outputs.pooler_output, start_dim=1), cells.flatten(2).transpose(1, 2))
        states = outputs.last_hidden_state
        pooled = states[:, 0] if isinstance(self.model, ViTModel) else outputs.pooler_output
        return FeatureGrid(pooled, states[:, 1:])

    def _is_transformer(self) -> bool:
        return isinstance(self.model, CLIPVisionModel | ViTModel)
