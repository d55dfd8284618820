"""Position encoding of a transformer, one of four kinds."""

from typing import NamedTuple

from torch import Tensor, nn

from lightning_modules.layers.alibi import ALiBi
from lightning_modules.layers.config import TransformerConfig
from lightning_modules.layers.learned import LearnedPositions
from lightning_modules.layers.rotary import RotaryPositions, Rotation
from lightning_modules.layers.sinusoidal import SinusoidalPositions


class PositionedStates(NamedTuple):
    """States after position encoding, and the rotation or bias for self-attention, depending on the kind."""

    states: Tensor
    rotation: Rotation | None = None
    bias: Tensor | None = None


class Positions(nn.Module):
    """Adds learned or sinusoidal positions to the states, or returns a rotation (rotary) or a score bias (ALiBi)."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.scheme = _make_scheme(config)

    def forward(self, states: Tensor, positions: Tensor, length: int) -> PositionedStates:
        """states (B, T, width) of the last T of ``length`` tokens, at ``positions`` (T,) or (B, T)."""
        if isinstance(self.scheme, RotaryPositions):
            return PositionedStates(states, rotation=self.scheme(positions, length))
        if isinstance(self.scheme, ALiBi):
            return PositionedStates(states, bias=self.scheme(states.shape[1], length))
        return PositionedStates(self.scheme(states, positions, length))


def _make_scheme(config: TransformerConfig) -> nn.Module:
    match config.positions:
        case "learned":
            return LearnedPositions(config.context_length, config.hidden_size)
        case "sinusoidal":
            return SinusoidalPositions(config.context_length, config.hidden_size)
        case "rotary":
            return RotaryPositions(config.context_length, config.hidden_size // config.num_heads)
        case "alibi":
            return ALiBi(config.num_heads)
