import os
import shutil
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from assets.tokenizer.parameters import TokenizerParameters
from assets.tokenizer.stage import learn, tokenizer
from heddle.core.schemas import TABLES, write_table
from lightning_modules.tokenization.vocabulary import END, PAD, SPECIAL_TOKENS, START, make_framed_tokenizer
from tests.support.small_project import run, write_project

TEXTS = ["A red wooden chair", "a wooden chair, needs mending", "The chair: crème de la crème", "wooden wooden"] * 3
PARAMETERS = TokenizerParameters(vocab_size=320, min_frequency=2)
LEARNED = learn(TEXTS, PARAMETERS)


@given(text=st.text(max_size=60))
def test_any_text_comes_back_in_form_nfc(text: str) -> None:
    ids = LEARNED.encode(text, add_special_tokens=False).ids
    if not any(token in text for token in SPECIAL_TOKENS):
        assert LEARNED.decode(ids, skip_special_tokens=False) == unicodedata.normalize("NFC", text)


def test_special_tokens_come_first() -> None:
    assert [LEARNED.token_to_id(token) for token in SPECIAL_TOKENS] == [0, 1, 2, 3]
    assert LEARNED.get_vocab_size() <= 320
    assert LEARNED.token_to_id("Ġwooden") is not None


def test_the_order_of_the_texts_and_of_hashes_does_not_matter() -> None:
    program = (
        "import sys\n"
        "from assets.tokenizer.stage import learn\n"
        "from assets.tokenizer.parameters import TokenizerParameters\n"
        f"texts = {TEXTS[::-1]!r}\n"
        "sys.stdout.write(learn(texts, TokenizerParameters(vocab_size=320, min_frequency=2)).to_str())\n"
    )
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        told = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, check=True)
        assert told.stdout.decode() == LEARNED.to_str()


def test_rare_pairs_stay_apart() -> None:
    strict = learn(TEXTS, TokenizerParameters(vocab_size=320, min_frequency=100))
    assert strict.get_vocab_size() == 256 + len(SPECIAL_TOKENS)


def test_the_frame_lowers_cuts_and_pads() -> None:
    tokenizer = make_framed_tokenizer(LEARNED, context=6)
    start, end, pad = (tokenizer.token_to_id(token) for token in (START, END, PAD))
    short, long = tokenizer.encode_batch(["Chair", "a wooden chair, needs mending and more mending"])
    assert len(short.ids) == len(long.ids) == 6
    assert (short.ids[0], long.ids[0], long.ids[-1]) == (start, start, end)
    assert end in short.ids
    assert short.ids[-1] == pad
    assert tokenizer.encode("CHAIR").ids == tokenizer.encode("chair").ids
    again = Tokenizer.from_str(tokenizer.to_str())
    assert again.encode("Chair").ids == tokenizer.encode("Chair").ids
    assert LEARNED.encode("CHAIR").ids != LEARNED.encode("chair").ids


@pytest.mark.parametrize(("emptied", "texts"), [(["listings"], 4), (["guides", "listings"], 0)])
def test_it_learns_from_what_words_there_are_and_else_knows_bytes(
    tmp_path: Path, emptied: list[str], texts: int
) -> None:
    project = write_project(tmp_path / "project")
    shutil.rmtree(project / "data/tokenizer")
    for name in emptied:
        write_table(project / f"data/validated/{name}.parquet", [], TABLES[name])
    numbers = run(tokenizer, project)
    assert numbers["texts"] == texts
    assert ("bytes_per_token_train" in numbers) == bool(texts)
    learned = Tokenizer.from_file(str(project / "data/tokenizer/tokenizer.json"))
    assert learned.decode(learned.encode("木の椅子").ids) == "木の椅子"
    assert numbers["vocabulary"] == learned.get_vocab_size() >= 256 + len(SPECIAL_TOKENS)
