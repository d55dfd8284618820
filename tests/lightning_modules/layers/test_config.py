import pytest
from pydantic import TypeAdapter, ValidationError

from lightning_modules.layers.config import EncoderDecoderConfig, GroupedQuery, TransformerConfig

SHAPE = {
    "context_length": 8,
    "hidden_size": 12,
    "num_layers": 1,
    "num_heads": 4,
    "intermediate_size": 24,
    "activation": "relu",
}


def _read(**changes: object) -> TransformerConfig:
    return TypeAdapter(TransformerConfig).validate_python(SHAPE | changes)


def test_says_how_many_heads_have_keys_and_values() -> None:
    assert _read().num_key_value_heads == 4
    grouped = _read(attention={"kind": "grouped_query", "num_key_value_heads": 2})
    assert grouped.attention == GroupedQuery(kind="grouped_query", num_key_value_heads=2)
    assert grouped.num_key_value_heads == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_heads": 5}, "num_heads 5 must divide hidden_size 12"),
        (
            {"attention": {"kind": "grouped_query", "num_key_value_heads": 3}},
            "num_key_value_heads 3 must divide num_heads 4",
        ),
        ({"positions": "rotary"}, "rotary positions need an even width of each head, found 3"),
        (
            {"hidden_size": 9, "num_heads": 3, "positions": "sinusoidal"},
            "sinusoidal positions need an even width, found 9",
        ),
        ({"positions": "relative"}, "positions"),
        ({"attention": {"kind": "additive"}}, "attention"),
        ({"activation": "swish"}, "activation"),
        ({"dropout": 1.0}, "dropout"),
    ],
)
def test_what_does_not_fit_is_refused(changes: dict, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        _read(**changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"encoder": SHAPE | {"hidden_size": 8}}, r"encoder.hidden_size 8 and decoder.hidden_size 12 must be equal"),
        ({"share_embeddings": True}, "source_vocab_size 9 and target_vocab_size 8 must be equal"),
    ],
)
def test_halves_that_do_not_fit_are_refused(changes: dict, message: str) -> None:
    tokens = {"source_vocab_size": 9, "target_vocab_size": 8, "pad_token": 0, "start_token": 1, "end_token": 2}
    halves = {"encoder": SHAPE, "decoder": SHAPE}
    with pytest.raises(ValidationError, match=message):
        TypeAdapter(EncoderDecoderConfig).validate_python(halves | tokens | changes)
