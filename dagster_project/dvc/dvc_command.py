"""The ``dvc`` command, except that a stage's last good output stays until the stage replaces it.

Before a stage runs, DVC deletes its output, so nothing could be read during a retraining and after a failed one. DVC's
``persist: true`` keeps the output, but switches off the run cache of that stage, so every return to earlier parameters
would train again. Here an output is kept if it is what DVC has recorded and cached; anything else is deleted.

DVC also restores a folder from the run cache file by file, so a reader would see files of two versions, or miss one.
Here the folder is made beside the old one and replaces it as a whole, as a stage's does.
"""

import sys
from pathlib import Path
from typing import Any

from dvc.cli import main
from dvc.output import Output
from dvc.stage import Stage
from dvc.stage.decorators import rwlocked

from heddle.core.folders import replace_folder, temporary_folder

check_out_in_place = Output._checkout


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


def check_out_beside(output: Output, path: str, fs: Any, obj: Any, *others: Any, **options: Any) -> bool | None:
    """Take the place of ``Output._checkout``: replace a folder that has other contents as a whole.

    The last checkout changes no file: it tells DVC's database about the files where they now lie.
    """
    target = Path(path)
    replaced = target.is_dir() and not target.is_symlink() and output.changed_checksum()
    if replaced:
        with temporary_folder(target) as folder:
            check_out_in_place(output, str(folder), fs, obj, *others, **options)
            replace_folder(folder, target)
    return check_out_in_place(output, path, fs, obj, *others, **options) or replaced


if __name__ == "__main__":
    Output._checkout = check_out_beside
    Stage.remove_outs = keep_recorded_outputs
    sys.exit(main(sys.argv[1:]))
