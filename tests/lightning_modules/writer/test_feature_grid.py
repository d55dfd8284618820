import pytest
import torch

from lightning_modules.image.config import (
    ClipVitTower,
    EfficientNetTower,
    ImageTower,
    MobileNetV2Tower,
    ResNetTower,
    VitTower,
)
from lightning_modules.image.image_tower import ImageEncoder
from lightning_modules.writer.feature_grid import MIN_SIDE, FeatureGridEncoder

WIDE = {"patch_size": 8, "hidden_size": 16, "num_layers": 2, "num_heads": 2, "intermediate_size": 32}
TOWERS: list[ImageTower] = [
    ResNetTower(kind="resnet", layer_type="basic", embedding_size=8, hidden_sizes=(8, 8, 16, 16), depths=(1, 1, 1, 1)),
    VitTower(kind="vit", activation="gelu", dropout=0.0, **WIDE),
    ClipVitTower(kind="clip_vit", activation="quick_gelu", **WIDE),
    MobileNetV2Tower(kind="mobilenet_v2", depth_multiplier=0.35, output_stride=32),
    EfficientNetTower(
        kind="efficientnet", width_coefficient=0.3, depth_coefficient=0.3, output_stride=32, drop_connect_rate=0
    ),
]
KINDS = [tower.kind for tower in TOWERS]


@pytest.mark.parametrize("tower", TOWERS, ids=KINDS)
def test_its_vector_and_its_weights_are_the_encoders(tower: ImageTower) -> None:
    torch.manual_seed(0)
    encoder = ImageEncoder(tower, 64).eval()
    model = FeatureGridEncoder(tower, 64).eval()
    model.load_state_dict(encoder.state_dict())
    pixels = torch.randn(2, 3, 64, 64)
    grid = model(pixels)
    assert torch.equal(grid.pooled, encoder(pixels))
    assert grid.cells.shape == (2, model.side**2, model.map_width)
    assert model.side >= MIN_SIDE


@pytest.mark.parametrize("tower", TOWERS, ids=KINDS)
def test_looking_for_the_map_leaves_no_trace(tower: ImageTower) -> None:
    torch.manual_seed(0)
    encoder, drawn = ImageEncoder(tower, 64), torch.rand(1)
    torch.manual_seed(0)
    model = FeatureGridEncoder(tower, 64)
    assert torch.equal(torch.rand(1), drawn)
    assert model.training
    for name, value in encoder.state_dict().items():
        assert torch.equal(value, model.state_dict()[name]), name


@pytest.mark.parametrize("tower", TOWERS, ids=KINDS)
def test_cells_stand_row_by_row(tower: ImageTower) -> None:
    """What is changed in a corner of the image is seen most in that corner of the map."""
    torch.manual_seed(0)
    model = FeatureGridEncoder(tower, 64).eval()
    pixels = torch.randn(1, 3, 64, 64)
    changed = pixels.clone()
    changed[:, :, 48:, :16] += 3  # bottom left
    difference = (model(pixels).cells - model(changed).cells).norm(dim=-1).view(model.side, model.side)
    half = model.side // 2
    assert difference[half:, :half].sum() > difference[:half, :half].sum()
    assert difference[half:, :half].sum() > difference[half:, half:].sum()


def test_a_small_image_has_a_map_all_the_same() -> None:
    model = FeatureGridEncoder(TOWERS[0], 8)
    assert (model.side, model.map_width) == (2, 8)
    assert model(torch.randn(2, 3, 8, 8)).cells.shape == (2, 4, 8)
