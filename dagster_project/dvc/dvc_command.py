"""The ``dvc`` command, except that a stage's last good output stays until the stage replaces it.

Before a stage runs, DVC deletes its output, so nothing could be read during a retraining and after a failed one. DVC's
``persist: true`` keeps the output, but switches off the run cache of that stage, so every return to earlier parameters
would train again. Here an output is kept if it is what DVC has recorded and cached; anything else is deleted.

DVC restores an output from the run cache file by file, so a reader could see a model's new weights beside its old
configuration. Here it is restored beside the old one and takes its place as a whole, as the output of a stage that ran.

DVC makes the folder of a stage's entry in the run cache before it writes the entry. A process that is killed in between
leaves the folder empty, and every later run of the stage would fail with a TypeError. Here such a folder is no entry.

DVC starts a stage through a shell. A shell that waits for the stage, as ``/bin/sh`` of Debian does, would outlive a
killed run, and the stage with it. Here the shell ends with DVC.
"""

import os
import sys
from functools import partial
from pathlib import Path
from typing import Any

from dvc.cli import main
from dvc.output import Output
from dvc.stage import Stage
from dvc.stage import run as stage_run
from dvc.stage.cache import RunCacheNotFoundError, StageCache
from dvc.stage.decorators import rwlocked

from heddle.core.folders import replace_folder, temporary_folder
from heddle.core.processes import die_with_parent


@rwlocked(write=["outs"])
def keep_recorded_outputs(stage: Stage, ignore_remove: bool = False, force: bool = False) -> None:
    """Take the place of ``Stage.remove_outs``: delete the outputs that are not in the cache.

    The kept ones may be links to the cache, so they are made files of their own first.
    """
    for out in stage.outs:
        if force or not out.exists or out.changed():
            out.remove(ignore_remove=ignore_remove)
        else:
            out.unprotect()


def restore_entry(cache: StageCache, stage: Stage, *arguments: Any, **options: Any) -> None:
    """Take the place of ``StageCache.restore``: the folder of an entry may be empty.

    Raises:
        RunCacheNotFoundError: there is no entry, so the stage runs.
    """
    try:
        restore(cache, stage, *arguments, **options)
    except TypeError as error:  # DVC joins the name of the newest entry, which is None, to the folder
        raise RunCacheNotFoundError(stage) from error


def check_out_beside(out: Output, *arguments: Any, **options: Any) -> Any:
    """Take the place of ``Output.checkout``: exchange a folder that exists for one that is complete."""
    target = Path(out.fs_path)
    if options.get("filter_info") or not target.is_dir():
        return check_out(out, *arguments, **options)
    with temporary_folder(target) as folder:
        complete = folder / target.name
        out.fs_path = str(complete)
        try:
            result = check_out(out, *arguments, **options)
        finally:
            out.fs_path = str(target)
        replace_folder(complete, target)
    return result


def prepare_shell(stage: Stage, *arguments: Any, **options: Any) -> dict[str, Any]:
    """Take the place of ``prepare_kwargs`` of DVC's commands: the shell of a stage ends with this process."""
    return {**prepare(stage, *arguments, **options), "preexec_fn": partial(die_with_parent, os.getpid())}


prepare = stage_run.prepare_kwargs
restore = StageCache.restore
check_out = Output.checkout

if __name__ == "__main__":
    stage_run.prepare_kwargs = prepare_shell
    StageCache.restore = restore_entry
    Output.checkout = check_out_beside
    Stage.remove_outs = keep_recorded_outputs
    sys.exit(main(sys.argv[1:]))
