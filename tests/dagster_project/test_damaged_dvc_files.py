"""A damaged ``dvc.lock`` or ``dvc.yaml`` is one line with file, line and remedy, and the remedy works."""

import re
import shlex

import pytest

LOCK = """schema: '2.0'
stages:
  catalog:
    cmd: python stage.py catalog
    outs:
    - path: data/catalog
      hash: md5
      md5: 978ca45691cd12e610fb0788867f8252.dir
      size: 2
"""
CONFLICT = LOCK.replace("      size: 2\n", "<<<<<<< HEAD\n      size: 2\n=======\n      size: 3\n>>>>>>> other\n")


@pytest.mark.parametrize(
    ("damaged", "message"),
    [
        (LOCK[:-5], "heddle: dvc.lock: line "),  # cut inside a key
        ("", "heddle: dvc.lock: required key not provided"),
        (CONFLICT, "heddle: dvc.lock: line 9: unresolved merge conflict; "),
        ("\xff\xfe\x00", "heddle: dvc.lock: "),
        ("- 1\n", "heddle: dvc.lock: expected a dictionary; "),
    ],
    ids=["cut", "empty", "conflict", "binary", "list"],
)
def test_damaged_lock_is_named_and_restored_by_the_remedy(fresh, damaged, message):
    fresh.write("dvc.lock", LOCK)
    fresh.shell("git", "add", "--force", "dvc.lock")
    fresh.shell("git", "commit", "-qm", "lock")
    (fresh.root / "dvc.lock").write_bytes(damaged.encode("latin-1"))
    ended = fresh.invoke("status")
    assert isinstance(ended.exception, SystemExit), ended.exception
    assert ended.exit_code == 1
    (line,) = ended.stderr.splitlines()
    assert line.startswith(message)
    fresh.shell(*shlex.split(re.findall("`(.+?)`", line)[0]))
    assert fresh.invoke("status").exit_code == 0


@pytest.mark.parametrize("damaged", ["stages: {catalog: {cmd: a", "stages: {catalog: {command: a}}"])
def test_damaged_dvc_yaml_is_named(fresh, damaged):
    fresh.write("dvc.yaml", damaged)
    ended = fresh.invoke("status")
    assert isinstance(ended.exception, SystemExit), ended.exception
    (line,) = ended.stderr.splitlines()
    assert line.startswith("heddle: dvc.yaml: ")
    assert "fix the file, or restore the committed file with `git checkout HEAD -- dvc.yaml`" in line


@pytest.mark.parametrize("file", ["params.yaml", "scales/small.yaml", "dvc.yaml"])
def test_duplicate_key_is_named_with_file_and_line(fresh, file):
    content = (fresh.root / file).read_text()
    fresh.write(file, f"{content}\nkey: 1\nkey: 2\n")
    ended = fresh.invoke("status")
    assert isinstance(ended.exception, SystemExit), ended.exception
    (line,) = ended.stderr.splitlines()
    number = content.count("\n") + 3
    assert f'{file}: line {number}: duplicate key "key"; fix the file' in line


@pytest.mark.parametrize("damaged", ['{"text_to_image"', "", "\xff"], ids=["cut", "empty", "binary"])
def test_damaged_metrics_are_named_with_their_stage(fresh, damaged):
    folder = fresh.root / "data/encoder_evaluation"
    folder.mkdir()
    (folder / "metrics.json").write_bytes(damaged.encode("latin-1"))
    ended = fresh.invoke("status")
    assert isinstance(ended.exception, SystemExit), ended.exception
    (line,) = ended.stderr.splitlines()
    assert line.startswith("heddle: data/encoder_evaluation/metrics.json: cannot be read: ")
    assert line.endswith("or compute it again with `dvc repro encoder_evaluation`")
