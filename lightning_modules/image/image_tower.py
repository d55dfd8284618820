"""Image towers: images to one vector each, built from models of transformers."""

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
    """Normalize pixels (B, 3, S, S): uint8 -> float32 ``(x / 255 - mean) / std`` per channel."""
    means, stds = (pixels.new_tensor(channels, dtype=torch.float32) for channels in (mean, std))
    return (pixels.float() / 255 - means[:, None, None]) / stds[:, None, None]


class ImageEncoder(nn.Module):
    """Normalised pixels (B, 3, S, S) -> (B, width).

    Transformers return the class token's state after the last norm, convolutional networks the mean over the last
    feature map.

    Args:
        tower: kind and shape.
        image_size: S in pixels; convolutional networks accept other sizes.

    Attributes:
        model: the model of transformers, with its weight names.
        width: size of the vector.
    """

    def __init__(self, tower: ImageTower, image_size: int) -> None:
        super().__init__()
        self.model, self.width = _build(tower, image_size)
        if not isinstance(tower, ClipVitTower | VitTower):
            # Convolutions are about 20 % faster with channels last, on CPUs and GPUs.
            nn.Module.to(self.model, memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, pixels: Tensor) -> Tensor:
        outputs = self.model(pixel_values=pixels)
        if isinstance(self.model, ViTModel):  # its pooler is a further layer, which is not used here
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
    """Strides of EfficientNet's stages; the last ones become 1 so that the total stride is ``output_stride``."""
    chosen, reached = [], 2
    for stride in EfficientNetConfig().strides:
        chosen.append(stride if reached * stride <= output_stride else 1)
        reached *= chosen[-1]
    return chosen


def _trainable(model: PreTrainedModel) -> Any:
    """Fix the initialization and the batch norms of a model, in place.

    The initial weights of transformers' MobileNetV2 and EfficientNet are so small that the signal vanishes; the
    initialization of He et al. (2015) with norms of 1 preserves it. Their momentum of 0.99 or 0.997 follows
    TensorFlow's convention (share of the old statistics); torch expects the share of the new ones, so evaluation would
    use the statistics of the last training batch only.
    """
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        elif isinstance(module, nn.BatchNorm2d):
            module.reset_parameters()
            module.momentum = 0.1
    return model
