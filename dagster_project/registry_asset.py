"""The asset ``registry``: register the released models of a run."""

import hashlib
import json
from typing import Any

import dagster as dg

from dagster_project.checks import read_gates
from dagster_project.dvc.project import DvcProject
from dagster_project.experiment import experiment_name, find_experiment, save_experiment
from dagster_project.registry import Registration, register, versions
from heddle.core.skipped import skip_reason


def registry_asset(project: DvcProject) -> dg.AssetsDefinition:
    """The asset ``registry``. Its metadata lists every model: registered, failed or skipped, with the reason."""

    @dg.asset(
        name="registry",
        deps=["release", "experiment"],
        group_name="registry",
        kinds={"git"},
        description="Released models that pass their gates, registered as git tags; the best version is champion.",
    )
    def registry(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        name = experiment_name(context.run.run_id)
        commit = find_experiment(project.root, name) or save_experiment(project, name)
        released = sorted(path.name for path in (project.root / "data" / "release").iterdir() if path.is_dir())
        metadata: dict[str, Any] = {}
        for model in released:
            registration = register(project.root, model, commit)
            summary = _summarize(registration)
            (context.log.info if registration.version else context.log.warning)(summary)
            metadata[model] = summary
        for model in sorted(read_gates(project.root).by_model().keys() - set(released)):
            reason = skip_reason(project.root / "data" / model) or "not released"
            metadata[model] = _summarize(Registration(model, None, None, reason))
            context.log.warning(metadata[model])
        held = [(version.tag, version.stages, version.content) for version in versions(project.root)]
        state = hashlib.sha256(json.dumps(held).encode()).hexdigest()
        return dg.MaterializeResult(data_version=dg.DataVersion(state), metadata=metadata)

    return registry


def _summarize(registration: Registration) -> str:
    if registration.version is None:
        return f"{registration.model} is not registered: {registration.reason}"
    stage = f" ({registration.stage})" if registration.stage else ""
    return f"{registration.model}@{registration.version}{stage}: {registration.reason}"
