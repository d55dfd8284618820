"""A writer of a few thousand weights, and listings for it."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from pydantic import TypeAdapter
from tokenizers import Tokenizer
from torch import Tensor

from assets.tokenizer.parameters import TokenizerParameters
from assets.tokenizer.stage import learn
from lightning_modules.image.config import HALF, ResNetTower
from lightning_modules.training.settings import AugmentationSettings, CosineSchedule, OptimizerSettings
from lightning_modules.training.shards import Row, ShardSample
from lightning_modules.writer.config import WriterConfig
from lightning_modules.writer.content_tokens import ContentTokens
from lightning_modules.writer.content_writer import make_reader
from lightning_modules.writer.corruption import Corruption
from lightning_modules.writer.samples import ImageObject, Inputs, WriterInputs
from lightning_modules.writer.sampling import WriterCollate
from lightning_modules.writer.settings import LossWeights, SamplingSettings
from lightning_modules.writer.writer import Writer

SIZE = 32
TEXTS = ["a red chair with a blue jar to the left of it", "a blue jar on top of a box", "green box, wooden, to mend"]
TOKENIZER: Tokenizer = learn(TEXTS * 3, TokenizerParameters(vocab_size=320, min_frequency=2))
TOKENS = ContentTokens(TOKENIZER)
STACK = {
    "context_length": 16,
    "hidden_size": 16,
    "num_layers": 2,
    "num_heads": 4,
    "intermediate_size": 24,
    "activation": "gelu",
    "positions": "rotary",
}
SHAPE: dict[str, Any] = {
    "scene": {"node_dim": 12, "edge_dim": 6, "num_layers": 3, "relation_tokens": True, "max_objects": 8},
    "cross_modal": {"num_heads": 4},
    "fusion": {"early": True, "mid": True, "late": True, "dropout": 0.1},
    "decoder": STACK,
    "text": STACK | {"num_layers": 1},
    "max_clauses": 6,
    "projection_dim": 8,
    "gradient_checkpointing": False,
}
RESNET = ResNetTower(kind="resnet", layer_type="basic", embedding_size=8, hidden_sizes=(8, 16), depths=(1, 1))
LESSONS = SamplingSettings(
    field_shares={"tags": 0.5},
    context_dropout=0.5,
    corruption_ratio=0.0,
    max_text_tokens=12,
    mask_ratio=0.3,
    length_buckets=2,
)
LOSSES = LossWeights(generation=1, contrastive=0.1, masked=0.1, quality=0.1, error_detection=0.1)
PLAIN = AugmentationSettings(translate=0, jitter=0, horizontal_flip=False)
PHRASES = {"colour": {"red": "red", "blue": "blue", "navy": "blue", "green": "green"}, "item": {"jar": "jar"}}
OPTIMIZER = OptimizerSettings(
    learning_rate=0.01,
    schedule=CosineSchedule(kind="cosine", warmup_epochs=0, min_lr_ratio=0),
    weight_decay=0,
    beta1=0.9,
    beta2=0.9,
)
torch.set_num_threads(1)  # two threads for so little work mostly wait for each other


def tiny_config(**changes: Any) -> WriterConfig:
    """Of a network; ``changes`` are parts of its shape."""
    return TypeAdapter(WriterConfig).validate_python(
        SHAPE
        | {
            "image": RESNET,
            "image_size": SIZE,
            "resize_mode": "pad",
            "image_mean": HALF,
            "image_std": HALF,
            "vocab_size": TOKENS.size,
            "pad_token": TOKENS.pad,
        }
        | changes
    )


def tiny_writer(seed: int = 0, **changes: Any) -> Writer:
    """In evaluation mode, with every learned vector away from zero and statistics of some images."""
    torch.manual_seed(seed)
    network = Writer(tiny_config(**changes))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    network.encode_image(torch.randint(0, 256, (8, 3, SIZE, SIZE), dtype=torch.uint8))
    return network.eval()


def tiny_inputs(number: int = 0, objects: int = 2, **changes: Any) -> Inputs:
    """Of a listing, all of it known."""
    draw = np.random.default_rng(number)
    things = []
    for place in range(objects):
        x0, y0 = draw.uniform(0, 0.6, 2)
        label, colour = ("chair", "jar", "box")[(number + place) % 3], ("red", "blue", "green")[place % 3]
        things.append(ImageObject(label, (colour, "wooden"), (x0, y0, x0 + 0.3, y0 + 0.2 + 0.01 * place)))
    known: Mapping[str, Any] = {
        "image": draw.integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8),
        "objects": things,
        "relations": [(place, "left of", 0) for place in range(1, objects)],
        "context": "locale en-GB. wishes: short sentences",
        "facts": tuple(draw.normal(size=8)),
    }
    return Inputs(**{**known, **changes})


def tiny_row(number: int = 0, **changes: Any) -> Row:
    """A listing as it stands in the shards."""
    row: Row = {
        "id": f"shop:{number}",
        "image": f"{number:064x}",
        "source": "shop",
        "alt_text": f"A {('red', 'blue', 'green')[number % 3]} {('chair', 'jar')[number % 2]}.",
        "tags": ["red", "wooden"],
        "body": [("p", "A blue jar."), ("li", "to mend")],
        "objects": [{"label": "chair", "attributes": ["red"], "box": [0.2, 0.2, 0.8, 0.8]}],
        "relations": [],
        "context": {"locale": "en-GB", "preferences": ["short sentences"], "site": None},
        "exif": [],
    }
    return row | changes


def tiny_samples(count: int, **changes: Any) -> list[ShardSample]:
    """Listings with images."""
    images = np.random.default_rng(0).integers(0, 256, (count, SIZE, SIZE, 3), dtype=np.uint8)
    return [ShardSample(f"{number:04x}", images[number], tiny_row(number, **changes)) for number in range(count)]


def tiny_collate(config: WriterConfig, augmentation: AugmentationSettings = PLAIN, **changes: Any) -> WriterCollate:
    """Collate rows that contain their fields; ``changes`` are changes of the sampling settings."""
    return WriterCollate(
        make_reader(config, TOKENIZER),
        TOKENS,
        lambda row: row,
        lambda row: row.get("score", 0.5),
        Corruption(PHRASES),
        {},
        "pad",
        LESSONS.model_copy(update=changes),
        augmentation,
        seed=3,
    )


def tiny_batch(*inputs: Inputs, config: WriterConfig | None = None) -> WriterInputs:
    """The inputs of a network."""
    return make_reader(config or tiny_config(), TOKENIZER)(inputs)


def alt_text_tokens(*texts: str) -> Tensor:
    """Alt texts as tokens, (B, T)."""
    rows = [torch.tensor(TOKENS.encode({"alt_text": text}).tokens) for text in texts]
    return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=TOKENS.pad)
