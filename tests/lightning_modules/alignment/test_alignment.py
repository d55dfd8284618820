"""The projections and their loss: against the plain contrastive loss, the formula, and spaces whose answer is known."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.functional import normalize

from assets.recommender.train.parameters import RecommenderParameters
from assets.shards.parameters import ShardsParameters
from assets.vision.train.parameters import VisionParameters
from heddle.core.parameters.section import read_yaml
from lightning_modules.alignment.alignment import Alignment
from lightning_modules.alignment.config import AlignmentConfig
from lightning_modules.alignment.training import (
    AlignmentBatch,
    AlignmentData,
    AlignmentModule,
    shared_target_contrastive_loss,
)
from lightning_modules.image.image_tower import ImageEncoder
from lightning_modules.training.losses import contrastive_loss
from lightning_modules.training.settings import CosineSchedule, OptimizerSettings

CONFIG = AlignmentConfig(spaces={"image": 5, "text": 4, "graph": 3}, hidden_dim=None, projection_dim=6, dropout=0.0)
SCALE = torch.tensor(12.0, dtype=torch.float64)


def _pair(count: int, seed: int) -> tuple[Tensor, Tensor]:
    one, other = torch.randn(2, count, 5, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return normalize(one, dim=-1), normalize(other, dim=-1)


@given(count=st.integers(1, 9), seed=st.integers(0, 1000))
@settings(max_examples=40)
def test_where_each_is_alone_of_its_kind_it_is_the_plain_loss(count: int, seed: int) -> None:
    one, other = _pair(count, seed)
    numbers = torch.arange(count)
    alike = torch.stack([numbers, numbers.flip(0)], dim=1)
    plain = contrastive_loss(one, other, SCALE)
    assert shared_target_contrastive_loss(one, other, alike, SCALE).item() == pytest.approx(plain.item(), abs=1e-9)


@given(kinds=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=9), seed=st.integers(0, 99))
@settings(max_examples=40)
def test_equals_the_divergence_written_out(kinds: list[tuple[int, int]], seed: int) -> None:
    one, other = _pair(len(kinds), seed)
    cosines = SCALE.item() * (one @ other.T).numpy()
    expected = 0.0
    for logits in (cosines, cosines.T):
        for row, own in enumerate(kinds):
            alike = [place for place, (a, b) in enumerate(kinds) if a == own[0] or b == own[1]]
            likely = np.exp(logits[row]) / np.exp(logits[row]).sum()
            share = 1 / len(alike)
            expected += sum(share * math.log(share / likely[place]) for place in alike) / len(kinds) / 2
    assert shared_target_contrastive_loss(one, other, torch.tensor(kinds), SCALE).item() == pytest.approx(
        expected, abs=1e-9
    )
    assert expected > -1e-9


def test_identical_vectors_cause_no_loss() -> None:
    places = torch.eye(3, dtype=torch.float64)[[0, 0, 0, 1, 1, 2]]  # six listings in three places
    kinds = torch.tensor([[0, 0], [1, 0], [2, 0], [3, 1], [4, 1], [5, 2]])
    images = places.clone().requires_grad_()
    scale = torch.tensor(100.0, dtype=torch.float64)
    loss = shared_target_contrastive_loss(images, places, kinds, scale)
    loss.backward()
    assert loss.item() == pytest.approx(0, abs=1e-9)
    assert images.grad.abs().max() < 1e-9  # perfect spaces are at rest
    assert contrastive_loss(images, places, scale).item() == pytest.approx((3 * math.log(3) + 2 * math.log(2)) / 6)


def test_spaces_that_are_turned_copies_of_one_another_are_learned() -> None:
    random = np.random.default_rng(1)
    hidden = random.normal(size=(40, 3)).astype(np.float32)
    vectors = {
        "image": hidden @ random.normal(size=(3, 5)).astype(np.float32),
        "text": hidden @ random.normal(size=(3, 4)).astype(np.float32),
        "graph": hidden,
    }
    torch.manual_seed(2)
    schedule = CosineSchedule(kind="cosine", warmup_epochs=0, min_lr_ratio=1)
    settled = OptimizerSettings(learning_rate=0.02, schedule=schedule, weight_decay=0, beta1=0.9, beta2=0.98)
    module = AlignmentModule(Alignment(CONFIG).fit_standardization(vectors), settled)
    kinds = {space: np.arange(40) for space in vectors}
    batch = AlignmentData((vectors, kinds), (vectors, kinds), 40, 1).epoch(0)[0]
    optimizer = torch.optim.Adam(module.parameters(), lr=0.02)
    for _ in range(150):
        optimizer.zero_grad()
        module.step(batch)["loss"].backward()
        optimizer.step()
    found = module.network.eval().embed(vectors)
    for one, other in (("image", "text"), ("text", "graph"), ("graph", "image")):
        assert ((found[one] @ found[other].T).argmax(axis=1) == np.arange(40)).mean() > 0.9


@pytest.mark.parametrize("hidden", [None, 7])
def test_embeddings_are_unit_vectors_and_survive_saving(hidden: int | None, tmp_path: Path) -> None:
    config = AlignmentConfig(spaces={"text": 4, "graph": 3}, hidden_dim=hidden, projection_dim=6, dropout=0.5)
    random = np.random.default_rng(3)
    vectors = {"text": random.normal(5, 3, (9, 4)).astype(np.float32), "graph": np.ones((9, 3), np.float32)}
    network = Alignment(config).fit_standardization(vectors).eval()
    found = network.embed(vectors)
    assert np.linalg.norm(found["text"], axis=1) == pytest.approx(np.ones(9), abs=1e-5)
    assert np.isfinite(found["graph"]).all()  # what is constant is not divided by nothing
    moved = {"text": vectors["text"] * 10 + 1}
    again = Alignment(config)
    again.load_state_dict(network.state_dict() | _buffers(Alignment(config).fit_standardization(vectors | moved)))
    assert again.eval().embed(moved)["text"] == pytest.approx(found["text"], abs=1e-4)
    network.save_pretrained(tmp_path)
    assert (Alignment.from_pretrained(tmp_path).embed(vectors)["text"] == found["text"]).all()


def _buffers(network: Alignment) -> dict[str, Tensor]:
    return dict(network.named_buffers())


def test_epoch_permutes_listings_and_keeps_rows_together() -> None:
    rows = np.arange(11)
    vectors = {"text": rows[:, None].astype(np.float32), "graph": -rows[:, None].astype(np.float32)}
    kinds = {"text": rows, "graph": rows // 3}
    data = AlignmentData((vectors, kinds), (vectors, kinds), batch_size=4, seed=5)
    first, again, second = (
        torch.cat([batch.vector_ids["text"] for batch in data.epoch(number)]).tolist() for number in (0, 0, 1)
    )
    assert first == again != second
    assert len(first) == len(set(first)) == 8
    for batch in data.epoch(0):
        assert isinstance(batch, AlignmentBatch)
        assert len(batch) == 4
        assert (batch.vectors["graph"] == -batch.vectors["text"]).all()
        assert (batch.vector_ids["graph"] == batch.vector_ids["text"] // 3).all()


def test_seed_scale_has_768_image_and_128_graph_dimensions() -> None:
    seed = read_yaml(Path(__file__).parents[3] / "scales/seed.yaml")
    tower = VisionParameters.model_validate(seed["vision"])
    assert tower.image is not None
    with torch.device("meta"):
        assert ImageEncoder(tower.image, ShardsParameters.model_validate(seed["shards"]).image_size).width == 768
    assert RecommenderParameters.model_validate(seed["recommender"]).hidden_dims[-1] == 128
