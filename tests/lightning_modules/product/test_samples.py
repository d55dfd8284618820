import copy
from collections.abc import Sequence
from typing import get_args

import numpy as np
import pyarrow as pa
import pytest
import torch

from heddle.core.schemas import LISTINGS
from lightning_modules.product.config import NumbersField, WordsField
from lightning_modules.product.samples import ProductCollate, ProductReader, is_missing, join_texts, signed_log
from lightning_modules.product.training import ProductModule
from lightning_modules.training.labels import MISSING
from lightning_modules.training.settings import AugmentationSettings
from lightning_modules.training.shards import Row, ShardSample
from tests.support.tiny_products import (
    NAMES,
    OPTIMIZER,
    PLAIN,
    TOKENIZER,
    tiny_config,
    tiny_image,
    tiny_network,
    tiny_row,
)


def _samples(count: int, **changes: object) -> list[ShardSample]:
    return [ShardSample(f"{number:04x}", tiny_image(number), tiny_row(number, **changes)) for number in range(count)]


def _collate(modality_dropout: float, names: Sequence[str] = NAMES, seed: int = 1, **changes: object) -> ProductCollate:
    augmentation = AugmentationSettings.model_validate(PLAIN.model_dump() | changes)
    return ProductCollate(ProductReader(tiny_config(names), TOKENIZER), augmentation, modality_dropout, seed)


def _present(collate: ProductCollate, samples: list[ShardSample], epoch: int | None) -> np.ndarray:
    """The last view, (modalities, samples)."""
    last = collate(samples, epoch).views[-1]
    return np.stack([last[name].numpy() for name in sorted(last)])


def test_second_view_lacks_at_most_one_modality() -> None:
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
    assert _present(_collate(1.0, ("text",)), _samples(40), epoch=0).all()
    left = _present(_collate(1.0), _samples(40, title=None, description=None, price=None), epoch=0)
    assert left.sum(axis=0).tolist() == [1] * 40


def test_what_is_drawn_depends_on_seed_epoch_and_key_alone() -> None:
    samples = _samples(40)
    first = _present(_collate(0.5), samples, epoch=1)
    again = _present(_collate(0.5), samples[::-1], epoch=1)[:, ::-1]
    assert np.array_equal(first, again)
    assert not np.array_equal(first, _present(_collate(0.5), samples, epoch=2))
    assert not np.array_equal(first, _present(_collate(0.5, seed=2), samples, epoch=1))


def test_only_training_samples_are_augmented() -> None:
    samples = _samples(6)
    collate = _collate(0.0, translate=0.2, horizontal_flip=True, jitter=0.2, word_dropout=0.5)
    plain, drawn = collate(samples, None), collate(samples, 0)
    assert not torch.equal(plain.inputs["image"], drawn.inputs["image"])
    assert (plain.inputs["text"] != 0).sum() > (drawn.inputs["text"] != 0).sum()
    assert torch.equal(plain.inputs["image"][3], torch.from_numpy(samples[3].image).permute(2, 0, 1))
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
    assert join_texts(row, ("title", "description", "tags")) == text


@pytest.mark.parametrize(
    ("value", "size"),
    [(0, 0), (np.e - 1, 1), (1 - np.e, -1), (None, None), (float("nan"), None), (float("inf"), None), ("9", None)],
)
def test_the_size_of_a_number(value: object, size: float | None) -> None:
    assert signed_log({"price": value}, "price") == (None if size is None else pytest.approx(size))
    assert is_missing(tiny_config().modalities["price"], {"price": value}) == (size is None)


def test_long_texts_are_cut_to_the_context() -> None:
    inputs, present = ProductReader(tiny_config(("text",)), TOKENIZER)(
        [None, None], [tiny_row(description="jar " * 50), {}]
    )
    assert inputs["text"].shape == (2, 9)
    assert present["text"].tolist() == [True, False]


def test_branches_read_fields_of_listings() -> None:
    types = {field.name: field.type for field in LISTINGS}
    assert {types[name] for name in get_args(WordsField)} == {pa.string(), pa.list_(pa.string())}
    assert {types[name] for name in get_args(NumbersField)} == {pa.float64()}


def test_missing_modality_trains_the_vector_not_the_encoder() -> None:
    """A batch in which all rows lack a modality moves the vector that stands for it."""
    module = ProductModule(copy.deepcopy(tiny_network()), OPTIMIZER, smoothing=0.1)
    batch = _collate(0)(_samples(4, price=None), None)
    loss = module.step(batch)["loss"]
    loss.backward()
    network = module.network
    place = network.names.index("price")
    moved = [bool(vector.grad.any()) for vector in network.absent]
    assert moved == [name == "price" for name in network.names]
    assert not any(parameter.grad.any() for parameter in network.encoders[place].parameters())


def test_two_views_at_once_are_two_batches_side_by_side() -> None:
    module = ProductModule(tiny_network(), OPTIMIZER, smoothing=0.1)
    batch = _collate(1.0)(_samples(5), epoch=0)
    logits = module.step(batch)["logits"]["product_class"]
    expected = [module.network(batch.inputs, view) for view in batch.views]
    torch.testing.assert_close(logits, torch.cat(expected), atol=1e-6, rtol=1e-5)
    losses = [torch.nn.functional.cross_entropy(one, batch.labels, label_smoothing=0.1) for one in expected]
    torch.testing.assert_close(module.step(batch)["loss"], torch.stack(losses).mean())
