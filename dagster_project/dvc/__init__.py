"""``dvc.yaml`` -> Dagster assets, in the idiom of dagster-dbt: project, translator, runner, mirror.

- :mod:`~dagster_project.dvc.project` reads the graph, the lock and the disk: what each stage is and whether it changed.
- :mod:`~dagster_project.dvc.translator` says how a stage looks as an asset.
- :mod:`~dagster_project.dvc.runner` reproduces one stage and tells what happened.
- :mod:`~dagster_project.dvc.assets` puts the three together as asset definitions.
- :mod:`~dagster_project.dvc.mirror` reports to Dagster what was done outside it.
"""
