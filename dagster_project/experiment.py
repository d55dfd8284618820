"""Save each retraining as a DVC experiment: one commit of code, parameters and lock that tags can point at."""

from pathlib import Path

import dagster as dg
from dvc.repo import Repo

from dagster_project.dvc.project import DvcProject
from dagster_project.git_identity import set_git_identity


class WorkspaceChangedError(Exception):
    """A stage changed after it ran, so the workspace does not match the run."""


def save_experiment(project: DvcProject, name: str) -> str:
    """Save the workspace as experiment ``name``. Returns the commit's hash.

    Raises:
        WorkspaceChangedError: a stage changed after it ran. ``dvc exp save`` would commit the files on disk and record
            the stage as up to date.
    """
    changed = [state.name for state in project.states().values() if state.changed]
    if changed:
        raise WorkspaceChangedError(f"experiment not saved: {', '.join(changed)} changed since it ran; run again")
    set_git_identity()
    with Repo(str(project.root)) as repo:
        commit = repo.experiments.save(name=name, force=True)
    if commit is None:
        raise WorkspaceChangedError("`dvc exp save` saved no experiment")
    return str(commit)


def experiment_name(run_id: str) -> str:
    """Name of a run's experiment. Contains the first block of the run id, as shown in the UI."""
    return f"run-{run_id[:8]}"


def find_experiment(root: Path, name: str) -> str | None:
    """Commit of the experiment ``name``; None if there is no such experiment."""
    with Repo(str(root)) as repo:
        refs = [ref for ref in repo.scm.iter_refs(base="refs/exps/") if ref.rpartition("/")[2] == name]
        return str(repo.scm.get_ref(refs[0])) if refs else None


def experiment_asset(project: DvcProject) -> dg.AssetsDefinition:
    """The asset ``experiment``, downstream of every stage without downstream stages."""
    read = {name for state in project.graph.values() for name in state.upstream}
    leaves = [name for name in project.graph if name not in read]

    @dg.asset(
        name="experiment",
        deps=leaves,
        group_name="registry",
        kinds={"dvc", "git"},
        description="Code, parameters and lock of this run as a DVC experiment: `dvc exp show` lists every retraining.",
    )
    def experiment(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        name = experiment_name(context.run.run_id)
        try:
            commit = save_experiment(project, name)
        except WorkspaceChangedError as error:
            raise dg.Failure(str(error), allow_retries=False) from error
        return dg.MaterializeResult(
            data_version=dg.DataVersion(commit), metadata={"experiment": name, "commit": commit}
        )

    return experiment
