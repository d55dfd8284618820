"""What starts fast stays fast: no torch and no Dagster where neither is needed. Each import takes seconds."""

import json
import subprocess
import sys

import pytest

HEAVY = {"torch", "transformers", "lightning", "dagster", "pyarrow", "pandas", "scrapy"}


def _modules_after(program: str) -> set[str]:
    """The top-level packages that a new process has imported after a program."""
    report = "import json, sys; print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    ended = subprocess.run(
        [sys.executable, "-c", f"{program}\n{report}"], capture_output=True, text=True, check=True, timeout=600
    )
    return set(json.loads(ended.stdout.splitlines()[-1]))


def test_import_heddle_imports_nothing_heavy():
    modules = _modules_after("import heddle")
    assert "heddle" in modules
    assert not modules & HEAVY


@pytest.mark.parametrize("arguments", [["--help"], ["search", "--help"], ["run", "--help"], ["registry", "--help"]])
def test_heddle_help_imports_nothing_heavy(arguments):
    modules = _modules_after(f"from heddle.cli import main\nmain({arguments}, standalone_mode=False)")
    assert {"heddle", "click"} <= modules
    assert not modules & HEAVY
