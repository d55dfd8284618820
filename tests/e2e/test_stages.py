"""The files that each stage reads and writes, recorded while it ran at smoke scale (fixture ``reproduced``).

Arrow opens files in C++, which Python's audit hook does not record. For those reads, the fixture hides every folder
that a stage does not declare while the stage runs: an undeclared read fails the stage.
"""

from pathlib import Path

import pytest
from ruamel.yaml import YAML

pytestmark = pytest.mark.xdist_group("reproduced")

ROOT = Path(__file__).parents[2]
STAGES = YAML(typ="safe").load(ROOT / "dvc.yaml")["stages"]


def _touched(reproduced, stage: str, mode: str) -> set[Path]:
    """The files of the project that a stage's processes opened in a mode."""
    notes = (reproduced.notes / f"{stage}.txt").read_text().splitlines()
    paths = {Path(path) for line in notes for kind, _, path in [line.partition("\t")] if kind == mode}
    return {path.relative_to(reproduced.root) for path in paths if path.is_relative_to(reproduced.root)}


def _is_own(path: Path, stage: str) -> bool:
    """Whether a path is the stage's output, or the temporary sibling that is renamed to it."""
    if path.parts[:1] != ("data",) or len(path.parts) < 2:
        return False
    return path.parts[1] == stage or path.parts[1].startswith(f".{stage}.")


@pytest.mark.parametrize("stage", STAGES)
def test_stage_reads_only_declared_inputs(reproduced, stage):
    declared = {path for path in STAGES[stage]["deps"] if path.startswith("data/")}
    read = {
        path for path in _touched(reproduced, stage, "read") if path.parts[0] == "data" and not _is_own(path, stage)
    }
    undeclared = {path for path in read if len(path.parts) > 1 and f"data/{path.parts[1]}" not in declared}
    assert not undeclared
    assert Path("params.yaml") in _touched(reproduced, stage, "read"), "the hook recorded nothing, so it did not work"


@pytest.mark.parametrize("stage", STAGES)
def test_stage_writes_only_its_output(reproduced, stage):
    written = _touched(reproduced, stage, "write")
    assert any(_is_own(path, stage) for path in written), "the hook recorded nothing, so it did not work"
    caches = (
        Path(".heddle/http_cache"),
        Path(".heddle/image_cache"),
    )  # for conditional requests only
    foreign = {
        path
        for path in written
        if not _is_own(path, stage)
        and "__pycache__" not in path.parts
        and path != Path("data")
        and not (stage == "catalog" and any(path.is_relative_to(cache) or path in cache.parents for cache in caches))
    }
    assert not foreign
