"""The model card: Hugging Face's front matter and what a person must know before using the weights."""

import io
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from ruamel.yaml import YAML

from assets.release.base import BASE
from assets.release.families import Family
from assets.release.parameters import ReleaseParameters
from heddle.evaluation.gates import Verdict
from heddle.evaluation.measures import measures

ASSETS = Path(__file__).parents[1]
"""Each family's card lies in its own folder and extends ``release/base_card.md.j2``."""


def model_card(
    family: Family,
    parameters: ReleaseParameters,
    numbers: Mapping[str, float],
    lineage: Mapping[str, Any],
    verdicts: Sequence[Verdict],
) -> str:
    """README.md of a release folder.

    Args:
        family: the model's kind; its name picks the template.
        parameters: the owner's word.
        numbers: of the evaluation, from which the family picks.
        lineage: as written to lineage.json.
        verdicts: the model's gates, judged.
    """
    numbers = {name: value for name, value in numbers.items() if re.fullmatch(family.numbers, name)}
    environment = Environment(
        loader=FileSystemLoader(ASSETS), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["figure"] = figure
    template = environment.get_template(f"{family.name}/card.md.j2")
    return template.render(
        front_matter=_yaml(front_matter(family, parameters, numbers, lineage.get("base"))),
        evaluation=family.evaluation,
        judged_on=family.judged_on,
        base=lineage.get("base"),
        licence=parameters.licence,
        numbers=numbers,
        measures=list(measures(numbers)),
        verdicts=verdicts,
        data=lineage["data"],
        training=lineage["training"],
        settings=flat(lineage["parameters"]),
        versions=lineage["versions"],
        files=lineage["files"],
    )


def front_matter(
    family: Family, parameters: ReleaseParameters, numbers: Mapping[str, float], base: str | None
) -> dict[str, Any]:
    """What the Hub reads: https://huggingface.co/docs/hub/model-cards#model-card-metadata."""
    origin = {} if base in (None, BASE) else {"base_model": base.partition("@")[0]}
    results = {
        "task": {"type": family.task},
        "dataset": {"name": f"held-out {family.judged_on}", "type": family.judged_on, "split": "test"},
        "metrics": [{"type": one.key, "value": one.value} for one in measures(numbers)],
    }
    return {
        "language": list(parameters.languages),
        "license": parameters.licence,
        "library_name": "peft" if base else family.library,
        **origin,
        "pipeline_tag": family.task,
        "tags": ["heddle", family.name],
        "model-index": [{"name": family.name, "results": [results]}],
    }


def flat(value: Any, prefix: str = "") -> dict[str, str]:
    """Nested parameters as ``clip.trainer.max_epochs``, each value as JSON."""
    if not isinstance(value, Mapping):
        return {prefix: json.dumps(value, ensure_ascii=False)}
    rows: dict[str, str] = {}
    for key, inner in value.items():
        rows |= flat(inner, f"{prefix}.{key}" if prefix else str(key))
    return rows


def figure(value: float | None) -> str:
    """Four decimals, whole numbers as such, nothing for None."""
    if value is None:
        return ""
    return f"{int(value):,}" if value == int(value) else f"{value:.4f}"


def _yaml(content: Mapping[str, Any]) -> str:
    buffer = io.StringIO()
    yaml = YAML()
    yaml.default_flow_style = False
    yaml.dump(dict(content), buffer)
    return buffer.getvalue().strip()
