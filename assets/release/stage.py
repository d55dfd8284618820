"""The stage `release`: gather each model with everything that tells what it is and how it came to be."""

import hashlib
import shutil
from collections import Counter
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from assets.release.base import add_base
from assets.release.card import model_card
from assets.release.families import CLIP, FAMILIES, Family
from assets.release.files import MODEL_CARD, family_files
from assets.release.parameters import ReleaseParameters
from heddle.core.parameters.section import PARAMS_FILE, read_yaml, scale_file
from heddle.core.skipped import skip_reason
from heddle.core.stage import METRICS_FILE, Metrics, Stage, read_json, write_json
from heddle.evaluation.gate_parameters import Gates
from heddle.evaluation.gates import Verdict, judge

DATA_STAGES = ("catalog", "validated", "shards")


def release(stage: Stage) -> Metrics:
    """Write data/release/<model>/ for every model that there is."""
    parameters = stage.parameters(ReleaseParameters)
    data = data_statistics(stage)
    evaluations = {family.evaluation: read_json(stage.input(family.evaluation) / METRICS_FILE) for family in FAMILIES}
    verdicts = judge(stage.parameters(Gates, "gates"), evaluations)
    metrics: dict[str, float] = {"models": 0}
    for family in FAMILIES:
        if reason := skip_reason(stage.input(family.name)):
            stage.progress(f"{family.name} is left out: {reason}")
            metrics[f"{family.name}_absent"] = 1
            continue
        stage.progress(family.name)
        mine = [verdict for verdict in verdicts if verdict.model == family.name]
        metrics |= _write(stage, family, parameters, data, mine)
        metrics["models"] += 1
    return metrics


def data_statistics(stage: Stage) -> dict[str, Any]:
    """How many listings, from where, under which licences, with which labels."""
    table = pq.read_table(stage.input("validated") / "listings.parquet", columns=["source", "licence"])
    counts = {name: Counter(table.column(name).to_pylist()) for name in table.column_names}
    return {
        "sources": dict(sorted(counts["source"].items())),
        "licences": {name or "not stated": count for name, count in sorted(counts["licence"].items(), key=str)},
        "labels": read_json(stage.input("shards") / "labels.json"),
        "numbers": {name: read_json(stage.input(name) / METRICS_FILE) for name in DATA_STAGES},
    }


def _write(
    stage: Stage, family: Family, parameters: ReleaseParameters, data: dict[str, Any], verdicts: list[Verdict]
) -> Metrics:
    source, target = stage.input(family.name), stage.output / family.name
    target.mkdir()
    learned = [stage.input(family.evaluation) / name for name in family.files_of_evaluation]
    for file in [*family_files(source, family), *(file for file in learned if file.is_file())]:
        shutil.copyfile(file, target / file.name)
    base = add_base(stage, family.base, target) if family.base else None
    files = {str(file.relative_to(target)): file for file in sorted(target.rglob("*")) if file.is_file()}
    numbers = read_json(stage.input(family.evaluation) / METRICS_FILE)
    lineage = {
        "model": family.name,
        "files": {name: _sha256(file) for name, file in files.items()},
        "data": data,
        "parameters": _sections(_shaping(family)),
        "training": read_json(source / METRICS_FILE),
        "versions": {library: version(library) for library in family.libraries},
    }
    if base:
        lineage["base"] = base
    write_json(target / METRICS_FILE, numbers)
    write_json(target / "lineage.json", lineage)
    (target / MODEL_CARD).write_text(model_card(family, parameters, numbers, lineage, verdicts))
    return {
        f"{family.name}_bytes": sum(file.stat().st_size for file in files.values()),
        f"{family.name}_gates_passed": sum(verdict.passed for verdict in verdicts),
        f"{family.name}_gates_failed": sum(not verdict.passed for verdict in verdicts),
    }


def _shaping(family: Family) -> tuple[str, ...]:
    """The sections that shaped a model: its family's, and those of `clip` where it began with that model's tower."""
    began_with_clip = _sections((family.name,))[family.name].get("pretrained") == CLIP.name
    return tuple(dict.fromkeys([*family.parameters, *(CLIP.parameters if began_with_clip else ())]))


def _sections(names: tuple[str, ...]) -> dict[str, Any]:
    """The sections as the files state them; the stages that used them have already checked them."""
    params, scale = read_yaml(Path(PARAMS_FILE)), read_yaml(scale_file())
    joined: dict[str, Any] = {"scale": params["scale"]}
    for name in names:
        value = params.get(name)
        joined[name] = {**(value or {}), **(scale.get(name) or {})} if not isinstance(value, int) else value
    return joined


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
