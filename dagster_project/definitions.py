"""Everything that Dagster knows about this project. Start it in the project's root."""

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
from dagster_project.registry import registry_asset

# Links from the UI to the source are in beta; the pinned version has them, so the reminder is noise.
warnings.filterwarnings("ignore", category=dg.BetaWarning)

# Preloading in the fork server spares each step the seconds that these imports take.
EXECUTOR = dg.multiprocess_executor.configured(
    {
        "start_method": {
            "forkserver": {"preload_modules": ["dagster_project.process_pool", "dagster_project.definitions"]}
        },
        "max_concurrent": 2,
    }
)


def definitions(root: Path) -> dg.Definitions:
    """The definitions of the project in ``root``."""
    project = DvcProject(root)
    check_parameters(project.root, {name for stage in project.graph.values() for name in stage.sections})
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
