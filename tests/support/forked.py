"""Run a program in a process that is forked from one with the imports done, so that it costs no second for imports."""

import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

PRELOADED = [
    *("assets.catalog.stage", "assets.catalog.crawl", "assets.catalog.sitemap", "assets.catalog.wordpress"),
    *("heddle.core.stage", "heddle.cli", "pandas"),
    *("dagster_project.run", "dagster_project.verify", "dvc.cli", "dvc.repo"),
]
PATIENCE = 600
"""Seconds after which something hangs, however busy the machine is."""


def run_module(
    module: str, *arguments: str, folder: Path, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """``python -m MODULE ARGUMENTS`` in a folder.

    Raises:
        subprocess.TimeoutExpired: the program hangs.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    with tempfile.TemporaryDirectory() as captured:
        outputs = [Path(captured, name) for name in ("stdout", "stderr")]
        process = context.Process(target=_execute, args=(module, arguments, folder, dict(environment), outputs))
        process.start()
        process.join(PATIENCE)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(module, PATIENCE, *(output.read_bytes() for output in outputs))
        return subprocess.CompletedProcess(
            [module, *arguments], process.exitcode, *(output.read_text() for output in outputs)
        )


def _execute(
    module: str, arguments: Sequence[str], folder: Path, environment: dict[str, str], outputs: Sequence[Path]
) -> None:
    for number, output in enumerate(outputs, start=1):
        os.dup2(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND), number)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
