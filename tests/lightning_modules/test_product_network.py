import copy
import dataclasses
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import get_args

import numpy as np
import pyarrow as pa
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from assets.parameters.product import ProductParameters
from assets.parameters.section import read_yaml
from assets.parameters.tokenizer import TokenizerParameters
from assets.schemas import LISTINGS
from assets.tokenizer import learn
from lightning_modules.data import Row, Sample
from lightning_modules.image_tower_config import HALF, ResNetTower
from lightning_modules.labelled import MISSING
from lightning_modules.product import Product, ProductModule
from lightning_modules.product_classifier import ProductClassifier
from lightning_modules.product_config import NumbersField, ProductConfig, WordsField
from lightning_modules.product_samples import ProductCollate, ProductReader, lacks, size_of, words_of
from lightning_modules.settings import AugmentationSettings, CosineSchedule, OptimizerSettings
from lightning_modules.vocabulary import PAD, lowered

ROOT = Path(__file__).parents[2]
SIZE = 16
CLASSES = ("mend", "reuse", "upcycle")
TOKENIZER = lowered(
    learn(["a red chair to mend", "a blue jar"] * 3, TokenizerParameters(vocabulary=300, least_count=2))
)
RESNET = ResNetTower(kind="resnet", block="basic", stem=4, widths=(4, 8), depths=(1, 1))
MODALITIES = {
    "words": {
        "kind": "text_cnn",
        "fields": ["title", "description"],
        "context": 9,
        "embedding": 6,
        "kernels": [2, 3],
        "filters": 4,
        "features": 5,
        "dropout": 0.3,
    },
    "picture": {"kind": "picture", "image": RESNET, "features": 7, "dropout": 0.3},
    "price": {"kind": "numbers", "fields": ["price"], "features": 3, "dropout": 0.1},
}
NAMES = tuple(MODALITIES)
torch.set_num_threads(1)  # two threads for so little work mostly wait for each other
OPTIMIZER = OptimizerSettings(
    learning_rate=0.1,
    schedule=CosineSchedule(kind="cosine", warmup_epochs=0, final_share=0),
    weight_decay=0,
    beta1=0.9,
    beta2=0.9,
)
PLAIN = AugmentationSettings(shift=0, jitter=0, mirror=False)


def _config(names: Sequence[str] = NAMES) -> ProductConfig:
    return TypeAdapter(ProductConfig).validate_python(
        {
            "modalities": {name: MODALITIES[name] for name in names},
            "fusion": {"hidden": [8, 6], "dropout": [0.4, 0.3]},
            "classes": CLASSES,
            "image_size": SIZE,
            "image_fit": "pad",
            "image_mean": HALF,
            "image_std": HALF,
            "vocabulary": TOKENIZER.get_vocab_size(),
            "pad_token": TOKENIZER.token_to_id(PAD),
            "scaling": {"price": [2.0, 0.5]},
        }
    )


@cache
def _network(names: Sequence[str] = NAMES) -> Product:
    """With vectors for what is missing that differ from 0, as if learned."""
    torch.manual_seed(2)
    network = Product(_config(names)).eval()
    for vector in network.absent:
        torch.nn.init.normal_(vector)
    return network


def _picture(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)


def _row(number: int = 0, **changes: object) -> Row:
    row = {"title": f"A red chair {number}", "description": "to mend", "price": 3.5, "product_class": "mend"}
    return row | changes


def _seed_section() -> ProductParameters:
    section = read_yaml(ROOT / "params.yaml").get("product", {}) | read_yaml(ROOT / "scales/seed.yaml")["product"]
    return ProductParameters.model_validate(section)


def test_the_documents_widths() -> None:
    parameters = _seed_section()
    config = dataclasses.replace(
        _config(),
        modalities=parameters.modalities,
        fusion=parameters.fusion,
        classes=tuple(str(number) for number in range(27)),
        image_size=224,
        vocabulary=15_001,
    )
    with torch.device("meta"):
        network = Product(config)
    encoders = dict(zip(network.names, network.encoders, strict=True))
    assert set(encoders) == {"words", "picture"}
    words, picture = encoders["words"], encoders["picture"]
    assert words.embedding.weight.shape == (15_001, 128)
    assert [layer.weight.shape for layer in words.convolutions] == [(64, 128, kernel) for kernel in (2, 3, 4)]
    assert (words.dense.in_features, words.dense.out_features, words.dense.dropout.p) == (192, 128, 0.3)
    assert (picture.image.width, picture.dense.out_features, picture.dense.dropout.p) == (1280, 256, 0.3)
    assert config.modalities["words"].context == 60
    layers = network.fusion.hidden
    assert [(layer.in_features, layer.out_features, layer.dropout.p) for layer in layers] == [
        (384, 256, 0.4),
        (256, 128, 0.3),
    ]
    assert all(isinstance(layer.norm, torch.nn.BatchNorm1d) for layer in (words.dense, picture.dense, *layers))
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
    keys = {"words": "title", "picture": "seed", "price": "price"}
    for name in without:
        other[keys[name]] = second[keys[name]]
    classifier = ProductClassifier(_network(), TOKENIZER)
    answers = [
        classifier.probabilities([(_picture(some["seed"]), _row(title=some["title"], price=some["price"]))], without)
        for some in (one, other)
    ]
    assert np.array_equal(*answers)
    assert answers[0].sum() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_there_counts(name: str) -> None:
    classifier = ProductClassifier(_network(), TOKENIZER)
    whole, partial = (classifier.probabilities([(_picture(1), _row())], without) for without in ((), {name}))
    assert not np.array_equal(whole, partial)


def test_a_row_without_a_modality_is_a_row_whose_modality_is_taken_away() -> None:
    classifier = ProductClassifier(_network(), TOKENIZER)
    bare = {
        "words": (_picture(1), _row(title=None, description="  ")),
        "picture": (None, _row()),
        "price": (_picture(1), _row(price=None)),
    }
    for name, sample in bare.items():
        expected = classifier.probabilities([(_picture(1), _row())], without=[name])
        np.testing.assert_array_equal(classifier.probabilities([sample]), expected)


def test_an_unknown_modality_is_named() -> None:
    with pytest.raises(ValueError, match="no such modality: reviews; picture, price, words"):
        ProductClassifier(_network(), TOKENIZER).probabilities([], without=["reviews"])


@given(count=st.integers(0, 5), seed=st.integers(0, 9))
@settings(deadline=None, max_examples=10)
def test_an_answer_does_not_depend_on_the_company(count: int, seed: int) -> None:
    classifier = ProductClassifier(_network(), TOKENIZER)
    samples = [(_picture(seed + n), _row(n, description="word " * n, price=n or None)) for n in range(count)]
    together = classifier.probabilities(samples)
    assert together.shape == (count, 3)
    for sample, answer in zip(samples, together, strict=True):
        np.testing.assert_allclose(classifier.probabilities([sample])[0], answer, atol=1e-5)


@pytest.mark.parametrize("names", [NAMES, NAMES[::-1], ("words",), ("picture",), ("price",)])
def test_a_saved_network_is_the_same_network(names: Sequence[str], tmp_path: Path) -> None:
    """Whatever the order in which the modalities were named."""
    network = _network(names)
    network.save_pretrained(tmp_path / "first")
    if network.config.reads_words:
        TOKENIZER.save(str(tmp_path / "first/tokenizer.json"))
    again = ProductClassifier.from_pretrained(tmp_path / "first", threads=1)
    again.network.save_pretrained(tmp_path / "second")
    for name in ("config.json", "model.safetensors"):
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()
    samples = [(_picture(1), _row()), (None, _row(2, price=8.0))]
    expected = ProductClassifier(network, TOKENIZER).probabilities(samples)
    np.testing.assert_array_equal(again.probabilities(samples), expected)
    assert again.config.classes == CLASSES


def _samples(count: int, **changes: object) -> list[Sample]:
    return [Sample(f"{number:04x}", _picture(number), _row(number, **changes)) for number in range(count)]


def _collate(modality_dropout: float, names: Sequence[str] = NAMES, seed: int = 1, **changes: object) -> ProductCollate:
    augmentation = AugmentationSettings.model_validate(PLAIN.model_dump() | changes)
    return ProductCollate(ProductReader(_config(names), TOKENIZER), augmentation, modality_dropout, seed)


def _present(collate: ProductCollate, samples: list[Sample], epoch: int | None) -> np.ndarray:
    """The last view, (modalities, samples)."""
    last = collate(samples, epoch).views[-1]
    return np.stack([last[name].numpy() for name in sorted(last)])


def test_training_sees_every_sample_whole_and_with_one_modality_less_at_most() -> None:
    samples = _samples(300)
    views = _collate(1.0)(samples, epoch=0).views
    assert len(views) == 2
    assert all(view.all() for view in views[0].values())
    assert len(_collate(1.0)(samples, epoch=None).views) == 1
    lost = 3 - _present(_collate(0.3), samples, epoch=0).sum(axis=0)
    assert set(lost) == {0, 1}
    assert 0.2 < lost.mean() < 0.4
    assert (3 - _present(_collate(1.0), samples, epoch=0).sum(axis=0) == 1).all()
    each = 300 - _present(_collate(1.0), samples, epoch=0).sum(axis=1)
    assert (each > 70).all()
    assert _present(_collate(0.0), samples, epoch=0).all()
    assert _present(_collate(1.0), samples, epoch=None).all()


def test_the_last_modality_is_never_lost() -> None:
    assert _present(_collate(1.0, ("words",)), _samples(40), epoch=0).all()
    left = _present(_collate(1.0), _samples(40, title=None, description=None, price=None), epoch=0)
    assert left.sum(axis=0).tolist() == [1] * 40


def test_what_is_drawn_depends_on_seed_epoch_and_key_alone() -> None:
    samples = _samples(40)
    first = _present(_collate(0.5), samples, epoch=1)
    again = _present(_collate(0.5), samples[::-1], epoch=1)[:, ::-1]
    assert np.array_equal(first, again)
    assert not np.array_equal(first, _present(_collate(0.5), samples, epoch=2))
    assert not np.array_equal(first, _present(_collate(0.5, seed=2), samples, epoch=1))


def test_training_changes_pictures_and_words_and_validation_does_not() -> None:
    samples = _samples(6)
    collate = _collate(0.0, shift=0.2, mirror=True, jitter=0.2, word_drop=0.5)
    plain, drawn = collate(samples, None), collate(samples, 0)
    assert not torch.equal(plain.inputs["picture"], drawn.inputs["picture"])
    assert (plain.inputs["words"] != 0).sum() > (drawn.inputs["words"] != 0).sum()
    assert torch.equal(plain.inputs["picture"][3], torch.from_numpy(samples[3].picture).permute(2, 0, 1))
    assert len(plain) == 6


def test_a_class_that_is_not_known_is_missing() -> None:
    samples = [*_samples(1), *_samples(1, product_class="bin it"), *_samples(1, product_class=None)]
    assert _collate(0)(samples, None).labels.tolist() == [0, MISSING, MISSING]


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ({"title": "A  chair ", "description": "to\nmend"}, "A chair to mend"),
        ({"title": None, "description": "", "tags": ["oak", "old"]}, "oak, old"),
        ({"title": None, "description": " "}, ""),
    ],
)
def test_the_words_of_a_row(row: Row, text: str) -> None:
    assert words_of(row, ("title", "description", "tags")) == text


@pytest.mark.parametrize(
    ("value", "size"),
    [(0, 0), (np.e - 1, 1), (1 - np.e, -1), (None, None), (float("nan"), None), (float("inf"), None), ("9", None)],
)
def test_the_size_of_a_number(value: object, size: float | None) -> None:
    assert size_of({"price": value}, "price") == (None if size is None else pytest.approx(size))
    assert lacks(_config().modalities["price"], {"price": value}) == (size is None)


def test_long_texts_are_cut_to_the_context() -> None:
    inputs, present = ProductReader(_config(("words",)), TOKENIZER)([None, None], [_row(description="jar " * 50), {}])
    assert inputs["words"].shape == (2, 9)
    assert present["words"].tolist() == [True, False]


def test_branches_read_fields_of_listings() -> None:
    types = {field.name: field.type for field in LISTINGS}
    assert {types[name] for name in get_args(WordsField)} == {pa.string(), pa.list_(pa.string())}
    assert {types[name] for name in get_args(NumbersField)} == {pa.float64()}


def test_learning_to_be_without_reaches_the_vectors_and_spares_the_encoders() -> None:
    """A batch in which all rows lack a modality moves the vector that stands for it."""
    module = ProductModule(copy.deepcopy(_network()), OPTIMIZER, smoothing=0.1)
    batch = _collate(0)(_samples(4, price=None), None)
    loss = module.step(batch)["loss"]
    loss.backward()
    network = module.network
    place = network.names.index("price")
    moved = [bool(vector.grad.any()) for vector in network.absent]
    assert moved == [name == "price" for name in network.names]
    assert not any(parameter.grad.any() for parameter in network.encoders[place].parameters())


def test_two_views_at_once_are_two_batches_side_by_side() -> None:
    module = ProductModule(_network(), OPTIMIZER, smoothing=0.1)
    batch = _collate(1.0)(_samples(5), epoch=0)
    logits = module.step(batch)["logits"]["product_class"]
    expected = [module.network(batch.inputs, view) for view in batch.views]
    torch.testing.assert_close(logits, torch.cat(expected), atol=1e-6, rtol=1e-5)
    losses = [torch.nn.functional.cross_entropy(one, batch.labels, label_smoothing=0.1) for one in expected]
    torch.testing.assert_close(module.step(batch)["loss"], torch.stack(losses).mean())


def test_the_tokenizer_lowers_the_case_and_adds_nothing() -> None:
    assert TOKENIZER.encode("A RED Chair").ids == TOKENIZER.encode("a red chair").ids
    assert TOKENIZER.decode(TOKENIZER.encode("a red chair").ids) == "a red chair"
