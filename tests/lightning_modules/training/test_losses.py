import math
import os
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.functional import normalize
from torch.nn.parallel import DistributedDataParallel
from transformers.models.clip.modeling_clip import image_text_contrastive_loss

from lightning_modules.clip.clip import Clip
from lightning_modules.clip.config import ClipConfig, TextTower
from lightning_modules.image.config import CLIP_MEAN, CLIP_STD, ClipVitTower
from lightning_modules.training.losses import contrastive_loss
from lightning_modules.training.temperature import MAX_LOG_SCALE

RANKS = 2
BATCH = 6
CONFIG = ClipConfig(
    image=ClipVitTower(
        kind="clip_vit",
        patch_size=8,
        hidden_size=16,
        num_layers=1,
        num_heads=2,
        intermediate_size=32,
        activation="gelu",
    ),
    text=TextTower(
        context_length=8, hidden_size=16, num_layers=1, num_heads=2, intermediate_size=32, activation="gelu"
    ),
    projection_dim=12,
    image_size=16,
    resize_mode="pad",
    image_mean=CLIP_MEAN,
    image_std=CLIP_STD,
    vocab_size=40,
    pad_token=0,
    end_token=2,
)


def _embeddings(count: int, seed: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    image, text = torch.randn(2, count, 5, generator=generator, dtype=torch.float64)
    return normalize(image, dim=-1), normalize(text, dim=-1)


@given(count=st.integers(1, 9), seed=st.integers(0, 1000), scale=st.floats(0.1, 100))
@settings(deadline=None, max_examples=40)
def test_equals_the_formula_written_out(count: int, seed: int, scale: float) -> None:
    image, text = _embeddings(count, seed)
    logits = scale * image.numpy() @ text.numpy().T
    expected = 0.0
    for row in range(count):
        by_image = -logits[row, row] + np.log(np.exp(logits[row] - logits[row].max()).sum()) + logits[row].max()
        column = logits[:, row]
        by_text = -logits[row, row] + np.log(np.exp(column - column.max()).sum()) + column.max()
        expected += (by_image + by_text) / 2 / count
    assert contrastive_loss(image, text, torch.tensor(scale, dtype=torch.float64)).item() == pytest.approx(expected)


def test_equals_transformers() -> None:
    image, text = _embeddings(7, 3)
    theirs = image_text_contrastive_loss(9.0 * text @ image.T)
    assert contrastive_loss(image, text, torch.tensor(9.0)).item() == pytest.approx(theirs.item(), rel=1e-6)


def test_does_not_depend_on_the_order() -> None:
    image, text = _embeddings(8, 4)
    order = torch.randperm(8)
    scale = torch.tensor(14.0)
    assert contrastive_loss(image[order], text[order], scale) == pytest.approx(contrastive_loss(image, text, scale))


def test_the_scale_stops_at_a_hundred_and_can_come_back() -> None:
    network = Clip(CONFIG)
    network.log_scale.data.fill_(9.0)
    scale = network.scale()
    assert scale.item() == pytest.approx(100)
    scale.backward()
    assert network.log_scale.item() == pytest.approx(MAX_LOG_SCALE)
    assert network.log_scale.grad is not None
    assert network.log_scale.grad.item() > 0
    assert network.temperature == pytest.approx(1 / 100)
    assert math.exp(MAX_LOG_SCALE) == pytest.approx(100)


class _Loss(nn.Module):
    """The network and its loss behind one forward, as Lightning hands them to DDP."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(5)
        self.network = Clip(CONFIG)

    def forward(self, pixels: Tensor, tokens: Tensor) -> Tensor:
        image, text = self.network.encode_image(pixels), self.network.encode_text(tokens)
        return contrastive_loss(image, text, self.network.scale())


def _joined_batch() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(8)
    pixels = torch.randint(0, 256, (RANKS * BATCH, 3, 16, 16), generator=generator, dtype=torch.uint8)
    tokens = torch.randint(3, 40, (RANKS * BATCH, 8), generator=generator)
    tokens[:, -1] = 2
    return pixels, tokens


def _one_rank(rank: int, folder: str) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/rendezvous", rank=rank, world_size=RANKS)
    model = DistributedDataParallel(_Loss())
    mine = slice(rank * BATCH, (rank + 1) * BATCH)
    pixels, tokens = _joined_batch()
    loss = model(pixels[mine], tokens[mine])
    loss.backward()
    gradients = {name: parameter.grad for name, parameter in model.module.named_parameters()}
    torch.save((loss.detach(), gradients), f"{folder}/{rank}.pt")
    dist.barrier()  # neither leaves while the other needs it
    # Not by destroying the group: its destructor, which holds Python's lock, waits for a thread that may want it.
    os._exit(0)


@pytest.mark.slow
def test_two_processes_equal_one_with_the_joined_batch(tmp_path: Path) -> None:
    mp.spawn(_one_rank, args=(str(tmp_path),), nprocs=RANKS)
    alone = _Loss()
    loss = alone(*_joined_batch())
    loss.backward()
    results = [torch.load(tmp_path / f"{rank}.pt") for rank in range(RANKS)]
    assert torch.stack([result[0] for result in results]).mean().item() == pytest.approx(loss.item(), abs=1e-5)
    for name, parameter in alone.named_parameters():
        assert parameter.grad is not None
        for _, gradients in results:
            torch.testing.assert_close(gradients[name], parameter.grad, atol=1e-5, rtol=1e-5, msg=name)
    assert sum(parameter.grad.abs().sum() for parameter in alone.parameters() if parameter.grad is not None) > 0.1
