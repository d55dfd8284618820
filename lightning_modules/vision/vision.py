"""The image classifier: one image tower with a linear head per kind of label."""

from typing import ClassVar

from torch import Tensor, nn

from lightning_modules.image.image_tower import ImageEncoder, normalize_pixels
from lightning_modules.training.network import Network
from lightning_modules.vision.config import VisionConfig


class Vision(Network):
    """``softmax(W_h dropout(f(image)) + b_h)`` for each head h, with one image tower f for all heads."""

    Config: ClassVar[type] = VisionConfig
    config: VisionConfig

    def __init__(self, config: VisionConfig) -> None:
        super().__init__(config)
        self.image = ImageEncoder(config.image, config.image_size)
        self.dropout = nn.Dropout(config.dropout)
        self.heads = nn.ModuleDict(
            {head: nn.Linear(self.image.width, len(classes)) for head, classes in config.heads.items()}
        )

    def forward(self, pixels: Tensor) -> dict[str, Tensor]:
        """Pixels (B, 3, S, S) as uint8 -> kind of label -> logits (B, classes)."""
        normalized = normalize_pixels(pixels, self.config.image_mean, self.config.image_std)
        features = self.dropout(self.image(normalized))  # (B, width), shared by all heads
        return {head: layer(features) for head, layer in self.heads.items()}
