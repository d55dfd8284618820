"""The cross-encoder: what other libraries make of its folder, and what it starts from."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from sentence_transformers import CrossEncoder as TheirCrossEncoder
from transformers import AutoModelForSequenceClassification, AutoTokenizer, BertModel

from lightning_modules.reranker.cross_encoder import CrossEncoder, load_classifier, load_pair_tokenizer
from lightning_modules.reranker.reranker import Reranker
from lightning_modules.sentence_encoder.sentence_encoder import PACKAGED
from tests.support.tiny_bert import CONTEXT, write_bert
from tests.support.tiny_reranker import write_reranker

QUERY = "paint the old oak"
TEXTS = ["sand the old oak table", "", "wax", "chair " * 50, "стул из дуба", "木の椅子 كرسي", "the oak, the wax"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_reranker(tmp_path_factory.mktemp("cross_encoder") / "reranker")


@pytest.fixture(scope="module")
def reranker(folder: Path) -> Reranker:
    return Reranker.from_pretrained(folder, threads=1)


def by_transformers(folder: Path, query: str, text: str) -> float:
    """One pair, without padding, in double precision."""
    model = AutoModelForSequenceClassification.from_pretrained(folder).double()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    with torch.inference_mode():
        pair = tokenizer([query], [text], return_tensors="pt", truncation=True, max_length=CONTEXT)
        return model(**pair).logits[0, 0].sigmoid().item()


def test_scores_equal_transformers_and_sentence_transformers(folder: Path, reranker: Reranker) -> None:
    exact = Reranker.from_pretrained(folder, threads=1)
    exact.network.double()  # single precision adds up otherwise on each kind of processor, and in each batch
    for query in (QUERY, "wax " * 10_000, "дуб"):
        ours = exact.scores(query, TEXTS)
        assert ours.dtype == np.float32
        np.testing.assert_allclose(ours, [by_transformers(folder, query, text) for text in TEXTS], atol=1e-7)
        theirs = TheirCrossEncoder(str(folder), device="cpu").predict([(query, text) for text in TEXTS])
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
        np.testing.assert_allclose(reranker.scores(query, TEXTS), ours, atol=1e-5)
    assert np.ptp(reranker.scores(QUERY, TEXTS)) > 0.1


def test_gradients_equal_transformers(folder: Path) -> None:
    theirs = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    network = CrossEncoder.from_pretrained(folder)
    tokens = {
        "input_ids": torch.tensor([[2, 5, 3, 6, 3], [2, 7, 3, 0, 0]]),
        "attention_mask": torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]]),
    }
    theirs(**tokens).logits.square().sum().backward()
    network(tokens).square().sum().backward()
    for (name, parameter), other in zip(network.model.named_parameters(), theirs.parameters(), strict=True):
        if network.is_learned(f"model.{name}"):
            torch.testing.assert_close(parameter.grad, other.grad, atol=1e-5, rtol=1e-4)


def test_scores_do_not_depend_on_other_texts(reranker: Reranker) -> None:
    many = TEXTS * 20
    alone = [reranker.scores(QUERY, [text])[0] for text in TEXTS]
    np.testing.assert_allclose(reranker.scores(QUERY, many), alone * 20, atol=1e-5)
    np.testing.assert_allclose(reranker.scores(QUERY, many[::-1]), (alone * 20)[::-1], atol=1e-5)


def test_scores_long_guide_is_truncated(reranker: Reranker) -> None:
    room = CONTEXT - 3 - len(QUERY.split())
    fits, longer = " ".join(["oak"] * room), " ".join(["oak"] * room + ["wax"] * 10_000)
    np.testing.assert_allclose(*reranker.scores(QUERY, [fits, longer]), atol=1e-6)
    other = " ".join(["oak"] * (room - 1) + ["wax"])
    assert abs(np.subtract(*reranker.scores(QUERY, [fits, other]))) > 1e-4


def test_scores_without_texts_are_empty(reranker: Reranker) -> None:
    scores = reranker.scores(QUERY, [])
    assert (scores.shape, scores.dtype) == ((0,), np.float32)


def test_scores_equal_input_gives_equal_bytes(folder: Path, reranker: Reranker) -> None:
    again = Reranker.from_pretrained(folder, threads=1)
    np.testing.assert_array_equal(again.scores(QUERY, TEXTS * 20), reranker.scores(QUERY, TEXTS * 20))


def test_save_pretrained_writes_no_local_path(folder: Path) -> None:
    for name in ("config.json", "tokenizer_config.json"):
        assert str(folder.parent) not in (folder / name).read_text()
    assert json.loads((folder / "tokenizer_config.json").read_text())["model_max_length"] == CONTEXT


def test_load_classifier_keeps_first_layers(tmp_path: Path) -> None:
    bert = write_bert(tmp_path / "bert")
    whole = BertModel.from_pretrained(bert).state_dict()
    kept = load_classifier(str(bert), 1, 0.0).bert.state_dict()
    assert {name for name in whole if name not in kept} == {name for name in whole if ".layer.1." in name}
    assert all(torch.equal(value, whole[name]) for name, value in kept.items())


def test_load_classifier_packaged_encoder(tmp_path: Path) -> None:
    model = load_classifier(PACKAGED, 1, 0.0)
    assert (model.config.num_labels, model.config.num_hidden_layers, model.classifier.out_features) == (1, 1, 1)
    assert load_pair_tokenizer(PACKAGED, 40)("chair", "table")["token_type_ids"] == [0, 0, 0, 1, 1]


def test_training_keeps_word_embeddings(folder: Path) -> None:
    network = CrossEncoder.from_pretrained(folder).train()
    network({"input_ids": torch.tensor([[2, 5, 3, 6, 3]]), "attention_mask": torch.ones(1, 5)}).sum().backward()
    fixed = {name for name, value in network.named_parameters() if not network.is_learned(name)}
    assert fixed == {"model.bert.embeddings.word_embeddings.weight"}
    assert {name for name, value in network.named_parameters() if value.grad is None} == fixed


def test_calibrate_scales_and_shifts_logits(folder: Path) -> None:
    network = CrossEncoder.from_pretrained(folder)
    tokens = {"input_ids": torch.tensor([[2, 5, 3, 6, 3], [2, 7, 3, 8, 3]]), "attention_mask": torch.ones(2, 5)}
    with torch.inference_mode():
        before = network(tokens)
        network.calibrate(0.5, -2.0)
        torch.testing.assert_close(network(tokens), 0.5 * before - 2.0)


def test_load_invalid_checkpoints_are_refused(tmp_path: Path) -> None:
    bert = str(write_bert(tmp_path / "bert"))
    with pytest.raises(ValueError, match="it has 2 layers, fewer than 3"):
        load_classifier(bert, 3, 0.0)
    with pytest.raises(ValueError, match=f"it reads {CONTEXT} tokens, fewer than 99"):
        load_pair_tokenizer(bert, 99)
    with pytest.raises(OSError):  # noqa: PT011, the hub's own words
        load_classifier("nobody/no-such-encoder", None, 0.0)
    two = AutoModelForSequenceClassification.from_pretrained(bert, num_labels=2)
    two.save_pretrained(tmp_path / "two")
    with pytest.raises(ValueError, match="found a classifier with 2 labels, a reranker has 1"):
        CrossEncoder.from_pretrained(tmp_path / "two")
