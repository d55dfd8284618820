from dataclasses import replace
from typing import Any

import pytest
import torch
from transformers import (
    CLIPVisionModel,
    EfficientNetModel,
    MobileNetV2Model,
    PreTrainedModel,
    ResNetModel,
    ViTModel,
)

from lightning_modules.image.config import (
    HALF,
    IMAGENET_MEAN,
    IMAGENET_STD,
    ClipVitTower,
    EfficientNetTower,
    ImageTower,
    MobileNetV2Tower,
    ResNetTower,
    VitTower,
    usual_normalisation,
)
from lightning_modules.image.image_tower import ImageEncoder, efficientnet_strides, normalize_pixels

TRANSFORMER: Any = {
    "patch_size": 8,
    "hidden_size": 16,
    "num_layers": 2,
    "num_heads": 2,
    "intermediate_size": 32,
    "activation": "gelu",
}
TOWERS: list[ImageTower] = [
    ClipVitTower(kind="clip_vit", **TRANSFORMER),
    VitTower(kind="vit", dropout=0.1, **TRANSFORMER),
    ResNetTower(kind="resnet", layer_type="basic", embedding_size=8, hidden_sizes=(8, 16), depths=(1, 1)),
    MobileNetV2Tower(kind="mobilenet_v2", depth_multiplier=0.25, output_stride=32),
    EfficientNetTower(
        kind="efficientnet", width_coefficient=0.1, depth_coefficient=0.1, output_stride=32, drop_connect_rate=0.2
    ),
]
CONVOLUTIONAL = TOWERS[2:]


def _kinds(towers: list[ImageTower]) -> list[str]:
    return [tower.kind for tower in towers]


@pytest.mark.parametrize("tower", TOWERS, ids=_kinds(TOWERS))
@pytest.mark.parametrize("size", [32, 64])
def test_small_images_become_vectors_that_depend_on_them(tower: ImageTower, size: int) -> None:
    torch.manual_seed(0)
    encoder = ImageEncoder(tower, size)
    pixels = torch.randn(4, 3, size, size)
    encoder(pixels).square().mean().backward()  # as in training, where a last map may be one pixel
    assert all(p.grad is not None and p.grad.isfinite().all() for p in encoder.parameters())
    with torch.no_grad():
        for _ in range(30):  # until the batch norms' averages are of these images
            encoder(pixels)
        vectors = encoder.eval()(pixels)  # vanishing first weights would make them all one
    assert vectors.shape == (4, encoder.width)
    assert vectors.isfinite().all()
    assert (vectors[0] - vectors[1]).norm() > 0.01 * vectors[0].norm() > 0


def test_a_transformer_gives_the_class_token_after_the_last_norm() -> None:
    for tower in TOWERS[:2]:
        encoder = ImageEncoder(tower, 32).eval()
        norm = encoder.model.post_layernorm if tower.kind == "clip_vit" else encoder.model.layernorm
        seen = []
        norm.register_forward_hook(lambda module, inputs, output, seen=seen: seen.append(output))
        found = encoder(torch.randn(2, 3, 32, 32))
        torch.testing.assert_close(found, seen[0].reshape(2, -1, 16)[:, 0])


@pytest.mark.parametrize("tower", CONVOLUTIONAL, ids=_kinds(CONVOLUTIONAL))
def test_a_convolutional_network_gives_the_mean_over_its_last_map(tower: ImageTower) -> None:
    encoder = ImageEncoder(tower, 64).eval()
    pixels = torch.randn(2, 3, 96, 64)
    torch.testing.assert_close(encoder(pixels), encoder.model(pixels).last_hidden_state.mean(dim=(2, 3)))


@pytest.mark.parametrize("stride", [8, 16, 32])
@pytest.mark.parametrize("tower", TOWERS[3:], ids=_kinds(TOWERS[3:]))
def test_the_output_stride_is_kept(tower: MobileNetV2Tower | EfficientNetTower, stride: int) -> None:
    encoder = ImageEncoder(replace(tower, output_stride=stride), 64).eval()
    assert encoder.model(torch.randn(1, 3, 64, 64)).last_hidden_state.shape[2:] == (64 // stride, 64 // stride)


def test_the_papers_strides_make_32() -> None:
    assert efficientnet_strides(32) == [1, 2, 2, 2, 1, 2, 1]


# Without their classifiers of 1000 classes. Tan and Le 2019 say 5.3 million for B0; Sandler et al. 2018 3.4 million.
@pytest.mark.parametrize(
    ("tower", "width", "parameters"),
    [
        (
            EfficientNetTower(
                kind="efficientnet", width_coefficient=1, depth_coefficient=1, output_stride=32, drop_connect_rate=0.2
            ),
            1280,
            5_288_548 - 1_281_000,
        ),
        (MobileNetV2Tower(kind="mobilenet_v2", depth_multiplier=1, output_stride=32), 1280, 3_504_872 - 1_281_000),
    ],
    ids=["efficientnet-b0", "mobilenet-v2"],
)
def test_the_papers_sizes(tower: ImageTower, width: int, parameters: int) -> None:
    with torch.device("meta"):
        encoder = ImageEncoder(tower, 224)
    assert encoder.width == width
    assert sum(parameter.numel() for parameter in encoder.parameters()) == parameters


@pytest.mark.parametrize("tower", CONVOLUTIONAL, ids=_kinds(CONVOLUTIONAL))
def test_the_statistics_for_evaluation_are_of_many_batches(tower: ImageTower) -> None:
    torch.manual_seed(0)
    encoder = ImageEncoder(tower, 32)
    norm = next(module for module in encoder.modules() if isinstance(module, torch.nn.BatchNorm2d))
    images = torch.randn(40, 8, 3, 32, 32)
    for pixels in images:
        encoder(pixels)
    before = norm.running_mean.clone()
    encoder(images[0] + 3)  # one strange batch
    strange = norm.running_mean.clone()
    for _ in range(40):
        encoder(images[0] + 3)
    assert (strange - before).norm() < 0.2 * (norm.running_mean - before).norm()


def test_the_weights_bear_transformers_names() -> None:
    models: list[type[PreTrainedModel]] = [
        CLIPVisionModel,
        ViTModel,
        ResNetModel,
        MobileNetV2Model,
        EfficientNetModel,
    ]
    for tower, model in zip(TOWERS, models, strict=True):
        assert isinstance(ImageEncoder(tower, 32).model, model)


def test_the_channels_are_normalised_each_by_itself() -> None:
    pixels = torch.tensor([0, 51, 255], dtype=torch.uint8).reshape(1, 3, 1, 1).expand(2, 3, 4, 4)
    found = normalize_pixels(pixels, (0.5, 0.2, 0.0), (0.5, 0.25, 0.5))
    assert found.shape == (2, 3, 4, 4)
    torch.testing.assert_close(found[1, :, 2, 3], torch.tensor([-1.0, 0.0, 2.0]))


def test_the_usual_constants_are_the_kinds_own() -> None:
    assert usual_normalisation(TOWERS[3]) == (HALF, HALF)  # to [-1, 1], as in MobileNetV2
    assert usual_normalisation(TOWERS[2]) == (IMAGENET_MEAN, IMAGENET_STD)
