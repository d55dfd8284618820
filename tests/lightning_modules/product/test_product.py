import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.product.train.parameters import ProductParameters
from heddle.core.parameters.section import read_yaml
from lightning_modules.product.classifier import ProductClassifier
from lightning_modules.product.product import Product
from tests.support.tiny_products import CLASSES, NAMES, TOKENIZER, tiny_config, tiny_image, tiny_network, tiny_row

ROOT = Path(__file__).parents[3]


def _seed_section() -> ProductParameters:
    section = read_yaml(ROOT / "params.yaml").get("product", {}) | read_yaml(ROOT / "scales/seed.yaml")["product"]
    return ProductParameters.model_validate(section)


def test_the_documents_widths() -> None:
    parameters = _seed_section()
    config = dataclasses.replace(
        tiny_config(),
        modalities=parameters.modalities,
        fusion=parameters.fusion,
        classes=tuple(str(number) for number in range(27)),
        image_size=224,
        vocab_size=15_001,
    )
    with torch.device("meta"):
        network = Product(config)
    encoders = dict(zip(network.names, network.encoders, strict=True))
    assert set(encoders) == {"text", "image"}
    words, image = encoders["text"], encoders["image"]
    assert words.embedding.weight.shape == (15_001, 128)
    assert [layer.weight.shape for layer in words.convolutions] == [(64, 128, kernel) for kernel in (2, 3, 4)]
    assert (words.dense.in_features, words.dense.out_features, words.dense.dropout.p) == (192, 128, 0.3)
    assert (image.image.width, image.dense.out_features, image.dense.dropout.p) == (1280, 256, 0.3)
    assert config.modalities["text"].context_length == 60
    layers = network.fusion.hidden
    assert [(layer.in_features, layer.out_features, layer.dropout.p) for layer in layers] == [
        (384, 256, 0.4),
        (256, 128, 0.3),
    ]
    assert all(isinstance(layer.norm, torch.nn.BatchNorm1d) for layer in (words.dense, image.dense, *layers))
    assert (network.fusion.output.in_features, network.fusion.output.out_features) == (128, 27)
    assert (parameters.learning_rate, parameters.fine_tuning_rate) == (1e-3, 1e-4)


CONTENT = st.fixed_dictionaries(
    {"title": st.text(max_size=20), "price": st.floats(0, 1e6), "seed": st.integers(0, 99)},
)


@given(without=st.sets(st.sampled_from(NAMES)), first=CONTENT, second=CONTENT)
@settings(deadline=None, max_examples=40)
def test_what_a_missing_modality_holds_changes_nothing(without: set[str], first: dict, second: dict) -> None:
    """Two listings that differ in every missing modality, and in nothing else, get the same answer."""
    one, other = ({**first}, {name: first[name] for name in first})
    keys = {"text": "title", "image": "seed", "price": "price"}
    for name in without:
        other[keys[name]] = second[keys[name]]
    classifier = ProductClassifier(tiny_network(), TOKENIZER)
    answers = [
        classifier.probabilities(
            [(tiny_image(some["seed"]), tiny_row(title=some["title"], price=some["price"]))], without
        )
        for some in (one, other)
    ]
    assert np.array_equal(*answers)
    assert answers[0].sum() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_there_counts(name: str) -> None:
    classifier = ProductClassifier(tiny_network(), TOKENIZER)
    whole, partial = (classifier.probabilities([(tiny_image(1), tiny_row())], without) for without in ((), {name}))
    assert not np.array_equal(whole, partial)


def test_missing_modality_equals_ignored_modality() -> None:
    classifier = ProductClassifier(tiny_network(), TOKENIZER)
    bare = {
        "text": (tiny_image(1), tiny_row(title=None, description="  ")),
        "image": (None, tiny_row()),
        "price": (tiny_image(1), tiny_row(price=None)),
    }
    for name, sample in bare.items():
        expected = classifier.probabilities([(tiny_image(1), tiny_row())], without=[name])
        np.testing.assert_array_equal(classifier.probabilities([sample]), expected)


def test_an_unknown_modality_is_named() -> None:
    with pytest.raises(ValueError, match="unknown modality reviews; use some of image, price, text"):
        ProductClassifier(tiny_network(), TOKENIZER).probabilities([], without=["reviews"])


@given(count=st.integers(0, 5), seed=st.integers(0, 9))
@settings(deadline=None, max_examples=10)
def test_an_answer_does_not_depend_on_the_company(count: int, seed: int) -> None:
    classifier = ProductClassifier(tiny_network(), TOKENIZER)
    samples = [(tiny_image(seed + n), tiny_row(n, description="word " * n, price=n or None)) for n in range(count)]
    together = classifier.probabilities(samples)
    assert together.shape == (count, 3)
    for sample, answer in zip(samples, together, strict=True):
        np.testing.assert_allclose(classifier.probabilities([sample])[0], answer, atol=1e-5)


@pytest.mark.parametrize("names", [NAMES, NAMES[::-1], ("text",), ("image",), ("price",)])
def test_a_saved_network_is_the_same_network(names: Sequence[str], tmp_path: Path) -> None:
    """Whatever the order in which the modalities were named."""
    network = tiny_network(names)
    network.save_pretrained(tmp_path / "first")
    if network.config.reads_words:
        TOKENIZER.save(str(tmp_path / "first/tokenizer.json"))
    again = ProductClassifier.from_pretrained(tmp_path / "first", threads=1)
    again.network.save_pretrained(tmp_path / "second")
    for name in ("config.json", "model.safetensors"):
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()
    samples = [(tiny_image(1), tiny_row()), (None, tiny_row(2, price=8.0))]
    expected = ProductClassifier(network, TOKENIZER).probabilities(samples)
    np.testing.assert_array_equal(again.probabilities(samples), expected)
    assert again.config.classes == CLASSES


def test_the_tokenizer_lowers_the_case_and_adds_nothing() -> None:
    assert TOKENIZER.encode("A RED Chair").ids == TOKENIZER.encode("a red chair").ids
    assert TOKENIZER.decode(TOKENIZER.encode("a red chair").ids) == "a red chair"
