import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from transformers import (
    CLIPConfig,
    CLIPModel,
    EfficientNetConfig,
    EfficientNetForImageClassification,
    EfficientNetModel,
    MobileNetV2Config,
    MobileNetV2ForImageClassification,
    MobileNetV2Model,
    PreTrainedModel,
    ResNetConfig,
    ResNetForImageClassification,
    ResNetModel,
    ViTConfig,
    ViTForImageClassification,
    ViTModel,
)

from lightning_modules.clip.clip import Clip
from lightning_modules.clip.config import ClipConfig, TextTower
from lightning_modules.image.checkpoint import ImageCheckpoint, load_image_tower
from lightning_modules.image.config import (
    CLIP_MEAN,
    HALF,
    IMAGENET_MEAN,
    IMAGENET_STD,
    ClipVitTower,
    ResNetTower,
)
from lightning_modules.image.image_tower import ImageEncoder

TRANSFORMER: dict[str, Any] = {
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "image_size": 32,
    "patch_size": 8,
}
VIT = ViTConfig(hidden_dropout_prob=0.1, **TRANSFORMER)
RESNET = ResNetConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], layer_type="basic")
MOBILE = MobileNetV2Config(depth_multiplier=0.25, output_stride=16)
EFFICIENT = EfficientNetConfig(
    width_coefficient=0.1, depth_coefficient=0.1, hidden_dim=128, depthwise_padding=[3], drop_connect_rate=0.1
)
CLIP = CLIPConfig(
    text_config={**TRANSFORMER, "vocab_size": 20, "max_position_embeddings": 8},
    vision_config=TRANSFORMER,
    projection_dim=8,
)


@torch.no_grad()
def _saved(model: PreTrainedModel, folder: Path) -> PreTrainedModel:
    """Saved with weights and statistics that no initialisation would give."""
    torch.manual_seed(5)
    for parameter in model.parameters():
        parameter.add_(torch.randn_like(parameter) * 0.2)
    for norm in (module for module in model.modules() if isinstance(module, nn.BatchNorm2d)):
        norm.running_mean.normal_(std=0.1)
        norm.running_var.uniform_(0.5, 2.0)
    model.save_pretrained(folder)
    return model.eval()


def _encoder(found: ImageCheckpoint) -> ImageEncoder:
    encoder = ImageEncoder(found.tower, found.image_size)
    encoder.load_state_dict(found.weights)
    return encoder.eval()


def _pooled(model: PreTrainedModel, pixels: Tensor) -> Tensor:
    pooled: Tensor = model(pixels).pooler_output
    return pooled.flatten(1)


@pytest.mark.parametrize(
    "model",
    [
        ResNetModel(RESNET),
        MobileNetV2Model(MOBILE),
        EfficientNetModel(EFFICIENT),
        ResNetForImageClassification(RESNET),
        MobileNetV2ForImageClassification(MOBILE),
        EfficientNetForImageClassification(EFFICIENT),
    ],
    ids=lambda model: type(model).__name__,
)
def test_convolutional_checkpoints_give_transformers_own_vectors(model: PreTrainedModel, tmp_path: Path) -> None:
    theirs = _saved(model, tmp_path)
    found = load_image_tower(str(tmp_path))
    assert found.tower.kind == theirs.config.model_type
    assert found.image_size == 224
    pixels = torch.randn(2, 3, 40, 40)
    expected = _pooled(getattr(theirs, theirs.base_model_prefix, theirs), pixels)
    torch.testing.assert_close(_encoder(found)(pixels), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("with_head", [False, True])
def test_a_vision_transformer_gives_transformers_own_class_token(with_head: bool, tmp_path: Path) -> None:
    theirs = _saved(ViTForImageClassification(VIT) if with_head else ViTModel(VIT), tmp_path)
    found = load_image_tower(str(tmp_path))
    assert (found.tower.kind, found.image_size, found.mean, found.std) == ("vit", 32, HALF, HALF)
    pixels = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        expected = getattr(theirs, "vit", theirs)(pixels).last_hidden_state[:, 0]
        torch.testing.assert_close(_encoder(found)(pixels), expected, atol=1e-5, rtol=1e-5)


def test_the_image_half_of_a_clip_checkpoint(tmp_path: Path) -> None:
    theirs = _saved(CLIPModel(CLIP), tmp_path)
    found = load_image_tower(str(tmp_path))
    assert (found.tower.kind, found.image_size, found.mean) == ("clip_vit", 32, CLIP_MEAN)
    pixels = torch.randn(2, 3, 32, 32)
    expected = _pooled(theirs.vision_model, pixels)
    torch.testing.assert_close(_encoder(found)(pixels), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    "tower",
    [
        ResNetTower(kind="resnet", layer_type="basic", embedding_size=8, hidden_sizes=(8, 16), depths=(1, 1)),
        ClipVitTower(
            kind="clip_vit",
            patch_size=8,
            hidden_size=16,
            num_layers=1,
            num_heads=2,
            intermediate_size=32,
            activation="quick_gelu",
        ),
    ],
    ids=["resnet", "clip_vit"],
)
def test_our_own_clip_lends_its_tower_and_its_constants(tower: ResNetTower | ClipVitTower, tmp_path: Path) -> None:
    own = Clip(
        ClipConfig(
            image=tower,
            text=TextTower(
                context_length=8, hidden_size=16, num_layers=1, num_heads=2, intermediate_size=32, activation="gelu"
            ),
            projection_dim=12,
            image_size=16,
            resize_mode="pad",
            image_mean=(0.1, 0.2, 0.3),
            image_std=(0.4, 0.5, 0.6),
            vocab_size=40,
            pad_token=0,
            end_token=2,
        )
    )
    own.save_pretrained(tmp_path)
    found = load_image_tower(str(tmp_path))
    assert (found.tower, found.image_size, found.mean, found.std) == (tower, 16, (0.1, 0.2, 0.3), (0.4, 0.5, 0.6))
    pixels = torch.randn(2, 3, 16, 16)
    assert torch.equal(_encoder(found)(pixels), own.eval().image(pixels))


def _prepare(folder: Path, **content: object) -> None:
    (folder / "preprocessor_config.json").write_text(json.dumps(content))


def test_the_checkpoint_says_how_its_images_are_prepared(tmp_path: Path) -> None:
    _saved(ResNetModel(RESNET), tmp_path)
    assert load_image_tower(str(tmp_path))[2:4] == (IMAGENET_MEAN, IMAGENET_STD)
    _prepare(tmp_path, image_mean=[0.1, 0.2, 0.3], image_std=[0.4, 0.5, 0.6], size={"shortest_edge": 64})
    assert load_image_tower(str(tmp_path))[1:4] == (64, (0.1, 0.2, 0.3), (0.4, 0.5, 0.6))
    _prepare(tmp_path, size={"shortest_edge": 256}, do_center_crop=True, crop_size={"height": 48, "width": 48})
    assert load_image_tower(str(tmp_path)).image_size == 48


def test_efficientnet_std_is_the_square_of_the_checkpoints(tmp_path: Path) -> None:
    _saved(EfficientNetModel(EFFICIENT), tmp_path)
    # As google/efficientnet-b0 has them; transformers' EfficientNetImageProcessor divides by the deviation twice.
    root = [0.47853944, 0.4732864, 0.47434163]
    _prepare(tmp_path, image_mean=[0.485, 0.456, 0.406], image_std=root, size={"height": 224, "width": 224})
    assert load_image_tower(str(tmp_path)).std == pytest.approx(IMAGENET_STD, abs=1e-6)
    _prepare(tmp_path, image_mean=[0.5] * 3, image_std=[0.5] * 3, include_top=False)
    assert load_image_tower(str(tmp_path)).std == HALF


def test_a_missing_checkpoint_is_an_os_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    for name in (str(tmp_path / "missing"), str(tmp_path), "nobody/nothing@v1"):
        with pytest.raises(OSError, match=r"has no config\.json|missing|couldn't find"):
            load_image_tower(name)


@pytest.mark.parametrize("config", [{"model_type": "bert"}, {"architecture": "Product"}])
def test_another_kind_of_model_is_told_which_kinds_there_are(config: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match="comes from clip, efficientnet, mobilenet_v2, resnet, vit"):
        load_image_tower(str(tmp_path))


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (ViTModel(ViTConfig(layer_norm_eps=1e-6, **TRANSFORMER)), "layer_norm_eps: found 1e-06, a tower has 1e-12"),
        (ViTModel(ViTConfig(qkv_bias=False, **TRANSFORMER)), "qkv_bias: found False, a tower has True"),
        (MobileNetV2Model(MobileNetV2Config(depth_multiplier=0.25, tf_padding=False)), "tf_padding: found False"),
        (MobileNetV2Model(MobileNetV2Config(depth_multiplier=0.25, output_stride=4)), "output_stride"),
    ],
    ids=["norm", "bias", "padding", "stride"],
)
def test_a_variant_that_no_tower_has_is_refused(model: PreTrainedModel, message: str, tmp_path: Path) -> None:
    model.save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=message):
        load_image_tower(str(tmp_path))


def test_weights_of_another_shape_are_refused(tmp_path: Path) -> None:
    ViTModel(VIT).save_pretrained(tmp_path)
    ViTConfig(**TRANSFORMER | {"hidden_size": 32}).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=r"cls_token|mismatch"):
        load_image_tower(str(tmp_path))


def test_a_file_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    ViTModel(VIT).save_pretrained(tmp_path)
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(ValueError, match=str(tmp_path)):
        load_image_tower(str(tmp_path))


def test_weights_of_something_else_are_refused(tmp_path: Path) -> None:
    ResNetModel(RESNET).save_pretrained(tmp_path)
    VIT.save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=r"lacks the weights .*cls_token"):
        load_image_tower(str(tmp_path))
