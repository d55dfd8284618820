"""Dagster definitions of this project. Load this module in the project root."""

import warnings
from pathlib import Path

import dagster as dg

from dagster_project.automation import jobs, schedules, sensors
from dagster_project.dvc.assets import dvc_assets
from dagster_project.dvc.project import DvcProject
from dagster_project.dvc.translator import DagsterDvcTranslator
from dagster_project.experiment import experiment_asset
from dagster_project.parameters import check_parameters
from dagster_project.publish import published_index_asset
from dagster_project.publish_content import is_configured, published_content_asset
from dagster_project.registry_asset import registry_asset

# Code references are a beta feature of Dagster. The pinned version supports them, so the warning is noise.
warnings.filterwarnings("ignore", category=dg.BetaWarning)

# Preloading these modules in the fork server saves each step seconds of import time.
EXECUTOR = dg.multiprocess_executor.configured(
    {
        "start_method": {
            "forkserver": {"preload_modules": ["dagster_project.process_pool", "dagster_project.definitions"]}
        },
        "max_concurrent": 2,
    }
)


def definitions(root: Path) -> dg.Definitions:
    """Build the definitions of the project in ``root``."""
    project = DvcProject(root)
    check_parameters(project.root, project.sections)
    return dg.Definitions(
        assets=[
            *dvc_assets(project, DagsterDvcTranslator(project.root)),
            experiment_asset(project),
            registry_asset(project),
            published_index_asset(project),
            *([published_content_asset(project)] if is_configured(project.root) else []),
        ],
        jobs=jobs(),
        schedules=schedules(project),
        sensors=sensors(project),
        executor=EXECUTOR,
    )


defs = definitions(Path.cwd())
