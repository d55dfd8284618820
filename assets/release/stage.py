"""The stage ``release``: one folder a model, with weights, card, metrics and lineage."""

import hashlib
import shutil
from collections import Counter
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from assets.families import RELEASED
from assets.gates import Gates
from assets.release.base import add_base
from assets.release.card import model_card
from assets.release.files import MODEL_CARD, model_files, release_files
from assets.release.licences import normalize_licence
from assets.release.parameters import ReleaseParameters
from assets.sections import SECTIONS
from heddle.core.parameters.section import PARAMS_FILE, load, read_yaml
from heddle.core.parameters.shared import read_seed
from heddle.core.skipped import skip_reason
from heddle.core.stage import METRICS_FILE, Metrics, Stage, read_json, write_json
from heddle.evaluation.gates import Verdict, evaluate_gates
from heddle.families.family import Family, Release

DATA_STAGES = ("catalog", "validated", "shards")


def release(stage: Stage) -> Metrics:
    """Write data/release/<model>/ for every model that was trained."""
    parameters = stage.parameters(ReleaseParameters)
    data = data_statistics(stage)
    evaluations = {
        family.evaluate.name: read_json(stage.input(family.evaluate.name) / METRICS_FILE) for family in RELEASED
    }
    verdicts = evaluate_gates(stage.parameters(Gates, "gates"), evaluations)
    metrics: dict[str, Any] = {"models": 0}
    for family in RELEASED:
        if reason := skip_reason(stage.input(family.name)):
            stage.progress(f"{family.name} is skipped: {reason}")
            metrics[family.name] = {"skipped": 1}
            continue
        stage.progress(family.name)
        own = [verdict for verdict in verdicts if verdict.model == family.name]
        metrics[family.name] = _write(stage, family, parameters, data, own)
        metrics["models"] += 1
    return metrics


def data_statistics(stage: Stage) -> dict[str, Any]:
    """How many listings, of which sources, under which licences, with which labels."""
    table = pq.read_table(stage.input("validated") / "listings.parquet", columns=["source", "licence"])
    counts = {name: Counter(table.column(name).to_pylist()) for name in table.column_names}
    licences: Counter[str] = Counter()
    for stated, count in counts["licence"].items():
        licences[normalize_licence(stated) if stated else "not stated"] += count
    return {
        "sources": dict(sorted(counts["source"].items())),
        "licences": dict(sorted(licences.items())),
        "labels": read_json(stage.input("shards") / "labels.json"),
        "numbers": {name: read_json(stage.input(name) / METRICS_FILE) for name in DATA_STAGES},
    }


def _write(
    stage: Stage, family: Family, parameters: ReleaseParameters, data: dict[str, Any], verdicts: list[Verdict]
) -> Metrics:
    assert family.release is not None
    target = stage.output / family.name
    target.mkdir()
    base = _copy_model(stage, family, family.release, target)
    files = {str(file.relative_to(target)): file for file in sorted(target.rglob("*")) if file.is_file()}
    numbers = read_json(stage.input(family.evaluate.name) / METRICS_FILE)
    lineage = {
        "model": family.name,
        "files": {name: _sha256(file) for name, file in files.items()},
        "data": data,
        "parameters": _effective_parameters(stage, shaping_sections(family)),
        "training": read_json(stage.input(family.name) / METRICS_FILE),
        "versions": {library: version(library) for library in family.release.libraries},
    }
    if base:
        lineage["base"] = base
    write_json(target / METRICS_FILE, numbers)
    write_json(target / "lineage.json", lineage)
    (target / MODEL_CARD).write_text(model_card(family, parameters, numbers, lineage, verdicts))
    return {
        "bytes": sum(file.stat().st_size for file in files.values()),
        "gates_passed": sum(verdict.passed for verdict in verdicts),
        "gates_failed": sum(not verdict.passed for verdict in verdicts),
    }


def _copy_model(stage: Stage, family: Family, contents: Release, target: Path) -> str | None:
    """Copy the model's files. Returns the name of the base model where the release is an adapter."""
    for file in release_files(stage.input(family.name), family.name, contents):
        shutil.copyfile(file, target / file.name)
    for file in model_files(stage.input(family.evaluate.name), contents.evaluation_files):
        shutil.copyfile(file, target / file.name)
    return add_base(stage, contents.base, target) if contents.base else None


def shaping_sections(family: Family) -> tuple[str, ...]:
    """The parameter sections that shaped a model, and those of the family whose weights it started from."""
    assert family.release is not None
    own = [stage.name for stage in family.stages if stage.parameters is not None]
    names = ["seed", *family.release.upstream_sections, *own, "bootstrap"]
    for other in RELEASED:
        if getattr(load(family.name, SECTIONS[family.name]), "pretrained", None) == other.name:
            names += shaping_sections(other)
    return tuple(dict.fromkeys(names))


def _effective_parameters(stage: Stage, names: tuple[str, ...]) -> dict[str, Any]:
    """The values of the sections, defaults included."""
    values: dict[str, Any] = {"scale": read_yaml(Path(PARAMS_FILE))["scale"]}
    for name in names:
        section = None if name == "seed" else stage.parameters(SECTIONS[name], name)
        values[name] = read_seed() if section is None else section.model_dump(mode="json")
    return values


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
