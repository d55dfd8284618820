"""A product classifier of a few hundred weights over three modalities, and listings for it."""

from collections.abc import Sequence
from functools import cache

import numpy as np
import torch
from pydantic import TypeAdapter

from assets.tokenizer.parameters import TokenizerParameters
from assets.tokenizer.stage import learn
from lightning_modules.image.config import HALF, ResNetTower
from lightning_modules.product.config import ProductConfig
from lightning_modules.product.product import Product
from lightning_modules.tokenization.vocabulary import PAD, make_lowercase_tokenizer
from lightning_modules.training.settings import AugmentationSettings, CosineSchedule, OptimizerSettings
from lightning_modules.training.shards import Row

SIZE = 16
CLASSES = ("mend", "reuse", "upcycle")
TOKENIZER = make_lowercase_tokenizer(
    learn(["a red chair to mend", "a blue jar"] * 3, TokenizerParameters(vocab_size=300, min_frequency=2))
)
RESNET = ResNetTower(kind="resnet", layer_type="basic", embedding_size=4, hidden_sizes=(4, 8), depths=(1, 1))
MODALITIES = {
    "text": {
        "kind": "text_cnn",
        "fields": ["title", "description"],
        "context_length": 9,
        "embedding_dim": 6,
        "kernel_sizes": [2, 3],
        "num_filters": 4,
        "features": 5,
        "dropout": 0.3,
    },
    "image": {"kind": "image", "image": RESNET, "features": 7, "dropout": 0.3},
    "price": {"kind": "numbers", "fields": ["price"], "features": 3, "dropout": 0.1},
}
NAMES = tuple(MODALITIES)
torch.set_num_threads(1)  # two threads for so little work mostly wait for each other
OPTIMIZER = OptimizerSettings(
    learning_rate=0.1,
    schedule=CosineSchedule(kind="cosine", warmup_epochs=0, min_lr_ratio=0),
    weight_decay=0,
    beta1=0.9,
    beta2=0.9,
)
PLAIN = AugmentationSettings(translate=0, jitter=0, horizontal_flip=False)


def tiny_config(names: Sequence[str] = NAMES) -> ProductConfig:
    """Of a network with these modalities."""
    return TypeAdapter(ProductConfig).validate_python(
        {
            "modalities": {name: MODALITIES[name] for name in names},
            "fusion": {"hidden_dims": [8, 6], "dropout": [0.4, 0.3]},
            "classes": CLASSES,
            "image_size": SIZE,
            "resize_mode": "pad",
            "image_mean": HALF,
            "image_std": HALF,
            "vocab_size": TOKENIZER.get_vocab_size(),
            "pad_token": TOKENIZER.token_to_id(PAD),
            "scaling": {"price": [2.0, 0.5]},
        }
    )


@cache
def tiny_network(names: Sequence[str] = NAMES) -> Product:
    """With vectors for what is missing that differ from 0, as if learned."""
    torch.manual_seed(2)
    network = Product(tiny_config(names)).eval()
    for vector in network.absent:
        torch.nn.init.normal_(vector)
    return network


def tiny_image(seed: int) -> np.ndarray:
    """Noise."""
    return np.random.default_rng(seed).integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)


def tiny_row(number: int = 0, **changes: object) -> Row:
    """A listing that has everything."""
    row = {"title": f"A red chair {number}", "description": "to mend", "price": 3.5, "product_class": "mend"}
    return row | changes
