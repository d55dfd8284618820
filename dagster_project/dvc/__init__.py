"""Dagster assets derived from ``dvc.yaml``, structured like dagster-dbt: project, translator, runner, mirror.

- :mod:`~dagster_project.dvc.project` reads dvc.yaml, dvc.lock and the disk: the stages and whether they changed.
- :mod:`~dagster_project.dvc.translator` maps a stage to an asset spec.
- :mod:`~dagster_project.dvc.runner` reproduces one stage and returns the outcome.
- :mod:`~dagster_project.dvc.assets` combines the three into asset definitions.
- :mod:`~dagster_project.dvc.mirror` reports changes made outside Dagster.
"""
