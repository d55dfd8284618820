"""Keep each retraining as a DVC experiment: code, parameters and lock in one commit that tags can point at."""

from pathlib import Path

import dagster as dg
from dvc.repo import Repo

from dagster_project.dvc.project import DvcProject
from dagster_project.git_identity import sign


class UnsettledError(Exception):
    """The workspace is not what the run produced, so there is nothing true to save."""


def save_experiment(project: DvcProject, name: str) -> str:
    """Save the workspace as experiment ``name``. Returns the commit's hash.

    Raises:
        UnsettledError: a stage changed since it ran. (Saving would record it as up to date: ``dvc exp save`` commits
            what lies on disk whatever made it.)
    """
    changed = [state.name for state in project.states().values() if state.changed]
    if changed:
        raise UnsettledError(f"not saved as an experiment: {', '.join(changed)} changed since it ran; run again")
    sign()
    with Repo(str(project.root)) as repo:
        commit = repo.experiments.save(name=name, force=True)
    if commit is None:
        raise UnsettledError("DVC saved no experiment")
    return str(commit)


def experiment_name(run_id: str) -> str:
    """The experiment of a Dagster run: the first block of its id, which the UI shows too."""
    return f"run-{run_id[:8]}"


def find_experiment(root: Path, name: str) -> str | None:
    """The commit of the experiment ``name``, if it was saved."""
    with Repo(str(root)) as repo:
        refs = [ref for ref in repo.scm.iter_refs(base="refs/exps/") if ref.rpartition("/")[2] == name]
        return str(repo.scm.get_ref(refs[0])) if refs else None


def experiment_asset(project: DvcProject) -> dg.AssetsDefinition:
    """The asset ``experiment``, downstream of every stage that nothing else reads."""
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
        except UnsettledError as error:
            raise dg.Failure(str(error), allow_retries=False) from error
        return dg.MaterializeResult(
            data_version=dg.DataVersion(commit), metadata={"experiment": name, "commit": commit}
        )

    return experiment
