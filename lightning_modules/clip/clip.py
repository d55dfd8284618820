"""CLIP: an image tower and a text tower with one embedding space, and their training.

Source: Radford et al. 2021, Learning Transferable Visual Models From Natural Language Supervision.
"""

from typing import ClassVar

from torch import Tensor, nn
from torch.nn import functional

from lightning_modules.clip.config import ClipConfig
from lightning_modules.clip.text_tower import TextEncoder
from lightning_modules.image.image_tower import ImageEncoder, normalize_pixels
from lightning_modules.training.network import Network
from lightning_modules.training.temperature import clamped_scale, make_log_scale


class Clip(Network):
    """A dual encoder (Radford et al. 2021): images and texts to unit vectors whose dot product is their similarity.

    ``normalize(W_i f(image))`` and ``normalize(W_t g(text))``, (B, embedding) each.
    """

    Config: ClassVar[type] = ClipConfig
    config: ClipConfig

    def __init__(self, config: ClipConfig) -> None:
        super().__init__(config)
        self.image = ImageEncoder(config.image, config.image_size)
        self.text = TextEncoder(config.text, config.vocab_size, config.end_token)
        self.image_projection = nn.Linear(self.image.width, config.projection_dim, bias=False)
        self.text_projection = nn.Linear(self.text.width, config.projection_dim, bias=False)
        self.log_scale = make_log_scale()
        nn.init.normal_(self.image_projection.weight, std=self.image.width**-0.5)
        nn.init.normal_(self.text_projection.weight, std=self.text.width**-0.5)

    def encode_image(self, pixels: Tensor) -> Tensor:
        """Pixels (B, 3, S, S) as uint8 -> unit vectors (B, embedding)."""
        normalized = normalize_pixels(pixels, self.config.image_mean, self.config.image_std)
        return functional.normalize(self.image_projection(self.image(normalized)).float(), dim=-1)

    def encode_text(self, tokens: Tensor) -> Tensor:
        """Token ids (B, T), each row with an end token, -> unit vectors (B, embedding)."""
        return functional.normalize(self.text_projection(self.text(tokens)).float(), dim=-1)

    def scale(self) -> Tensor:
        """1 / temperature, a trained scalar in (0, 100]."""
        return clamped_scale(self.log_scale)

    @property
    def temperature(self) -> float:
        """The trained temperature, in [0.01, ∞)."""
        return 1 / self.scale().item()
