from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import TypeAdapter, ValidationError
from torch import Tensor

from assets.writer.train.parameters import WriterParameters
from heddle.core.parameters.section import read_yaml
from lightning_modules.image.config import HALF, VitTower
from lightning_modules.writer.config import WriterConfig
from lightning_modules.writer.samples import Inputs, WriterInputs
from lightning_modules.writer.writer import Writer
from tests.support.tiny_writer import (
    SHAPE,
    STACK,
    TOKENS,
    alt_text_tokens,
    tiny_batch,
    tiny_config,
    tiny_inputs,
    tiny_writer,
)

ROOT = Path(__file__).parents[3]
TEXTS = ("a red chair with a blue jar", "a blue jar on top of a box", "green box")
SETTINGS: dict[str, dict[str, Any]] = {
    "as it is": {},
    "no scene": {"scene": None},
    "no convolutions": {"scene": SHAPE["scene"] | {"num_layers": 0}},
    "no relation tokens": {"scene": SHAPE["scene"] | {"relation_tokens": False}},
    "no cross-modal attention": {"cross_modal": None},
    "no fusion": {"fusion": {"early": False, "mid": False, "late": False, "dropout": 0.0}},
    "grouped-query": {"decoder": STACK | {"attention": {"kind": "grouped_query", "num_key_value_heads": 2}}},
    "alibi": {"decoder": STACK | {"positions": "alibi"}, "text": STACK | {"positions": "learned"}},
    "sinusoidal": {"decoder": STACK | {"positions": "sinusoidal"}},
    "gradient_checkpointing": {"gradient_checkpointing": True},
    "vit": {
        "image": VitTower(
            kind="vit",
            patch_size=8,
            hidden_size=16,
            num_layers=1,
            num_heads=2,
            intermediate_size=16,
            activation="gelu",
            dropout=0.0,
        )
    },
}


def _logits(network: Writer, inputs: WriterInputs, tokens: Tensor) -> Tensor:
    with torch.no_grad():
        return network(inputs, tokens)


@pytest.mark.parametrize("changes", SETTINGS.values(), ids=SETTINGS)
def test_each_setting_runs_learns_and_is_saved(changes: dict[str, Any], tmp_path: Path) -> None:
    network = tiny_writer(**changes)
    inputs, tokens = (
        tiny_batch(tiny_inputs(0), tiny_inputs(1, 3), Inputs(tiny_inputs(2).image)),
        alt_text_tokens(*TEXTS),
    )
    logits = network.train()(inputs, tokens)
    assert logits.shape == (*tokens.shape, TOKENS.size)
    assert logits.isfinite().all()
    logits.logsumexp(dim=-1).sum().backward()
    lazy = {name for name, parameter in network.named_parameters() if parameter.grad is None}
    heads = ("wrong_head", "quality_head", "image_projection", "text", "text_projection", "log_scale")
    assert {name.split(".")[0] for name in lazy} <= set(heads)  # what writing does not need
    network.eval().save_pretrained(tmp_path)
    again = Writer.from_pretrained(tmp_path)
    assert again.config == network.config
    assert torch.equal(_logits(again, inputs, tokens), _logits(network, inputs, tokens))


def test_a_listing_of_a_batch_is_as_it_is_alone() -> None:
    network, tokens = tiny_writer(), alt_text_tokens(*TEXTS)
    known = [tiny_inputs(0, objects=4), Inputs(tiny_inputs(1).image), tiny_inputs(2, objects=1, context=None)]
    batch = _logits(network, tiny_batch(*known), tokens)
    for row, one in enumerate(known):
        alone = alt_text_tokens(TEXTS[row])
        expected = _logits(network, tiny_batch(one), alone)
        torch.testing.assert_close(batch[row : row + 1, : alone.shape[1]], expected, atol=1e-5, rtol=1e-5)


def test_objects_in_another_order_change_nothing() -> None:
    network, tokens, known = tiny_writer(), alt_text_tokens(TEXTS[0]), tiny_inputs(0, objects=4)
    order = [2, 0, 3, 1]
    place = {old: new for new, old in enumerate(order)}
    moved = replace(
        known,
        objects=[known.objects[old] for old in order],
        relations=[(place[subject], predicate, place[target]) for subject, predicate, target in known.relations][::-1],
    )
    one, other = (_logits(network, tiny_batch(inputs), tokens) for inputs in (known, moved))
    torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)


def test_what_is_masked_is_not_looked_at() -> None:
    network, tokens = tiny_writer(), alt_text_tokens(*TEXTS[:2])
    inputs = tiny_batch(tiny_inputs(0, objects=4), Inputs(tiny_inputs(1).image))
    scene = inputs.scene
    junk = replace(
        scene,
        labels=torch.where(scene.objects_present[..., None], scene.labels, TOKENS.pad + 7),
        attributes=torch.where(scene.objects_present[..., None], scene.attributes, TOKENS.pad + 8),
        boxes=torch.where(scene.objects_present[..., None], scene.boxes, torch.tensor([0.1, 0.2, 0.9, 0.7])),
        predicates=torch.where(scene.relations_present[..., None], scene.predicates, TOKENS.pad + 9),
        ends=torch.where(scene.relations_present[..., None], scene.ends, torch.tensor([3, 1])),
    )
    assert not torch.equal(junk.labels, scene.labels)
    one, other = (_logits(network, replace(inputs, scene=part), tokens) for part in (scene, junk))
    assert torch.equal(one, other)


@pytest.mark.parametrize("part", ["objects", "relations", "context", "facts", "image", "one fact"])
def test_everything_that_is_known_matters(part: str) -> None:
    network, tokens, known = tiny_writer(), alt_text_tokens(TEXTS[0]), tiny_inputs(0)
    assert known.facts is not None
    changes: dict[str, dict[str, Any]] = {
        "objects": {"objects": [*known.objects[:1], replace(known.objects[1], label="box")]},
        "relations": {"relations": [(1, "on top of", 0)]},
        "context": {"context": "locale en-US"},
        "facts": {"facts": None},
        "image": {"image": 255 - known.image},
        "one fact": {"facts": (float("nan"), *known.facts[1:])},
    }
    one, other = (_logits(network, tiny_batch(inputs), tokens) for inputs in (known, replace(known, **changes[part])))
    assert (one - other).abs().max() > 1e-4


@pytest.mark.parametrize("positions", ["rotary", "alibi", "sinusoidal"])
def test_with_a_cache_the_states_are_the_same(positions: str) -> None:
    network = tiny_writer(decoder=STACK | {"positions": positions})
    tokens = alt_text_tokens(*TEXTS)
    inputs = tiny_batch(tiny_inputs(0), tiny_inputs(1, 3), Inputs(tiny_inputs(2).image))
    with torch.no_grad():
        whole = network(inputs, tokens)
        decoding = network.begin(network.encode_memory(network.encode_image(inputs.pixels), inputs))
        steps = [decoding.next_logits(tokens[:, place : place + 1]) for place in range(tokens.shape[1])]
    torch.testing.assert_close(torch.stack(steps, dim=1), whole, atol=1e-5, rtol=1e-5)


def test_the_documents_sizes() -> None:
    section = read_yaml(ROOT / "params.yaml").get("writer", {}) | read_yaml(ROOT / "scales/seed.yaml")["writer"]
    parameters = WriterParameters.model_validate(section)
    tower = read_yaml(ROOT / "scales/seed.yaml")["vision"]["image"]
    shape = {name: getattr(parameters.network, name) for name in vars(parameters.network) if not name.startswith("_")}
    config = TypeAdapter(WriterConfig).validate_python(
        shape
        | {"image": tower, "image_size": 224, "resize_mode": "pad", "image_mean": HALF, "image_std": HALF}
        | {"vocab_size": 49_408 + 14, "pad_token": 0}
    )
    with torch.device("meta"):
        network = Writer(config)
    size = {name: sum(weight.numel() for weight in part.parameters()) for name, part in network.named_children()}
    assert size["image"] == pytest.approx(86_400_000, rel=0.01)  # R3; of it 0.6 M are a pooler that ours leaves out
    assert size["embedding"] + size["decoder"] == pytest.approx(365_000_000, abs=15_000_000)  # R7
    decoder = config.decoder
    assert (decoder.num_layers, decoder.hidden_size, decoder.num_heads, decoder.context_length) == (24, 1024, 16, 4096)
    assert config.scene is not None
    assert (config.scene.node_dim, config.scene.edge_dim, config.scene.num_layers) == (512, 128, 3)  # R4
    assert config.cross_modal is not None
    assert config.cross_modal.num_heads == 8  # R5
    assert (config.text.num_layers, config.text.context_length, config.projection_dim) == (12, 77, 512)  # R6
    assert (network.image.side, network.image.map_width) == (14, 768)


def test_a_shape_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"decoder\.positions"):
        tiny_config(decoder=STACK | {"positions": "learned"})
    with pytest.raises(ValidationError, match=r"text\.hidden_size"):
        tiny_config(text=STACK | {"hidden_size": 8})
    with pytest.raises(ValidationError, match=r"cross_modal\.num_heads"):
        tiny_config(cross_modal={"num_heads": 5})


def test_an_unlikely_word_speaks_in_its_own_field_only() -> None:
    network = tiny_writer()
    rows = [torch.tensor(TOKENS.encode({"alt_text": "a red jar", "title": "a box", "tags": ["red"]}).tokens)] * 2
    tokens = torch.stack(rows)
    ends = tokens == TOKENS.end
    likelihoods = torch.full(tokens.shape, -0.5)
    place = int(ends[1].nonzero()[1]) - 1  # the last word of the second field, in the second row
    likelihoods[1, place] = -9.0
    with torch.no_grad():
        found = network.error_logits(torch.zeros(*tokens.shape, 16), ends, likelihoods).view(2, 3)
    assert torch.equal(found[0], found[1]) is False
    assert (found[0] == found[1]).tolist() == [True, False, True]
    width = network.wrong_head.in_features - 2
    start = int(ends[1].nonzero()[0]) + 1
    told = likelihoods[1, start : place + 2]
    least, mean = network.wrong_head.weight[0, width:]
    expected = least * told.min() + mean * told.mean() + network.wrong_head.bias[0]
    torch.testing.assert_close(found[1, 1], expected)


def test_words_are_the_mean_of_their_tokens() -> None:
    network = tiny_writer()
    ids = torch.tensor([[5, 9, TOKENS.pad], [TOKENS.pad] * 3])
    found = network.embed_words(ids)
    torch.testing.assert_close(found[0], (network.embedding(ids)[0, :2]).mean(dim=0))
    assert not found[1].any()
