"""The DVC project: the stages of ``dvc.yaml``, their records in ``dvc.lock`` and their files on disk.

The *code version* of a stage is a hash of its command, parameter values and source files. The *data version* is the MD5
of its output folder. Both exist twice: recorded in dvc.lock, and computed from the disk. A stage is changed if the two
differ for the stage or for one of its inputs, exactly as in ``dvc status``.
"""

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from dvc.dependency.param import ParamsDependency
from dvc.repo import Repo, lock_repo
from dvc.stage import PipelineStage

from heddle.core.errors import UserError
from heddle.core.parameters.section import read_yaml, scale_file
from heddle.core.stage import METRICS_FILE, read_json
from heddle.evaluation.metric_tree import flat_values


class ProjectError(UserError):
    """``dvc.yaml`` breaks a rule of this repository. The message contains the stage and the fix."""


@dataclass(frozen=True)
class StageState:
    """One stage as recorded in dvc.lock and as found on disk.

    Attributes:
        name: name of the stage, the asset and the output folder.
        command: ``cmd:`` in ``dvc.yaml``.
        description: ``desc:`` in ``dvc.yaml``.
        meta: ``meta: {dagster: …}`` in ``dvc.yaml``: group, kinds, pool, owners, retries, headline.
        sections: parameter sections that the stage declares.
        output: output folder, relative to the project root.
        upstream: names of the stages whose output folders this stage reads.
        code_version: hash of the command, parameters and sources on disk.
        recorded_code_version: the same hash from ``dvc.lock``; None if the stage never ran.
        data_version: MD5 of the output folder on disk; None if it is missing.
        recorded_data_version: MD5 of the output folder in ``dvc.lock``.
        input_versions: MD5 on disk of each upstream output; None if it is missing.
        recorded_input_versions: the same from ``dvc.lock``.
        cached: whether DVC's cache contains the recorded output.
    """

    name: str
    command: str
    description: str
    meta: Mapping[str, Any]
    sections: tuple[str, ...]
    output: Path
    upstream: tuple[str, ...]
    code_version: str
    recorded_code_version: str | None
    data_version: str | None
    recorded_data_version: str | None
    input_versions: Mapping[str, str | None] = field(default_factory=dict)
    recorded_input_versions: Mapping[str, str | None] = field(default_factory=dict)
    cached: bool = True

    @property
    def output_problem(self) -> str | None:
        """The problem of the output on disk; None if it is as recorded."""
        if self.data_version is None:
            return "output is missing"
        if self.data_version != self.recorded_data_version:
            return "output was modified"
        return None if self.cached else "output is not in DVC's cache"

    @property
    def causes(self) -> list[str]:
        """The reasons why the stage must run; empty if nothing changed."""
        if self.recorded_code_version is None:
            return ["never ran"]
        causes = []
        if self.code_version != self.recorded_code_version:
            causes.append("command, parameters or code changed")
        causes += [
            f"input {name} changed"
            for name in self.upstream
            if self.input_versions[name] != self.recorded_input_versions.get(name)
        ]
        if self.output_problem:
            causes.append(self.output_problem)
        return causes

    @property
    def changed(self) -> bool:
        """Whether ``dvc status`` lists the stage."""
        return bool(self.causes)


class DvcProject:
    """A DVC repository as a graph of stages. Each call of :meth:`states` reads dvc.lock and the disk again.

    Args:
        root: folder that contains ``dvc.yaml``.
        config: DVC settings that override those of the repository.
    """

    def __init__(self, root: Path, config: dict[str, Any] | None = None) -> None:
        self.root = root.resolve()
        self._config = config
        if not (self.root / "dvc.yaml").is_file():
            raise ProjectError(f"no dvc.yaml in {self.root}; run the command in the project root")
        read_yaml(scale_file(self.root))  # checks the scale, because DVC's own message only mentions templates

    @contextmanager
    def _stages(self) -> Iterator[dict[str, PipelineStage]]:
        # DVC rewrites dvc.lock in place, so a reader without the repository lock may read a partial file.
        with Repo(str(self.root), config=self._config, _wait_for_lock=True) as repo, lock_repo(repo):
            stages = [stage for stage in repo.index.stages if isinstance(stage, PipelineStage)]
            yield {stage.name: stage for stage in stages if stage.path_in_repo == "dvc.yaml"}

    def states(self) -> dict[str, StageState]:
        """Every stage by name, upstream first."""
        with self._stages() as stages:
            owners = {out.fs_path: name for name, stage in stages.items() for out in stage.outs}
            unordered = {name: _state(stage, owners, self.root) for name, stage in stages.items()}
        ordered: dict[str, StageState] = {}

        def visit(name: str) -> None:
            if name not in ordered:
                for upstream in unordered[name].upstream:
                    visit(upstream)
                ordered[name] = unordered[name]

        for name in sorted(unordered):
            visit(name)
        return ordered

    @cached_property
    def graph(self) -> dict[str, StageState]:
        """The stages at the first access. A code location is built from them."""
        return self.states()

    @property
    def sections(self) -> set[str]:
        """The sections of the parameters that the stages read."""
        return {name for stage in self.graph.values() for name in stage.sections}

    def recorded_data_version(self, stage: str) -> str | None:
        """Data version of a stage from ``dvc.lock``. Nothing is hashed."""
        with self._stages() as stages:
            (output,) = stages[stage].outs
            return output.hash_info.value if output.hash_info else None

    def explain_missing_cache(self, stage: str) -> str | None:
        """Why DVC could not restore the recorded output of a stage; None if its cache contains the output."""
        with self._stages() as stages:
            (output,) = stages[stage].outs
            if not output.changed_cache():
                return None
            folder = Path(output.cache.path)
        free = shutil.disk_usage(folder).free
        return (
            f"its output is not in the cache {folder}, whose disk has {free:,} bytes free. Free space, then run again"
        )

    def metrics(self, stage: str) -> dict[str, float]:
        """The metrics that a stage wrote last, by their paths; empty where it wrote none."""
        file = self.root / "data" / stage / METRICS_FILE
        return flat_values(read_json(file)) if file.is_file() else {}


def _state(stage: PipelineStage, owners: Mapping[str, str], root: Path) -> StageState:
    if len(stage.outs) != 1:
        raise ProjectError(f"dvc.yaml: stage {stage.name}: found {len(stage.outs)} output folders, expected 1")
    (output,) = stage.outs
    inputs = {owners[dep.fs_path]: dep for dep in stage.deps if dep.fs_path in owners}
    recorded = bool(output.hash_info)
    return StageState(
        name=stage.name,
        command=stage.cmd,
        description=stage.desc or "",
        meta=(stage.meta or {}).get("dagster", {}),
        sections=tuple(sorted({key for dep in stage.params for key in dep.params})),
        output=Path(output.fs_path).relative_to(root),
        upstream=tuple(sorted(inputs)),
        code_version=_code_version(stage, owners, recorded=False),
        recorded_code_version=_code_version(stage, owners, recorded=True) if recorded else None,
        data_version=_md5_on_disk(output),
        recorded_data_version=output.hash_info.value if recorded else None,
        input_versions={name: _md5_on_disk(dep) for name, dep in inputs.items()},
        recorded_input_versions={name: dep.hash_info.value for name, dep in inputs.items()},
        cached=recorded and not output.changed_cache(),
    )


def _code_version(stage: PipelineStage, owners: Mapping[str, str], *, recorded: bool) -> str:
    """Hash of command, parameters and sources, from dvc.lock (``recorded``) or from disk."""
    parameters: dict[str, Any] = {}
    sources: dict[str, str | None] = {}
    for dependency in stage.deps:
        if isinstance(dependency, ParamsDependency):
            values = dependency.hash_info.value if recorded else _sections_on_disk(dependency)
            parameters[str(dependency)] = values or {}
        elif dependency.fs_path not in owners:
            sources[str(dependency)] = dependency.hash_info.value if recorded else _md5_on_disk(dependency)
    command = "another command" if recorded and stage.cmd_changed else stage.cmd
    content = json.dumps([command, parameters, sources], sort_keys=True, default=str)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def _sections_on_disk(dependency: ParamsDependency) -> dict[str, Any]:
    """The parameter sections that a stage depends on. Unlike DVC, this uses a cached parser."""
    file = Path(dependency.fs_path)
    content = read_yaml(file) if file.is_file() else {}
    return {section: content[section] for section in dependency.params if section in content}


def _md5_on_disk(path: Any) -> str | None:
    """DVC's hash of an output or dependency on disk; None if it is missing."""
    return path.get_hash().value if path.exists else None
