from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import BertModel, BertTokenizerFast

from lightning_modules.sentence_encoder.token_encoder import TokenEncoder
from tests.support.tiny_bert import CONTEXT, WORDS, write_bert

TEXTS = ["sand the old chair", "wax", "", "paint the table the old oak table"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_bert(tmp_path_factory.mktemp("encoder") / "bert")


@pytest.mark.parametrize("layer", [0, 1, 2, -1])
def test_tokens_are_hidden_states_of_unit_length(folder: Path, layer: int) -> None:
    network, tokenizer = BertModel.from_pretrained(folder).eval(), BertTokenizerFast.from_pretrained(folder)
    found = TokenEncoder.from_pretrained(folder)(TEXTS, layer)
    for text, tokens in zip(TEXTS, found, strict=True):
        with torch.no_grad():
            states = network(**tokenizer(text, return_tensors="pt"), output_hidden_states=True).hidden_states
        inside = states[layer][0, 1:-1].numpy()  # [CLS] and [SEP] do not count
        assert tokens.ids == [5 + WORDS.index(word) for word in text.split()]
        np.testing.assert_allclose(
            tokens.vectors, inside / np.linalg.norm(inside, axis=1, keepdims=True), rtol=0, atol=1e-5
        )


def test_tokens_do_not_depend_on_batch_size(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = TokenEncoder.from_pretrained(folder)
    whole = encoder(TEXTS, -1)
    monkeypatch.setattr("lightning_modules.sentence_encoder.token_encoder.BATCH", 3)
    for one, other in zip(whole, encoder(TEXTS, -1), strict=True):
        assert one.ids == other.ids
        np.testing.assert_allclose(one.vectors, other.vectors, rtol=0, atol=1e-5)


def test_tokens_long_text_is_truncated(folder: Path) -> None:
    (tokens,) = TokenEncoder.from_pretrained(folder)(["chair " * 100], -1)
    assert len(tokens.ids) == CONTEXT - 2


def test_tokens_missing_layer_is_refused(folder: Path) -> None:
    with pytest.raises(IndexError):
        TokenEncoder.from_pretrained(folder)(["chair"], 3)


def test_from_pretrained_empty_folder_does_not_use_hub(tmp_path: Path) -> None:
    for missing in (tmp_path, Path("bert-base-uncased")):
        with pytest.raises(FileNotFoundError, match="no checkpoint"):
            TokenEncoder.from_pretrained(missing)
