"""The model card: Hugging Face's front matter and what a person must know before using the weights."""

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import DoubleQuotedScalarString as Quoted

from assets.release.base import BASE
from assets.release.licences import hub_licence, normalize_licence
from assets.release.markdown import escape
from assets.release.parameters import ReleaseParameters
from heddle.evaluation.gates import Verdict
from heddle.evaluation.metric_tree import MetricTree, MetricValue, leaves
from heddle.families.family import Family

ASSETS = Path(__file__).parents[1]
"""Each family's card lies in its own folder and extends ``release/base_card.md.j2``."""


def model_card(
    family: Family,
    parameters: ReleaseParameters,
    metrics: MetricTree,
    lineage: Mapping[str, Any],
    verdicts: Sequence[Verdict],
) -> str:
    """README.md of a release folder.

    Args:
        family: of the model; the card's template lies in its folder.
        parameters: licence and languages.
        metrics: of the evaluation.
        lineage: as written to lineage.json.
        verdicts: of the model's gates.
    """
    assert family.release is not None
    systems = family.release.card_systems
    shown = [metric for metric in leaves(metrics) if not systems or metric.path.split(".")[0] in systems]
    environment = Environment(  # noqa: S701 - `finalize` escapes for Markdown, which contains HTML
        loader=FileSystemLoader(ASSETS),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=escape,
    )
    environment.filters["figure"] = figure
    template = environment.get_template(f"{family.name}/card.md.j2")
    return template.render(
        front_matter=Markup(_yaml(front_matter(family, parameters, shown, lineage.get("base")))),  # noqa: S704 - YAML
        family=family,
        evaluated_on=family.release.evaluated_on,
        base=lineage.get("base"),
        licence=normalize_licence(parameters.licence),
        numbers=metrics,
        metrics=shown,
        verdicts=verdicts,
        data=lineage["data"],
        training=lineage["training"],
        settings=flat(lineage["parameters"]),
        versions=lineage["versions"],
        files=lineage["files"],
    )


def front_matter(
    family: Family, parameters: ReleaseParameters, metrics: Sequence[MetricValue], base: str | None
) -> dict[str, Any]:
    """What the Hub reads: https://huggingface.co/docs/hub/model-cards#model-card-metadata.

    Texts from outside are quoted: in YAML 1.1, `no` (Norwegian) without quotes is false.
    """
    assert family.release is not None
    release = family.release
    origin = {} if base in (None, BASE) else {"base_model": Quoted(base.partition("@")[0])}
    results = {
        "task": {"type": release.task},
        "dataset": {"name": f"held-out {release.evaluated_on}", "type": release.evaluated_on, "split": "test"},
        "metrics": [{"type": metric.path, "value": metric.value} for metric in metrics],
    }
    return {
        "language": [Quoted(language) for language in parameters.languages],
        **{key: Quoted(value) for key, value in hub_licence(parameters.licence).items()},
        "library_name": "peft" if base else release.library,
        **origin,
        "pipeline_tag": release.task,
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


def figure(value: float | None) -> Markup:
    """Four decimals, whole numbers as such, nothing for None."""
    if value is None:
        return Markup()
    return Markup(f"{int(value):,}" if value == int(value) else f"{value:.4f}")  # noqa: S704 - digits


def _yaml(content: Mapping[str, Any]) -> str:
    buffer = io.StringIO()
    yaml = YAML()
    yaml.default_flow_style = False
    yaml.dump(dict(content), buffer)
    return buffer.getvalue().strip()
