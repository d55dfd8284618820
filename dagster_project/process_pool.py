"""Preloaded in the fork server of a run, and only there: the server ends when the run's own process is killed.

Its step processes, which end with it (see :mod:`dagster_project.dvc.assets`), hold the pipe whose closing it would
otherwise wait for, so without this a killed run's stages would go on.
"""

from heddle.core.processes import die_with_parent

die_with_parent()
