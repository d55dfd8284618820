"""Towers that turn an image into one vector, from transformers' parts."""

from typing import Any

import torch
from torch import Tensor, nn
from transformers import (
    CLIPVisionConfig,
    CLIPVisionModel,
    EfficientNetConfig,
    EfficientNetModel,
    MobileNetV2Config,
    MobileNetV2Model,
    PreTrainedModel,
    ResNetConfig,
    ResNetModel,
    ViTConfig,
    ViTModel,
)
from transformers.models.efficientnet.modeling_efficientnet import round_filters

from lightning_modules.image.config import (
    Channels,
    ClipVitTower,
    EfficientNetTower,
    ImageTower,
    MobileNetV2Tower,
    ResNetTower,
    VitTower,
)


def normalize_pixels(pixels: Tensor, mean: Channels, std: Channels) -> Tensor:
    """Pixels (B, 3, S, S) as uint8 -> float32 with each channel's ``mean`` taken off, divided by its ``std``."""
    means, stds = (pixels.new_tensor(channels, dtype=torch.float32) for channels in (mean, std))
    return (pixels.float() / 255 - means[:, None, None]) / stds[:, None, None]


class ImageEncoder(nn.Module):
    """Normalised pixels (B, 3, S, S) -> (B, width).

    A transformer gives the class token's state after the last norm, a convolutional network the mean over its last map.

    Args:
        tower: kind and shape.
        image_size: S. A convolutional network takes other sizes as well.

    Attributes:
        model: transformers' own, with transformers' names of the weights.
        width: of the vector.
    """

    def __init__(self, tower: ImageTower, image_size: int) -> None:
        super().__init__()
        self.model, self.width = _build(tower, image_size)
        if not isinstance(tower, ClipVitTower | VitTower):
            # Convolutions are a fifth faster with the channels last, on CPUs as on GPUs.
            nn.Module.to(self.model, memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, pixels: Tensor) -> Tensor:
        outputs = self.model(pixel_values=pixels)
        if isinstance(self.model, ViTModel):  # its pooler is one more layer, which no image model of ours wants
            state: Tensor = outputs.last_hidden_state[:, 0]
            return state
        return torch.flatten(outputs.pooler_output, start_dim=1)


def _build(tower: ImageTower, image_size: int) -> tuple[PreTrainedModel, int]:
    match tower:
        case ClipVitTower():
            return _clip_vit(tower, image_size), tower.hidden_size
        case VitTower():
            return _vit(tower, image_size), tower.hidden_size
        case ResNetTower():
            return _resnet(tower), tower.hidden_sizes[-1]
        case MobileNetV2Tower():
            mobile = _mobilenet(tower)
            return mobile, mobile.conv_1x1.convolution.out_channels
        case EfficientNetTower():
            efficient = _efficientnet(tower)
            return efficient, efficient.config.hidden_dim


def _clip_vit(tower: ClipVitTower, image_size: int) -> CLIPVisionModel:
    return CLIPVisionModel(
        CLIPVisionConfig(
            hidden_size=tower.hidden_size,
            intermediate_size=tower.intermediate_size,
            num_hidden_layers=tower.num_layers,
            num_attention_heads=tower.num_heads,
            image_size=image_size,
            patch_size=tower.patch_size,
            hidden_act=tower.activation,
        )
    )


def _vit(tower: VitTower, image_size: int) -> ViTModel:
    config = ViTConfig(
        hidden_size=tower.hidden_size,
        intermediate_size=tower.intermediate_size,
        num_hidden_layers=tower.num_layers,
        num_attention_heads=tower.num_heads,
        image_size=image_size,
        patch_size=tower.patch_size,
        hidden_act=tower.activation,
        hidden_dropout_prob=tower.dropout,
    )
    return ViTModel(config, add_pooling_layer=False)


def _resnet(tower: ResNetTower) -> ResNetModel:
    return ResNetModel(
        ResNetConfig(
            embedding_size=tower.embedding_size,
            hidden_sizes=list(tower.hidden_sizes),
            depths=list(tower.depths),
            layer_type=tower.layer_type,
        )
    )


def _mobilenet(tower: MobileNetV2Tower) -> MobileNetV2Model:
    config = MobileNetV2Config(depth_multiplier=tower.depth_multiplier, output_stride=tower.output_stride)
    return _trainable(MobileNetV2Model(config))


def _efficientnet(tower: EfficientNetTower) -> EfficientNetModel:
    config = EfficientNetConfig(
        width_coefficient=tower.width_coefficient,
        depth_coefficient=tower.depth_coefficient,
        strides=efficientnet_strides(tower.output_stride),
        drop_connect_rate=tower.drop_connect_rate,
        depthwise_padding=list(tower.odd_blocks),
    )
    config.hidden_dim = round_filters(config, 1280)
    return _trainable(EfficientNetModel(config))


def efficientnet_strides(output_stride: int) -> list[int]:
    """EfficientNet's strides, of which the last ones become 1 until the stem's 2 and they make ``output_stride``."""
    chosen, reached = [], 2
    for stride in EfficientNetConfig().strides:
        chosen.append(stride if reached * stride <= output_stride else 1)
        reached *= chosen[-1]
    return chosen


def _trainable(model: PreTrainedModel) -> Any:
    """The same network with first weights and batch norms that can learn, which transformers' ports of the two lack.

    Kernels and EfficientNet's norms start so small there that the signal dies on its way; He et al.'s (2015) kernels
    and norms of 1 keep it alive. And the norms' momentum is TensorFlow's 0.99 or 0.997, the share that *stays*, where
    torch means the share that is new: evaluation would see the statistics of the last training batch alone.
    """
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        elif isinstance(module, nn.BatchNorm2d):
            module.reset_parameters()
            module.momentum = 0.1
    return model
