"""Effective values have the right origin, also inside nested blocks."""

from pathlib import Path

import pytest

from assets.clip.train.parameters import ClipParameters
from assets.product.train.parameters import ProductParameters
from heddle.core.parameters.provenance import EffectiveValue, effective_values
from heddle.core.parameters.section import ParameterError, Section

CLIP = """
clip:
  image: {kind: resnet, depths: [1, 1], hidden_sizes: [8, 16]}
  text: {context_length: 12, hidden_size: 16, num_heads: 2}
  projection_dim: 8
  trainer: {max_epochs: 3}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "scales").mkdir()
    (tmp_path / "scales/small.yaml").write_text(CLIP)
    (tmp_path / "params.yaml").write_text("scale: small\nclip: {weight_decay: 0.3}\nproduct: {modality_dropout: 0.5}\n")
    return tmp_path


def _by_key(name: str, section: type[Section], root: Path) -> dict[str, EffectiveValue]:
    return {value.key: value for value in effective_values(name, section, root)}


@pytest.mark.parametrize(
    ("key", "value", "origin"),
    [
        ("clip.weight_decay", 0.3, "params.yaml"),
        ("clip.projection_dim", 8, "scales/small.yaml"),
        ("clip.trainer.max_epochs", 3, "scales/small.yaml"),
        ("clip.trainer.patience", 10, "default"),
        ("clip.schedule.min_lr_ratio", 0.01, "default"),
        ("clip.image.hidden_sizes", [8, 16], "scales/small.yaml"),
        ("clip.image.embedding_size", 64, "default"),
        ("clip.text.num_layers", 12, "default"),
        ("clip.pretrained", None, "default"),
    ],
)
def test_effective_values_give_value_and_origin(root: Path, key: str, value: object, origin: str) -> None:
    found = _by_key("clip", ClipParameters, root)[key]
    assert (found.value, found.origin) == (value, origin)


def test_effective_values_cover_every_leaf_of_the_section(root: Path) -> None:
    keys = _by_key("clip", ClipParameters, root).keys()
    assert "clip.trainer" not in keys
    assert {key.split(".")[1] for key in keys} == set(ClipParameters.model_fields)


def test_effective_values_walk_mappings_of_settings(root: Path) -> None:
    values = _by_key("product", ProductParameters, root)
    assert values["product.modality_dropout"].origin == "params.yaml"
    assert values["product.modalities.image.image.output_stride"].value == 32


def test_effective_values_have_descriptions(root: Path) -> None:
    values = _by_key("clip", ClipParameters, root)
    assert values["clip.trainer.max_epochs"].description == "passes over the train split"
    assert values["clip.text.context_length"].description.startswith("Largest number of tokens")


def test_effective_values_wrong_parameter_is_refused(root: Path) -> None:
    (root / "scales/small.yaml").write_text("clip: {}\n")
    with pytest.raises(ParameterError, match="give either pretrained or image, text and projection_dim"):
        effective_values("clip", ClipParameters, root)
