"""The ``dvc`` command, except that a stage's last good output stays until the stage replaces it.

Before a stage runs, DVC deletes its output, so nothing could be read during a retraining and after a failed one. DVC's
``persist: true`` keeps the output, but switches off the run cache of that stage, so every return to earlier parameters
would train again. Here an output is kept if it is what DVC has recorded and cached; anything else is deleted.
"""

import sys

from dvc.cli import main
from dvc.stage import Stage
from dvc.stage.decorators import rwlocked


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


if __name__ == "__main__":
    Stage.remove_outs = keep_recorded_outputs
    sys.exit(main(sys.argv[1:]))
