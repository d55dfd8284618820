"""Fixtures of every folder. Their imports are inside, so that a process without them waits for no torch."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.wordpress_site import FakeSite

SCALE = """
tokenizer: {vocab_size: 400, min_frequency: 2}
shards: {image_size: 16, resize_mode: pad, quality: 90, listings_per_shard: 5}
clip:
  image: {kind: resnet, layer_type: basic, embedding_size: 8, hidden_sizes: [8, 16], depths: [1, 1]}
  text: {context_length: 12, hidden_size: 16, num_layers: 1, num_heads: 2, intermediate_size: 32, activation: gelu}
  projection_dim: 8
  field_shares: {alt_text: 3}
  learning_rate: 3e-3
  schedule: {kind: cosine, warmup_epochs: 0.2, min_lr_ratio: 0.01}
  weight_decay: 0.05
  beta1: 0.9
  beta2: 0.98
  batch_size: 4
  num_workers: 0
  cache: true
  shuffle_buffer: 8
  augmentation: {translate: 0.06, jitter: 0.1, horizontal_flip: true}
  trainer:
    max_epochs: 2
    accelerator: cpu
    devices: 1
    num_nodes: 1
    strategy: auto
    precision: 32-true
    accumulate_grad_batches: 1
    gradient_clip_val: 1.0
    patience: 3
"""


@pytest.fixture(scope="session")
def trained_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two dozen listings after `shards`, `tokenizer`, `clip` and `clip_evaluation` have really run."""
    from assets.clip.evaluate.stage import clip_evaluation
    from assets.clip.train.stage import clip
    from assets.shards.stage import shards
    from assets.tokenizer.stage import tokenizer
    from tests.support.small_project import run, write_project

    folder = write_project(tmp_path_factory.mktemp("trained") / "project")
    (folder / "scales/smoke.yaml").write_text(SCALE)
    for name in ("shards", "tokenizer", "clip", "clip_evaluation"):
        shutil.rmtree(folder / "data" / name)
    for stage in (shards, tokenizer, clip, clip_evaluation):
        run(stage, folder)
    return folder


@pytest.fixture(scope="session")
def answering_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Guides and conversations after `base_language` and `assistant` have really run."""
    from assets.assistant.base.stage import base_language
    from assets.assistant.train.stage import assistant
    from tests.support.small_library import write_small_library
    from tests.support.small_project import run

    folder = write_small_library(tmp_path_factory.mktemp("answering") / "project")
    for stage in (base_language, assistant):
        run(stage, folder)
    return folder


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeSite]:
    """A site of our own that serves images; the test runs in its own folder."""
    monkeypatch.chdir(tmp_path)
    running = FakeSite()
    yield running
    running.close()
