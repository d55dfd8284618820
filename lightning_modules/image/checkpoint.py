"""Load a trained image tower from a checkpoint of transformers or from a network of this project."""

import json
import math
from pathlib import Path
from typing import Any, NamedTuple

import torch
from pydantic import TypeAdapter
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor
from transformers import (
    CLIPModel,
    EfficientNetModel,
    MobileNetV2Model,
    PreTrainedConfig,
    PreTrainedModel,
    ResNetModel,
    ViTModel,
)
from transformers.utils import cached_file

from lightning_modules.image.config import Channels, ImageTower, usual_normalisation
from lightning_modules.image.image_tower import ImageEncoder
from lightning_modules.training.hub import parse_hub_id
from lightning_modules.training.network import CONFIG_FILE, WEIGHTS_FILE

MODELS: dict[str, type[PreTrainedModel]] = {
    "clip": CLIPModel,
    "efficientnet": EfficientNetModel,
    "mobilenet_v2": MobileNetV2Model,
    "resnet": ResNetModel,
    "vit": ViTModel,
}
"""``model_type`` of transformers -> class that loads its checkpoints, with or without a head."""

OWN = ("Clip", "Vision")
"""Networks of this project with an image tower, by the architecture in their config."""
PREFIX = "image."
"""Prefix of the tower's weights in these networks."""

FIXED = (
    "num_channels",
    "hidden_act",
    "layer_norm_eps",
    "qkv_bias",
    "downsample_in_bottleneck",
    "downsample_in_first_stage",
    "depth_divisible_by",
    "expand_ratio",
    "finegrained_output",
    "first_layer_is_expansion",
    "min_depth",
    "tf_padding",
    "batch_norm_eps",
    "depth_divisor",
    "expand_ratios",
    "hidden_dim",
    "in_channels",
    "kernel_sizes",
    "num_block_repeats",
    "out_channels",
    "pooling_type",
    "squeeze_expansion_ratio",
    "strides",
)
"""Config keys of transformers that change the output and must equal the values that a tower uses."""


class ImageCheckpoint(NamedTuple):
    """A trained tower and the format of its images."""

    tower: ImageTower
    image_size: int
    """Side of the square training images in pixels; convolutional towers accept other sizes."""
    mean: Channels
    std: Channels
    weights: dict[str, Tensor]
    """State of an :class:`ImageEncoder`."""


def load_image_tower(checkpoint: str) -> ImageCheckpoint:
    """Load the image tower of a local folder or of a hub id; ``id@revision`` pins a hub id.

    Args:
        checkpoint: a ViT, CLIP, ResNet, MobileNetV2 or EfficientNet model of transformers, with or without a head; or
            the output of stage ``clip`` or ``vision``.

    Raises:
        OSError: the checkpoint does not exist, or the hub cannot be reached.
        ValueError: the model type or variant is not supported, or weights are missing.
    """
    name, revision = parse_hub_id(checkpoint)
    config, _ = PreTrainedConfig.get_config_dict(name, revision=revision)
    if not config:
        raise FileNotFoundError(f"{name}: has no {CONFIG_FILE}")
    if config.get("architecture") in OWN:
        return _own(Path(name), config)
    kind = config.get("model_type")
    if kind not in MODELS:
        raise ValueError(f"{name}: holds a model of type {kind!r}; an image tower comes from {', '.join(MODELS)}")
    theirs = _read(MODELS[kind], name, revision)
    tower = tower_from_config(theirs.config)
    preparation = _preparation(name, revision)
    size = getattr(theirs.config, "image_size", None) if kind in ("clip", "vit") else _image_size(preparation)
    encoder = ImageEncoder(tower, size or 224)
    _compare(name, theirs.config, encoder.model.config)
    encoder.model.load_state_dict(theirs.state_dict())
    mean, std = _normalisation(preparation, tower)
    return ImageCheckpoint(tower, size or 224, mean, std, encoder.state_dict())


def tower_from_config(config: Any) -> ImageTower:
    """Convert a config of transformers to a tower.

    Raises:
        ValueError: no tower has this shape.
    """
    match config.model_type:
        case "clip_vision_model":
            shape = {"kind": "clip_vit", **_transformer(config)}
        case "vit":
            shape = {"kind": "vit", **_transformer(config), "dropout": config.hidden_dropout_prob}
        case "resnet":
            shape = {"layer_type": config.layer_type, "embedding_size": config.embedding_size}
            shape |= {"kind": "resnet", "hidden_sizes": config.hidden_sizes, "depths": config.depths}
        case "mobilenet_v2":
            shape = {"depth_multiplier": config.depth_multiplier, "output_stride": config.output_stride}
            shape |= {"kind": "mobilenet_v2"}
        case _:
            shape = {"width_coefficient": config.width_coefficient, "depth_coefficient": config.depth_coefficient}
            shape |= {"drop_connect_rate": config.drop_connect_rate, "odd_blocks": config.depthwise_padding}
            shape |= {"kind": "efficientnet", "output_stride": 2 * math.prod(config.strides)}
    return TypeAdapter(ImageTower).validate_python(shape)


def _transformer(config: Any) -> dict[str, Any]:
    return {
        "patch_size": config.patch_size,
        "hidden_size": config.hidden_size,
        "num_layers": config.num_hidden_layers,
        "num_heads": config.num_attention_heads,
        "intermediate_size": config.intermediate_size,
        "activation": config.hidden_act,
    }


def _own(folder: Path, config: dict[str, Any]) -> ImageCheckpoint:
    weights = load_file(folder / WEIGHTS_FILE)
    tower: ImageTower = TypeAdapter(ImageTower).validate_python(config["image"])
    mean, std = _channels(config["image_mean"], config["image_std"])
    image = {name.removeprefix(PREFIX): weight for name, weight in weights.items() if name.startswith(PREFIX)}
    return ImageCheckpoint(tower, config["image_size"], mean, std, image)


def _read(model: type[PreTrainedModel], name: str, revision: str) -> PreTrainedModel:
    options: dict[str, Any] = {"add_pooling_layer": False} if model is ViTModel else {}
    try:
        read: Any = model.from_pretrained(
            name, revision=revision, dtype=torch.float32, output_loading_info=True, **options
        )
    except (RuntimeError, SafetensorError) as error:  # weights of other shapes; a file that is cut off
        raise ValueError(f"{name}: {error}") from error
    theirs, loading_info = read
    missing = sorted(loading_info["missing_keys"])
    if missing:
        raise ValueError(f"{name}: lacks the weights {', '.join(missing)}")
    return theirs.vision_model if isinstance(theirs, CLIPModel) else theirs


def _compare(name: str, theirs: Any, ours: Any) -> None:
    """Raise ValueError for a checkpoint that would load but compute something else."""
    for key in FIXED:
        found, expected = (_plain(getattr(config, key, None)) for config in (theirs, ours))
        if found != expected:
            raise ValueError(f"{name}: {CONFIG_FILE}: {key}: found {found!r}, a tower has {expected!r}")


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _preparation(name: str, revision: str) -> dict[str, Any]:
    """Read the checkpoint's image preprocessing; empty if the file is missing."""
    file = cached_file(name, "preprocessor_config.json", revision=revision, _raise_exceptions_for_missing_entries=False)
    return json.loads(Path(file).read_text()) if file else {}


def _image_size(preparation: dict[str, Any]) -> int | None:
    size = preparation.get("crop_size" if preparation.get("do_center_crop") else "size")
    if isinstance(size, dict):
        size = size.get("height", size.get("shortest_edge"))
    return size


def _normalisation(preparation: dict[str, Any], tower: ImageTower) -> tuple[Channels, Channels]:
    if "image_mean" not in preparation or "image_std" not in preparation:
        return usual_normalisation(tower)
    mean, std = preparation["image_mean"], preparation["image_std"]
    if tower.kind == "efficientnet" and preparation.get("include_top", True):
        std = [value**2 for value in std]  # transformers divides by std twice, as Keras divided by its square root
    return _channels(mean, std)


def _channels(mean: Any, std: Any) -> tuple[Channels, Channels]:
    return TypeAdapter(tuple[Channels, Channels]).validate_python((mean, std))
