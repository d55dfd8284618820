"""The two towers of CLIP, from transformers' parts: each maps a batch to one vector for each sample."""

import torch
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPVisionConfig, CLIPVisionModel, ResNetConfig, ResNetModel

from lightning_modules.clip_config import ClipConfig, ResNetTower


class TextEncoder(nn.Module):
    """Token ids (B, T) -> (B, width): the state at each text's first end token."""

    def __init__(self, config: ClipConfig) -> None:
        super().__init__()
        self.model = CLIPTextModel(
            CLIPTextConfig(
                vocab_size=config.vocabulary,
                hidden_size=config.text.width,
                intermediate_size=config.text.feed_forward,
                num_hidden_layers=config.text.layers,
                num_attention_heads=config.text.heads,
                max_position_embeddings=config.text.context,
                hidden_act=config.text.activation,
                pad_token_id=config.pad_token,
                bos_token_id=None,
                eos_token_id=config.end_token,
            )
        )
        self.width = config.text.width
        self.end_token = config.end_token

    def forward(self, tokens: Tensor) -> Tensor:
        # The mask is causal, so the end token never sees the padding behind it. Transformers' own pooling would not do:
        # where the end token is 2 it takes the state at the largest id, for the sake of old checkpoints.
        states = self.model(input_ids=tokens).last_hidden_state  # (B, T, width)
        end = (tokens == self.end_token).int().argmax(dim=1)  # first one, (B,)
        return states[torch.arange(len(tokens), device=tokens.device), end]


class ImageEncoder(nn.Module):
    """Normalised pixels (B, 3, S, S) -> (B, width), by a vision transformer or a residual network."""

    def __init__(self, config: ClipConfig) -> None:
        super().__init__()
        tower = config.image
        if isinstance(tower, ResNetTower):
            self.model: nn.Module = ResNetModel(
                ResNetConfig(
                    embedding_size=tower.stem,
                    hidden_sizes=list(tower.widths),
                    depths=list(tower.depths),
                    layer_type=tower.block,
                )
            )
            # Convolutions are a fifth faster with the channels last, on CPUs as on GPUs.
            nn.Module.to(self.model, memory_format=torch.channels_last)  # type: ignore[call-overload]
            self.width = tower.widths[-1]
        else:
            self.model = CLIPVisionModel(
                CLIPVisionConfig(
                    hidden_size=tower.width,
                    intermediate_size=tower.feed_forward,
                    num_hidden_layers=tower.layers,
                    num_attention_heads=tower.heads,
                    image_size=config.image_size,
                    patch_size=tower.patch_size,
                    hidden_act=tower.activation,
                )
            )
            self.width = tower.width

    def forward(self, pixels: Tensor) -> Tensor:
        return torch.flatten(self.model(pixel_values=pixels).pooler_output, start_dim=1)
