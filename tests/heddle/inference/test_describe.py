"""Describe: a folder stopped anywhere and taken up again is as one that was not."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heddle.content.schema import problems
from heddle.core.skipped import write_skipped
from heddle.description.describer import Describer
from heddle.description.resumable_jsonl import ResumableJsonlError, ResumableJsonlWriter
from heddle.description.user_inputs import UserContext, UserInputs, UserObject, UserScene
from heddle.inference.describe import (
    BATCH,
    DescribeError,
    Tally,
    check_image,
    describe,
    describe_folder,
    find_images,
    open_describer,
)
from tests.support.echo_writer import describer, image, write_images

COUNT = 2 * BATCH + 3


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_images(tmp_path_factory.mktemp("describe") / "images", COUNT)


@pytest.fixture(scope="module")
def undisturbed(folder: Path) -> bytes:
    return _run(folder, folder.parent / "undisturbed.jsonl", describer())


def _run(folder: Path, output: Path, made_by: Describer, inputs: UserInputs = UserInputs()) -> bytes:  # noqa: B008  frozen
    tally = None
    for tally in describe_folder(folder, find_images(folder), inputs, made_by, output):
        assert tally.done <= tally.total
    assert tally is not None
    assert tally.done == tally.total
    return output.read_bytes()


def _lines(content: bytes) -> dict[str, dict[str, Any]]:
    lines = [json.loads(line) for line in content.splitlines()]
    assert len({line["path"] for line in lines}) == len(lines)
    return {line["path"]: line for line in lines}


def test_every_image_has_a_line_and_a_broken_one_its_reason(folder: Path, undisturbed: bytes) -> None:
    lines = _lines(undisturbed)
    assert list(lines) == sorted(lines) == find_images(folder)
    assert len(lines) == COUNT + 1
    assert {"04.png", ".hidden.png", "notes.txt"}.isdisjoint(lines)
    assert "more/04.png" in lines
    broken = lines.pop("broken.jpg")
    assert broken["error"].startswith("not a readable image: ")
    assert "content" not in broken
    for line in lines.values():
        assert problems(line["content"]) == []
        assert line["scores"]["errors"] == ["excerpt", "content"]


def test_together_is_as_one_at_a_time(folder: Path, undisturbed: bytes) -> None:
    for seed in (None, 3):
        many = _lines(_run(folder, folder.parent / f"seed-{seed}.jsonl", describer(seed=seed)))
        alone = describer(seed=seed)
        for name in list(many)[::7]:
            (line,) = alone.describe([alone.read(folder / name, name, UserInputs())])
            assert line == many[name]
    plain = _lines(undisturbed)
    assert any(line["content"] != plain[name]["content"] for name, line in many.items() if "content" in line)


@pytest.mark.parametrize("patience", [0, 1, 2])
def test_interrupted_it_keeps_what_is_done_and_goes_on(
    folder: Path, undisturbed: bytes, tmp_path: Path, patience: int
) -> None:
    output = tmp_path / "lines.jsonl"
    with pytest.raises(KeyboardInterrupt):
        _run(folder, output, describer(patience))
    written = _lines(output.read_bytes())
    assert len(written) == patience * BATCH
    again = describer()
    assert _run(folder, output, again) == undisturbed
    assert sum(again.writer.batches) == COUNT - sum("content" in line for line in written.values())  # type: ignore[attr-defined]


@given(share=st.floats(0, 1))
@settings(max_examples=25, deadline=None)
def test_killed_at_any_byte_it_goes_on_as_if_nothing_had_been(
    folder: Path, undisturbed: bytes, tmp_path_factory: pytest.TempPathFactory, share: float
) -> None:
    output = tmp_path_factory.mktemp("killed") / "lines.jsonl"
    output.write_bytes(undisturbed[: round(share * len(undisturbed))])
    assert _run(folder, output, describer()) == undisturbed


KILLED = """
import os, signal, sys
from pathlib import Path
from tests.support.echo_writer import EchoWriter, describer
from heddle.inference.describe import describe_folder, find_images
from heddle.description.user_inputs import UserInputs

made_by = describer()
write = EchoWriter.write
EchoWriter.write = lambda self, *args: os.kill(os.getpid(), signal.SIGKILL) if self.batches else write(self, *args)
folder, output = map(Path, sys.argv[1:])
list(describe_folder(folder, find_images(folder), UserInputs(), made_by, output))
"""


@pytest.mark.slow
def test_killed_in_the_second_batch_the_first_is_kept(folder: Path, undisturbed: bytes, tmp_path: Path) -> None:
    output = tmp_path / "lines.jsonl"
    paths = str(Path(__file__).parents[3])
    command = [sys.executable, "-c", KILLED, str(folder), str(output)]
    ended = subprocess.run(command, env=os.environ | {"PYTHONPATH": paths}, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert len(_lines(output.read_bytes())) == BATCH
    assert _run(folder, output, describer()) == undisturbed


def test_describe_again_describes_only_changed_images(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "images", 6)
    output = tmp_path / "lines.jsonl"
    first = _run(folder, output, describer())
    again = describer()
    assert _run(folder, output, again) == first
    assert again.writer.batches == []  # type: ignore[attr-defined]
    (folder / "02.png").write_bytes(image(99))
    (folder / "03.png").unlink()
    scene = {"00.png": UserScene(objects=(UserObject(label="lamp"),))}
    again = describer()
    second = _lines(_run(folder, output, again, UserInputs(None, scene)))
    assert again.writer.batches == [2]  # type: ignore[attr-defined]
    assert second.keys() == _lines(first).keys()  # what was written of an image that is gone is nobody's to delete
    assert {name for name, line in _lines(first).items() if line != second[name]} == {"00.png", "02.png"}
    assert "lamp" in second["00.png"]["content"]["title"]


def test_describe_changed_context_seed_or_model_runs_again(tmp_path: Path) -> None:
    (tmp_path / "one.png").write_bytes(image(1))
    inputs = UserInputs(UserContext(locale="de-DE"))
    asked = [
        one.read(tmp_path / "one.png", "one.png", words).header["request"]
        for one, words in (
            (describer(), UserInputs()),
            (describer(), inputs),
            (describer(seed=1), UserInputs()),
            (describer(seed=2), UserInputs()),
            (Describer(describer().writer, describer().scorer, models_hash="others"), UserInputs()),
        )
    ]
    assert len(set(asked)) == len(asked)


def test_an_image_that_cannot_be_opened_is_tried_again(tmp_path: Path) -> None:
    (tmp_path / "one.png").symlink_to(tmp_path / "nowhere.png")
    lines = _lines(_run(tmp_path, tmp_path / "lines.jsonl", describer()))
    assert lines["one.png"]["sha256"] is None
    assert lines["one.png"]["error"] == "No such file or directory"
    (tmp_path / "nowhere.png").write_bytes(image(1))
    assert "content" in _lines(_run(tmp_path, tmp_path / "lines.jsonl", describer()))["one.png"]


@pytest.mark.parametrize(
    "content", [b'{"a": 1}', b"{\n}\n", b"[1]\n", b"words", b'{"path": "a"}\n', b"\xff\n", b"[" * 99999]
)
def test_a_file_of_somebody_else_s_stays_as_it_is(folder: Path, tmp_path: Path, content: bytes) -> None:
    output = tmp_path / "settings.json"
    output.write_bytes(content)
    with pytest.raises(
        ResumableJsonlError, match=r"settings\.json: line 1 was not written by `heddle describe`.*--output"
    ):
        _run(folder, output, describer())
    assert output.read_bytes() == content


def test_one_process_at_a_time_writes_a_file(folder: Path, tmp_path: Path) -> None:
    with (
        ResumableJsonlWriter(tmp_path / "lines.jsonl"),
        pytest.raises(ResumableJsonlError, match="being written by another process"),
    ):
        _run(folder, tmp_path / "lines.jsonl", describer())
    with pytest.raises(ResumableJsonlError, match=r"No such file.*--output"):
        _run(folder, tmp_path / "nowhere" / "lines.jsonl", describer())


def test_a_name_that_is_no_utf_8_is_written_and_found_again(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.png")
    try:
        (tmp_path / name).write_bytes(image(1))
    except OSError:
        pytest.skip("this file system takes UTF-8 only")
    first = _run(tmp_path, tmp_path / "lines.jsonl", describer())
    again = describer()
    assert _run(tmp_path, tmp_path / "lines.jsonl", again) == first
    assert again.writer.batches == []  # type: ignore[attr-defined]


def test_mistakes_are_told(tmp_path: Path) -> None:
    with pytest.raises(DescribeError, match=r"nowhere\.png: no such file"):
        check_image(tmp_path / "nowhere.png")
    with pytest.raises(DescribeError, match=r"no image found; file extensions of images: \.apng"):
        find_images(tmp_path)
    with pytest.raises(DescribeError, match=r"nowhere\.png: No such file"):
        describe(tmp_path / "nowhere.png", UserInputs(), describer())
    with pytest.raises(DescribeError, match=r"writer: no file config\.json, .*run `heddle run` or `dvc repro writer`"):
        open_describer(tmp_path)
    (tmp_path / "writer").mkdir()
    write_skipped(tmp_path / "writer", "0 train listings have words; bring some.")
    with pytest.raises(DescribeError, match=r"no trained writer: 0 train listings have words; bring some\."):
        open_describer(tmp_path)


def test_the_tally_adds_up() -> None:
    assert replace(Tally(9, kept=2, written=3), failed=1).done == 6
