import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from assets.vision.train.parameters import VisionParameters
from heddle.core.parameters.section import read_yaml
from lightning_modules.image.augmentation import augment
from lightning_modules.image.config import HALF, ImageTower, ResNetTower, VitTower
from lightning_modules.training.inference import BATCH_SIZE
from lightning_modules.training.labels import MISSING, LabelledBatch
from lightning_modules.training.settings import AugmentationSettings, CosineSchedule, OptimizerSettings
from lightning_modules.training.shards import ShardSample
from lightning_modules.vision.classifier import VisionClassifier
from lightning_modules.vision.config import VisionConfig
from lightning_modules.vision.training import LabelledCollate, VisionModule
from lightning_modules.vision.vision import Vision

ROOT = Path(__file__).parents[3]
RESNET = ResNetTower(kind="resnet", layer_type="basic", embedding_size=8, hidden_sizes=(8, 16), depths=(1, 1))
VIT = VitTower(
    kind="vit",
    patch_size=8,
    hidden_size=16,
    num_layers=1,
    num_heads=2,
    intermediate_size=32,
    activation="gelu",
    dropout=0.0,
)
HEADS = {"item": ("book", "chair", "jar"), "bin": ("glass", "wood")}
CONFIG = VisionConfig(
    image=VIT, image_size=16, resize_mode="pad", image_mean=HALF, image_std=HALF, heads=HEADS, dropout=0.0
)
OPTIMIZER = OptimizerSettings(
    learning_rate=1e-3,
    schedule=CosineSchedule(kind="cosine", warmup_epochs=0, min_lr_ratio=0.1),
    weight_decay=0.05,
    beta1=0.9,
    beta2=0.999,
)


def _network(image: ImageTower = VIT, dropout: float = 0.0) -> Vision:
    torch.manual_seed(0)
    return Vision(replace(CONFIG, image=image, dropout=dropout))


def _module(weights: dict[str, float], smoothing: float) -> VisionModule:
    return VisionModule(_network(), OPTIMIZER, weights, smoothing)


def _pixels(count: int) -> Tensor:
    return torch.randint(0, 256, (count, 3, 16, 16), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)


def _batch(item: list[int], bin_: list[int]) -> LabelledBatch:
    return LabelledBatch(_pixels(len(item)), {"item": torch.tensor(item), "bin": torch.tensor(bin_)})


def test_the_documents_size_has_86_million_parameters() -> None:
    shared = read_yaml(ROOT / "params.yaml").get("vision", {})
    parameters = VisionParameters.model_validate(shared | read_yaml(ROOT / "scales/seed.yaml")["vision"])
    assert parameters.image is not None
    heads = {"item": 20, "material": 15, "bin": 4}  # the document's counts
    assert heads.keys() == parameters.heads.keys()
    classes = {head: tuple(str(number) for number in range(count)) for head, count in heads.items()}
    with torch.device("meta"):
        network = Vision(replace(CONFIG, image=parameters.image, image_size=224, heads=classes))
    assert network.count_parameters() == pytest.approx(86_000_000, abs=1_000_000)
    assert (network.config.image.kind, network.image.width) == ("vit", 768)


@pytest.mark.parametrize("tower", [RESNET, VIT], ids=["resnet", "vit"])
def test_a_saved_network_is_the_same_network(tower: ImageTower, tmp_path: Path) -> None:
    network = _network(tower).eval()
    network.save_pretrained(tmp_path / "first")
    again = Vision.from_pretrained(tmp_path / "first")
    again.save_pretrained(tmp_path / "second")
    for name in ("config.json", "model.safetensors"):
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()
    assert again.config == network.config
    found, expected = again(_pixels(3)), network(_pixels(3))
    assert {head: logits.shape for head, logits in found.items()} == {"item": (3, 3), "bin": (3, 2)}
    assert all(torch.equal(found[head], expected[head]) for head in HEADS)


def _smoothed(logits: Tensor, target: int, smoothing: float) -> float:
    """Szegedy et al.'s loss of one image, class by class."""
    chances = logits.double().softmax(dim=0).tolist()
    wanted = [smoothing / len(chances)] * len(chances)
    wanted[target] += 1 - smoothing
    return -sum(share * math.log(chance) for share, chance in zip(wanted, chances, strict=True))


def test_loss_is_weighted_sum_over_known_labels() -> None:
    module = _module({"item": 2.0, "bin": 0.5}, smoothing=0.1)
    batch = _batch([0, MISSING, 2, MISSING], [1, 0, MISSING, MISSING])
    outputs = module.step(batch)
    item, bin_ = (outputs["logits"][head].detach() for head in ("item", "bin"))
    of_items = (_smoothed(item[0], 0, 0.1) + _smoothed(item[2], 2, 0.1)) / 2
    of_bins = (_smoothed(bin_[0], 1, 0.1) + _smoothed(bin_[1], 0, 0.1)) / 2
    assert outputs["loss"].item() == pytest.approx(2 * of_items + 0.5 * of_bins, rel=1e-5)
    assert outputs["labels"] is batch.labels


def test_a_head_without_labels_learns_nothing() -> None:
    module = _module({"item": 1.0, "bin": 1.0}, smoothing=0.1)
    module.step(_batch([0, 1, 2], [MISSING] * 3))["loss"].backward()
    heads = module.network.heads
    assert not any(parameter.grad.any() for parameter in heads["bin"].parameters())
    assert all(parameter.grad.any() for parameter in heads["item"].parameters())


def test_images_without_a_label_do_not_move_that_head() -> None:
    """What a head learns from an image is the same whether unlabelled ones share the batch or not."""
    gradients = []
    for labels in (_batch([0, 1], [0, 1]), _batch([0, 1, 2], [0, 1, MISSING])):
        module = _module({"item": 1.0, "bin": 1.0}, smoothing=0.1)
        module.step(labels)["loss"].backward()
        gradients.append(module.network.heads["bin"].weight.grad)
    torch.testing.assert_close(gradients[1], gradients[0], atol=1e-7, rtol=1e-5)


def test_eight_batches_of_one_equal_one_batch_of_eight() -> None:
    item, bin_ = [0, 1, 2, 0, 1, 2, 0, 1], [0, 1, 0, 1, 1, 0, 0, 1]
    whole, parts = (_module({"item": 1.0, "bin": 2.0}, smoothing=0.1) for _ in range(2))
    batch = _batch(item, bin_)
    whole.step(batch)["loss"].backward()
    for row in range(8):
        one = LabelledBatch(batch.pixels[row : row + 1], {h: ids[row : row + 1] for h, ids in batch.labels.items()})
        (parts.step(one)["loss"] / 8).backward()  # as Lightning does
    for expected, found in zip(whole.parameters(), parts.parameters(), strict=True):
        torch.testing.assert_close(found.grad, expected.grad, atol=1e-6, rtol=1e-4)


def test_dropout_is_between_tower_and_heads_and_in_training_only() -> None:
    network = _network(dropout=0.5)
    first, second = (network.train()(_pixels(2))["item"] for _ in range(2))
    assert not torch.equal(first, second)
    first, second = (network.eval()(_pixels(2))["item"] for _ in range(2))
    assert torch.equal(first, second)
    assert torch.equal(first, _network().eval()(_pixels(2))["item"])


def _samples() -> list[ShardSample]:
    random = np.random.default_rng(0)
    labels: list[dict[str, Any]] = [
        {"item": "jar", "bin": None},
        {"item": "unicorn", "bin": "wood"},
        {"item": None, "bin": "glass"},
    ]
    return [
        ShardSample(str(number), random.integers(0, 256, (16, 16, 3), dtype=np.uint8), row)
        for number, row in enumerate(labels)
    ]


def test_batches_hold_ids_and_unknown_classes_are_missing() -> None:
    settings = AugmentationSettings(translate=0.1, jitter=0.1, horizontal_flip=True)
    batch = LabelledCollate(HEADS, settings, seed=3)(_samples(), None)
    assert batch.labels["item"].tolist() == [2, MISSING, MISSING]
    assert batch.labels["bin"].tolist() == [MISSING, 1, 0]
    assert np.array_equal(batch.pixels[1].permute(1, 2, 0).numpy(), _samples()[1].image)


def test_training_images_are_drawn_by_seed_epoch_and_key_alone() -> None:
    settings = AugmentationSettings(translate=0.2, jitter=0.2, horizontal_flip=True)
    collate = LabelledCollate(HEADS, settings, seed=3)
    first = collate(_samples(), 1).pixels
    assert torch.equal(collate(_samples()[::-1], 1).pixels.flip(0), first)
    for other in (collate(_samples(), 2), LabelledCollate(HEADS, settings, seed=4)(_samples(), 1)):
        assert not torch.equal(other.pixels, first)
    still = AugmentationSettings(translate=0, jitter=0, horizontal_flip=False)
    assert np.array_equal(
        augment(_samples()[0].image, "", still, np.random.default_rng(0)),
        LabelledCollate(HEADS, still, seed=3)(_samples(), 1).pixels[0].permute(1, 2, 0),
    )


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> VisionClassifier:
    folder = tmp_path_factory.mktemp("vision")
    _network(RESNET, dropout=0.5).save_pretrained(folder)
    return VisionClassifier.from_pretrained(folder, threads=1)


def _images(count: int) -> list[NDArray[np.uint8]]:
    return list(_pixels(count).permute(0, 2, 3, 1).numpy())


def test_probabilities_are_the_softmax_of_the_logits(classifier: VisionClassifier) -> None:
    assert classifier.config.heads == HEADS
    count = BATCH_SIZE + 5
    found = classifier.probabilities(_images(count))
    with torch.no_grad():
        logits = classifier.network(_pixels(count).to(classifier.network.device))
    for head, classes in HEADS.items():
        assert found[head].shape == (count, len(classes))
        assert found[head].dtype == np.float32
        np.testing.assert_allclose(found[head].sum(axis=1), 1, atol=1e-6)
        expected = logits[head].softmax(dim=1).cpu().numpy()
        np.testing.assert_allclose(found[head], expected, atol=1e-5)


def test_no_images_have_no_probabilities(classifier: VisionClassifier) -> None:
    assert {head: chances.shape for head, chances in classifier.probabilities([]).items()} == {
        "item": (0, 3),
        "bin": (0, 2),
    }
