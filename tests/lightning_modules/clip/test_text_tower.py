import pytest
import torch
from pydantic import TypeAdapter
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel

from lightning_modules.clip.config import TextTower
from lightning_modules.clip.hub import rename_text_weights
from lightning_modules.clip.text_tower import TextEncoder
from tests.support.copied_weights import shake
from tests.support.kinds import KINDS

VOCABULARY, END = 30, 29
SHAPE = {"context_length": 10, "hidden_size": 16, "num_layers": 3, "num_heads": 4, "intermediate_size": 24}


def _tower(**changes: object) -> TextTower:
    return TypeAdapter(TextTower).validate_python(SHAPE | {"activation": "quick_gelu"} | changes)


def _theirs(tower: TextTower, vocabulary: int = VOCABULARY) -> CLIPTextModel:
    config = CLIPTextConfig(
        vocab_size=vocabulary,
        hidden_size=tower.hidden_size,
        intermediate_size=tower.intermediate_size,
        num_hidden_layers=tower.num_layers,
        num_attention_heads=tower.num_heads,
        max_position_embeddings=tower.context_length,
        hidden_act=tower.activation,
        eos_token_id=END,
        bos_token_id=None,
        pad_token_id=0,
    )
    return CLIPTextModel(config).eval()


@pytest.mark.parametrize("activation", ["quick_gelu", "gelu"])
def test_equals_transformers_clip_on_copied_weights(activation: str) -> None:
    theirs, ours = _theirs(_tower(activation=activation)), TextEncoder(_tower(activation=activation), VOCABULARY, END)
    shake(theirs)
    ours.load_state_dict(rename_text_weights(theirs.state_dict()))
    tokens = torch.randint(3, END, (5, 10), generator=torch.Generator().manual_seed(0))
    tokens[torch.arange(5), torch.tensor([9, 3, 1, 5, 5])] = END
    tokens[4, 7] = END  # a second one, which must not count
    expected, found = theirs(input_ids=tokens).pooler_output, ours(tokens)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
    direction = torch.randn(found.shape)
    (found * direction).sum().backward()
    (expected * direction).sum().backward()
    gradients = {name: parameter.grad for name, parameter in theirs.named_parameters() if parameter.grad is not None}
    renamed = rename_text_weights(gradients)
    for name, parameter in ours.named_parameters():
        torch.testing.assert_close(parameter.grad, renamed.pop(name), atol=1e-4, rtol=1e-4)
    assert not renamed


def _spread(module: nn.Module) -> dict[str, float]:
    return {name: parameter.std().item() for name, parameter in module.named_parameters() if parameter.ndim > 1}


def test_starts_as_transformers_clip_does() -> None:
    torch.manual_seed(0)
    tower = _tower(hidden_size=128, num_heads=4, intermediate_size=512, context_length=64)
    theirs, ours = _theirs(tower, vocabulary=500), TextEncoder(tower, 500, END)
    expected = _spread(theirs)
    found = _spread(ours)
    renamed = rename_text_weights({name: torch.tensor(value) for name, value in expected.items()})
    assert found == pytest.approx({name: value.item() for name, value in renamed.items()}, rel=0.03)
    for name, parameter in ours.named_parameters():
        if parameter.ndim == 1:
            start = torch.ones_like(parameter) if name.endswith("norm.weight") else torch.zeros_like(parameter)
            assert torch.equal(parameter, start)


@pytest.mark.parametrize("kind", KINDS)
def test_what_follows_the_end_changes_nothing(kind: dict) -> None:
    tower = TextEncoder(_tower(**kind), VOCABULARY, END)
    short, long = torch.tensor([[1, 5, 6, END]]), torch.tensor([[1, 5, 6, END, 0, 0, 9, END]])
    torch.testing.assert_close(tower(long), tower(short), atol=1e-5, rtol=1e-5)
    assert (tower(short) - tower(torch.tensor([[1, 6, 5, END]]))).abs().max() > 1e-4


@pytest.mark.parametrize("positions", ["sinusoidal", "rotary", "alibi"])
def test_fixed_positions_have_no_table_to_learn(positions: str) -> None:
    learned, fixed = TextEncoder(_tower(), VOCABULARY, END), TextEncoder(_tower(positions=positions), VOCABULARY, END)
    counts = [sum(parameter.numel() for parameter in tower.parameters()) for tower in (learned, fixed)]
    assert counts[0] - counts[1] == 10 * 16


def test_grouped_queries_have_fewer_keys_and_values() -> None:
    tower = TextEncoder(_tower(attention={"kind": "grouped_query", "num_key_value_heads": 1}), VOCABULARY, END)
    shapes = {name: tuple(parameter.shape) for name, parameter in tower.named_parameters()}
    for layer in range(3):
        assert shapes[f"decoder.layers.{layer}.attention.attention.key.weight"] == (4, 16)
        assert shapes[f"decoder.layers.{layer}.attention.attention.value.weight"] == (4, 16)


@pytest.mark.parametrize("kind", KINDS)
def test_a_text_does_not_depend_on_its_place_in_a_batch(kind: dict) -> None:
    tower = TextEncoder(_tower(**kind), VOCABULARY, END)
    texts = [[1, *range(3, 3 + length), END] for length in (7, 0, 3, 8, 1, 3, 5)]
    tokens = torch.tensor([[*text, *[0] * (10 - len(text))] for text in texts])
    alone = torch.cat([tower(torch.tensor([text])) for text in texts])
    torch.testing.assert_close(tower(tokens), alone, atol=1e-5, rtol=1e-5)
