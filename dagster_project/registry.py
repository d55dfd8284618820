"""The model registry: annotated git tags in GTO format, ``clip@v1.2.0`` and ``clip#champion#3``.

A tag points at the commit of the run's experiment, so a registered version identifies the exact code, parameters and
data. The tag message contains the content hash of the release and its metrics. There is no other store.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import gto.api
from gto.exceptions import GTOException

from dagster_project.checks import read_gates, verdicts
from dagster_project.git_identity import MAIL, NAME, set_git_identity
from heddle.core.errors import UserError
from heddle.evaluation.metric_tree import flat_values

CHAMPION = "champion"
CHALLENGER = "challenger"
FIRST_VERSION = "v1.0.0"
MODEL_CARD = "README.md"


class RegistryError(UserError):
    """A model or version is not in the registry. The message lists the registered versions."""


@dataclass(frozen=True)
class Version:
    """One registered version of a model.

    Attributes:
        model: name of the model.
        version: ``v<major>.<minor>.<patch>``.
        commit: commit of the experiment.
        created: time of registration.
        stages: current registry stages: champion, challenger or none.
        content: sha256 of the files of the release folder.
        metrics: evaluation metrics at registration, by path.
    """

    model: str
    version: str
    commit: str
    created: datetime
    stages: tuple[str, ...]
    content: str
    metrics: dict[str, float]

    @property
    def tag(self) -> str:
        """Name of the git tag."""
        return f"{self.model}@{self.version}"


@dataclass(frozen=True)
class Registration:
    """Result of :func:`register`: the version, or the reason why the model was not registered."""

    model: str
    version: str | None
    stage: str | None
    reason: str


def versions(root: Path, model: str | None = None) -> list[Version]:
    """Registered versions, newest first within each model."""
    history = gto.api.history(str(root), model)
    holders = _holders(history)
    found = []
    for row in history:
        if row["event"] == "registration":
            note = _parse_tag_message(row["message"])
            held = {stage for (name, stage), version in holders.items() if (name, version) == _key(row)}
            stages = tuple(sorted(held - {CHALLENGER} if CHAMPION in held else held))
            found.append(Version(*_key(row), row["commit"], row["timestamp"], stages, note["content"], note["metrics"]))
    return sorted(found, key=lambda each: (each.model, [-int(part) for part in each.version[1:].split(".")]))


def register(root: Path, model: str, commit: str) -> Registration:
    """Register the released model if it passes its gates. Make it champion if it is not worse than the champion.

    The metric of the first gate is compared. Registering the same bytes again changes nothing.
    """
    failed = [verdict for verdict in verdicts(root) if verdict.model == model and not verdict.passed]
    if failed:
        return Registration(model, None, None, "; ".join(verdict.description for verdict in failed))
    set_git_identity()
    release = root / "data" / "release" / model
    content, metrics = content_hash(release), flat_values(json.loads((release / "metrics.json").read_text()))
    known = versions(root, model)
    same = next((version for version in known if version.content == content), None)
    if same:
        return Registration(model, same.version, next(iter(same.stages), None), f"same bytes as {same.tag}")
    message = json.dumps({"content": content, "metrics": metrics}, sort_keys=True)
    gto.api.register(
        str(root),
        model,
        commit,
        message=message,
        version=None if known else FIRST_VERSION,
        bump_minor=bool(known),
        author=NAME,
        author_email=MAIL,
        stdout=False,
    )
    version = versions(root, model)[0]
    champion = next((other for other in known if CHAMPION in other.stages), None)
    reason, stage = _compare(root, version, champion)
    _assign(root, model, version.version, stage)
    return Registration(model, version.version, stage, reason)


def promote(root: Path, model: str, version: str, stage: str = CHAMPION) -> None:
    """Assign a registry stage, by default champion, to a version.

    Raises:
        RegistryError: the version is not registered.
    """
    known = [each.version for each in versions(root, model)]
    if version not in known:
        raise RegistryError(f"no version {version} of {model}; registered: {', '.join(known) or 'none'}")
    set_git_identity()
    _assign(root, model, version, stage)


def rollback(root: Path, model: str) -> str:
    """Make the previous champion champion again. Returns its version.

    Raises:
        RegistryError: there was no previous champion.
    """
    assignments = _assignments(gto.api.history(str(root), model))
    past = [row["version"] for row in assignments if row["stage"] == CHAMPION]
    current = past[0] if past else None
    earlier = next((version for version in past if version != current), None)
    if earlier is None:
        raise RegistryError(f"{model} had no champion before {current}; see `heddle registry list`")
    set_git_identity()
    _assign(root, model, earlier, CHAMPION)
    return earlier


def content_hash(folder: Path) -> str:
    """sha256 of the names and bytes of a release's files, without the model card, which only repeats their content."""
    digest = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file() and path.name != MODEL_CARD):
        digest.update(f"{file.relative_to(folder)}\n{hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def _compare(root: Path, version: Version, champion: Version | None) -> tuple[str, str]:
    """The reason and the registry stage of a new version."""
    if champion is None:
        return "first version", CHAMPION
    gates = read_gates(root).by_model().get(version.model, ())
    if not gates:
        return f"no gate metric to compare with {champion.tag}", CHALLENGER
    gate = gates[0]
    new, old = version.metrics.get(gate.path), champion.metrics.get(gate.path)
    if new is None or old is None:
        tag = version.tag if new is None else champion.tag
        return f"{tag} has no metric {gate.path} to compare; use `heddle registry promote`", CHALLENGER
    reason = f"{gate.path} {new}, champion {champion.tag} has {old}"
    better = new >= old if gate.at_least is not None else new <= old
    return reason, CHAMPION if better else CHALLENGER


def _key(row: dict[str, Any]) -> tuple[str, str]:
    return row["artifact"], row["version"]


def _parse_tag_message(message: str) -> dict[str, Any]:
    """Content hash and metrics that :func:`register` wrote; empty for a tag created by hand."""
    try:
        note = json.loads(message)
    except json.JSONDecodeError:
        note = {}
    return {"content": note.get("content", ""), "metrics": note.get("metrics", {})}


def _assignments(history: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Assignments, newest first, ordered by the number in ``clip#champion#3``: git times have only whole seconds."""
    rows = [row for row in history if row["event"] == "assignment"]
    return sorted(rows, key=lambda row: int(row["ref"].rpartition("#")[2]), reverse=True)


def _holders(history: list[dict[str, Any]]) -> dict[tuple[str, str], str]:
    """(model, stage) -> the version that was last assigned."""
    holders: dict[tuple[str, str], str] = {}
    for row in _assignments(history):
        holders.setdefault((row["artifact"], row["stage"]), row["version"])
    return holders


def _assign(root: Path, model: str, version: str, stage: str) -> None:
    try:
        gto.api.assign(
            str(root), model, version=version, stage=stage, author=NAME, author_email=MAIL, force=True, stdout=False
        )
    except GTOException as error:
        raise RegistryError(f"cannot assign {stage} to {model}@{version}: {error}") from error
