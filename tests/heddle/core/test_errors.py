"""Exceptions of libraries about damaged, missing and full files become messages; others stay exceptions."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bm25s
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models

from heddle.content.lexicon import LEXICON_FILE, Lexicon
from heddle.core.errors import UserError, translate
from heddle.core.schemas import read_rows
from heddle.core.stage import read_json
from heddle.graph.features import PROJECTION_FILE, Projection
from heddle.retrieval.lexical.bm25 import BM25Index
from lightning_modules.training.files import read_tokenizer


def _message(function: Callable[[], Any]) -> str:
    with pytest.raises(Exception) as caught:  # noqa: PT011
        function()
    error = translate(caught.value)
    assert error is not None, caught.value
    assert "\n" not in str(error)
    return str(error)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    found = Path("data/index")
    found.mkdir(parents=True)
    return found


def test_user_error_is_returned_itself() -> None:
    error = UserError("params.yaml: scale: found 3")
    assert translate(error) is error


@pytest.mark.parametrize(
    "error",
    [KeyError("a"), ValueError("a"), RuntimeError("a"), OSError(5, "Input/output error"), BrokenPipeError(32, "")],
)
def test_unknown_exception_is_not_translated(error: Exception) -> None:
    assert translate(error) is None


def test_bad_cast_is_a_bug() -> None:
    with pytest.raises(pa.ArrowInvalid) as caught:
        pa.array(["a"]).cast(pa.int64())
    assert translate(caught.value) is None


def test_missing_file_outside_data_is_a_bug(folder: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        Path("templates/card.md").read_text()
    assert translate(caught.value) is None


READERS: dict[str, tuple[str, Callable[[Path], Any]]] = {
    "parquet": ("table.parquet", read_rows),
    "parquet of pyarrow": ("table.parquet", pq.read_table),
    "safetensors": (PROJECTION_FILE, lambda file: Projection.load(file.parent)),
    "JSON": ("metrics.json", read_json),
    "lexicon": (LEXICON_FILE, lambda file: Lexicon.from_folder(file.parent)),
    "tokenizer": ("tokenizer.json", read_tokenizer),
}


def _write_files(folder: Path) -> None:
    pq.write_table(pa.table({"id": [f"shop:{number}" for number in range(500)]}), folder / "table.parquet")
    save_file({"mean": np.zeros(3, np.float32), "components": np.zeros((3, 2), np.float32)}, folder / PROJECTION_FILE)
    (folder / "metrics.json").write_text(json.dumps({"recall": 0.5}))
    (folder / LEXICON_FILE).write_text(json.dumps({"phrases": {}}))
    Tokenizer(models.BPE()).save(str(folder / "tokenizer.json"))


@pytest.mark.parametrize("kind", READERS)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(share=0.0)
@given(share=st.floats(0, 0.999))
def test_cut_file_is_named_with_its_stage(folder: Path, kind: str, share: float) -> None:
    _write_files(folder)
    name, read = READERS[kind]
    file = folder / name
    content = file.read_bytes()
    file.write_bytes(content[: int(len(content) * share)])
    message = _message(lambda: read(file))
    assert message.startswith(f"data/index/{name}: cannot be read: ")
    assert message.endswith("`dvc checkout --force data/index`, or compute it again with `dvc repro index`")


@pytest.mark.parametrize("kind", [kind for kind in READERS if kind not in ("tokenizer", "parquet of pyarrow")])
def test_missing_file_in_data_is_named_with_its_stage(folder: Path, kind: str) -> None:
    name, read = READERS[kind]
    message = _message(lambda: read(folder / name))
    assert message.startswith(f"data/index/{name}: no such file; restore it with `dvc checkout --force data/index`")


@given(place=st.floats(0, 0.999), flipped=st.integers(1, 255))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_flipped_bits_of_parquet_are_read_or_translated(folder: Path, place: float, flipped: int) -> None:
    file = folder / "flipped.parquet"
    table = pa.table({"id": [f"shop:{number}" for number in range(500)]})
    pq.write_table(table, file, compression="zstd")
    content = bytearray(file.read_bytes())
    content[int(len(content) * place)] ^= flipped
    file.write_bytes(content)
    found = None
    try:
        read_rows(file)
    except Exception as error:  # noqa: BLE001
        found = str(translate(error))
    assert found is None or found.startswith("data/index/flipped.parquet: cannot be read: ")


def test_cut_bm25_index_is_named(folder: Path) -> None:
    index = bm25s.BM25()
    index.index([["oak", "chair"], ["glass", "jar"]], show_progress=False)
    index.save(folder / "bm25")
    for file in (folder / "bm25").glob("*.npy"):
        file.write_bytes(file.read_bytes()[:-4])
    assert _message(lambda: BM25Index.load(folder / "bm25")).startswith("data/index/bm25: cannot be read: ")


def _write_text(full: Path) -> None:
    full.write_text("a")


def _write_parquet(full: Path) -> None:
    with pa.OSFile(str(full), "wb") as file:
        pq.write_table(pa.table({"id": ["a"]}), file)


def _write_array(full: Path) -> None:
    with full.open("wb") as file:
        np.save(file, np.zeros(9))


def _write_database(_: Path) -> None:
    with sqlite3.connect(":memory:") as database:
        database.execute("pragma max_page_count = 1")
        database.execute("create table listings (id text)")


@pytest.mark.parametrize("write", [_write_text, _write_parquet, _write_array, _write_database])
def test_full_disk_is_named_with_remedy(folder: Path, write: Callable[[Path], None]) -> None:
    (folder / "full").symlink_to("/dev/full")  # a library that deletes a file after an error deletes the link
    assert ": no space left on this disk; free some space" in _message(lambda: write(folder / "full"))
    assert Path("/dev/full").is_char_device()


def test_errors_import_no_library() -> None:
    code = "import sys, heddle.core.errors; print(*sys.modules)"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "dvc", "pyarrow", "safetensors", "numpy", "rich"} & set(ended.stdout.split())
