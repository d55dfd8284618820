"""The sentence encoder against plain transformers, and against what is known of the packaged weights."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from lightning_modules.sentence_encoder.sentence_encoder import PACKAGED, SentenceEncoder
from tests.support.tiny_bert import CONTEXT
from tests.support.tiny_sentences import write_sentence_encoder

TEXTS = ["the old oak chair", "wax", "paint the table", "", "sand the chair sand the table sand the old oak"]


@pytest.fixture(scope="module")
def packaged() -> SentenceEncoder:
    return SentenceEncoder.from_pretrained(PACKAGED, threads=1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sentence_encoder(tmp_path_factory.mktemp("sentences") / "mean")


def by_transformers(folder: Path, text: str, pooling: str) -> np.ndarray:
    """One text at a time, so without padding."""
    model, tokenizer = AutoModel.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    with torch.inference_mode():
        states = model(**tokenizer(text, return_tensors="pt", truncation=True, max_length=CONTEXT)).last_hidden_state[0]
    pooled = {"mean": states.mean(0), "cls": states[0], "max": states.max(0).values}[pooling]
    return torch.nn.functional.normalize(pooled, dim=0).numpy()


@pytest.mark.parametrize("pooling", ["mean", "cls", "max"])
def test_documents_are_pooled_states_of_unit_length(tmp_path: Path, pooling: str) -> None:
    encoder = SentenceEncoder.from_pretrained(str(write_sentence_encoder(tmp_path / "encoder", pooling)), threads=1)
    expected = [by_transformers(tmp_path / "encoder_bert", text, pooling) for text in TEXTS]
    np.testing.assert_allclose(encoder.documents(TEXTS), expected, atol=1e-6)
    assert encoder.dimensions == 16


def test_from_pretrained_plain_checkpoint_uses_mean_pooling(folder: Path) -> None:
    bert = folder.with_name("mean_bert")
    plain = SentenceEncoder.from_pretrained(str(bert), threads=1)
    np.testing.assert_allclose(
        plain.documents(TEXTS), [by_transformers(bert, text, "mean") for text in TEXTS], atol=1e-6
    )


def test_query_instruction_changes_queries_only(folder: Path) -> None:
    told = SentenceEncoder.from_pretrained(str(folder), 1, "sand the old ")
    plain = SentenceEncoder.from_pretrained(str(folder), 1)
    np.testing.assert_array_equal(told.queries(["chair"]), plain.documents(["sand the old chair"]))
    np.testing.assert_array_equal(told.documents(["chair"]), plain.documents(["chair"]))
    np.testing.assert_array_equal(plain.queries(["chair"]), plain.documents(["chair"]))


def test_query_instruction_replaces_that_of_folder(tmp_path: Path) -> None:
    path = str(write_sentence_encoder(tmp_path / "encoder", prompts={"query": "wax "}))
    plain = SentenceEncoder.from_pretrained(path, 1)
    np.testing.assert_array_equal(plain.queries(["chair"]), plain.documents(["wax chair"]))
    told = SentenceEncoder.from_pretrained(path, 1, "sand the ")
    np.testing.assert_array_equal(told.queries(["chair"]), plain.documents(["sand the chair"]))


def test_count_truncated_counts_long_documents(folder: Path) -> None:
    encoder = SentenceEncoder.from_pretrained(str(folder), 1)
    assert encoder.context == CONTEXT
    fits, longer = " ".join(["oak"] * (CONTEXT - 2)), " ".join(["oak"] * (CONTEXT - 2) + ["wax"] * 10_000)
    assert encoder.count_truncated([fits, longer, "oak", longer]) == 2
    assert encoder.count_truncated([]) == 0
    np.testing.assert_allclose(*encoder.documents([fits, longer]), atol=1e-6)


def test_documents_without_texts_are_empty(folder: Path) -> None:
    assert SentenceEncoder.from_pretrained(str(folder), 1).documents([]).shape == (0, 16)


@pytest.mark.parametrize("name", ["no_such_folder", "nobody/no-such-encoder", "nobody/no-such-encoder@v1"])
def test_from_pretrained_missing_encoder_is_refused(name: str) -> None:
    with pytest.raises(OSError):  # noqa: PT011, the hub's own words
        SentenceEncoder.from_pretrained(name, 1)


def test_from_pretrained_folder_without_encoder_is_refused(tmp_path: Path) -> None:
    with pytest.raises((OSError, ValueError)):
        SentenceEncoder.from_pretrained(str(tmp_path), 1)


def test_packaged_encoder_ranks_english_texts(packaged: SentenceEncoder) -> None:
    assert (packaged.dimensions, packaged.context) == (384, 256)
    guides = packaged.documents(["Mending a wobbly wooden chair with glue", "Which bin takes empty glass bottles?"])
    np.testing.assert_allclose(np.linalg.norm(guides, axis=1), 1, atol=1e-6)
    asked = packaged.queries(["my stool is broken, how do I repair it", "where do I throw away a jar"])
    assert (asked @ guides.T).argmax(axis=1).tolist() == [0, 1]


def test_packaged_encoder_distinguishes_other_scripts(packaged: SentenceEncoder) -> None:
    vectors = packaged.documents(["стул из дуба", "木の椅子", "كرسي"])
    assert np.isfinite(vectors).all()
    assert (vectors @ vectors.T)[~np.eye(3, dtype=bool)].max() < 0.99


@pytest.mark.slow
def test_documents_other_process_gives_equal_bytes(folder: Path, tmp_path: Path) -> None:
    program = (
        "import sys, numpy; from lightning_modules.sentence_encoder.sentence_encoder import SentenceEncoder; "
        f"encoder = SentenceEncoder.from_pretrained({str(folder)!r}, 1); "
        f"numpy.save(sys.argv[1], encoder.documents({TEXTS * 30!r}))"
    )
    subprocess.run([sys.executable, "-c", program, tmp_path / "other.npy"], check=True, cwd=Path(__file__).parents[3])
    np.testing.assert_array_equal(
        np.load(tmp_path / "other.npy"), SentenceEncoder.from_pretrained(str(folder), 1).documents(TEXTS * 30)
    )
