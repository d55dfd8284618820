"""Preload module of a run's fork server: ends the server when the process of the run is killed.

The fork server normally ends when its pipe closes, but the step processes hold that pipe open. Without this module,
the stages of a killed run would continue. Step processes end with the server (:mod:`dagster_project.dvc.assets`).
"""

from heddle.core.processes import die_with_parent

die_with_parent()
