"""What DVC knows: the stages of ``dvc.yaml``, what ``dvc.lock`` recorded of them and what lies on disk.

A stage's *code version* is a hash of its command, its parameters' values and the contents of its source files; its
*data version* is the md5 of its output folder. Each exists twice, as recorded in the lock and as it is on disk. A stage
is changed exactly when the two differ for it or for one of its inputs, which is also what ``dvc status`` says.
"""

import hashlib
import json
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
from heddle.evaluation.metric_tree import flat_values

METRICS_FILE = "metrics.json"


class ProjectError(UserError):
    """``dvc.yaml`` breaks a rule of the house; the message says which stage and how to mend it."""


@dataclass(frozen=True)
class StageState:
    """One stage as recorded and as found.

    Attributes:
        name: of the stage, the asset, the module and the output folder.
        command: what DVC runs.
        description: ``desc:`` in ``dvc.yaml``.
        meta: ``meta: {dagster: …}`` in ``dvc.yaml``: group, kinds, pool, owners, retries, headline.
        sections: the parameter sections that the stage declares.
        output: the output folder, relative to the project's root.
        upstream: names of the stages whose output folders this one reads.
        code_version: of the command, parameters and sources on disk.
        recorded_code_version: the same as ``dvc.lock`` has it; None when the stage never ran.
        data_version: md5 of the output folder on disk; None when it is missing.
        recorded_data_version: md5 of the output folder in ``dvc.lock``.
        input_versions: md5 on disk of each upstream output; None when it is missing.
        recorded_input_versions: the same as ``dvc.lock`` has it.
        cached: whether DVC's cache holds the recorded output.
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
    def output_fault(self) -> str | None:
        """What is wrong with the output itself; None when it is as recorded."""
        if self.data_version is None:
            return "its output is missing"
        if self.data_version != self.recorded_data_version:
            return "its output was altered"
        return None if self.cached else "its output is not in DVC's cache"

    @property
    def causes(self) -> list[str]:
        """Why the stage must run, in words; empty when nothing changed."""
        if self.recorded_code_version is None:
            return ["never ran"]
        causes = []
        if self.code_version != self.recorded_code_version:
            causes.append("its command, parameters or code changed")
        causes += [
            f"its input {name} changed"
            for name in self.upstream
            if self.input_versions[name] != self.recorded_input_versions.get(name)
        ]
        return causes + ([self.output_fault] if self.output_fault else [])

    @property
    def changed(self) -> bool:
        """Whether ``dvc status`` lists the stage."""
        return bool(self.causes)


class DvcProject:
    """A DVC repository seen as a graph of stages. Each call of :meth:`states` reads lock and disk anew.

    Args:
        root: folder that holds ``dvc.yaml``.
        config: DVC settings that differ from the repository's own.
    """

    def __init__(self, root: Path, config: dict[str, Any] | None = None) -> None:
        self.root = root.resolve()
        self._config = config
        read_yaml(scale_file(self.root))  # a wrong scale is better told here than in DVC's words about templates
        if not (self.root / "dvc.yaml").is_file():
            raise ProjectError(f"{self.root} holds no dvc.yaml: run this from the project's root")

    @contextmanager
    def _stages(self) -> Iterator[dict[str, PipelineStage]]:
        # DVC rewrites dvc.lock in place, so a reader that does not hold its lock may see half of it.
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
        """The stages as they were when first asked for: what a code location is built from."""
        return self.states()

    def recorded_data_version(self, stage: str) -> str | None:
        """What ``dvc.lock`` has of a stage's output; nothing is hashed for it."""
        with self._stages() as stages:
            (output,) = stages[stage].outs
            return output.hash_info.value if output.hash_info else None

    def metrics(self, stage: str) -> dict[str, float]:
        """The metrics that a stage wrote last, by their paths; empty where it wrote none."""
        file = self.root / "data" / stage / METRICS_FILE
        return flat_values(json.loads(file.read_text())) if file.is_file() else {}


def _state(stage: PipelineStage, owners: Mapping[str, str], root: Path) -> StageState:
    if len(stage.outs) != 1:
        raise ProjectError(f"dvc.yaml: stage {stage.name}: expected one output folder, found {len(stage.outs)}")
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
    """Hash of command, parameters and sources, as in the lock (``recorded``) or on disk."""
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
    """The sections that a stage depends on, as DVC's own reading gives them, which parses the file anew each time."""
    file = Path(dependency.fs_path)
    content = read_yaml(file) if file.is_file() else {}
    return {section: content[section] for section in dependency.params if section in content}


def _md5_on_disk(path: Any) -> str | None:
    """DVC's own hash of an output or dependency as it lies on disk; None when it is missing."""
    return path.get_hash().value if path.exists else None
