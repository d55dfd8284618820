"""Enter a model family into ``dvc.yaml`` as text, so that comments and layout stay as they are."""

import re

STAGES = """\
  {name}:
    desc: Train the {name} model.
    cmd: python -m assets.{name}.train
    deps:
      [assets/{name}/train, heddle/core, heddle/training, lightning_modules/{name}, lightning_modules/layers,
       lightning_modules/training, data/shards]
    params:
      - params.yaml: [compute, seed, {name}]
    outs: [data/{name}]
    meta: {{dagster: {{group: models, kinds: [pytorch], pool: training, headline: validation_loss}}}}

  {name}_evaluation:
    desc: Evaluate the {name} model on the test split.
    cmd: python -m assets.{name}.evaluate
    deps:
      [assets/{name}/evaluate, heddle/core, heddle/evaluation, heddle/metrics, lightning_modules/{name},
       lightning_modules/layers, lightning_modules/training, data/shards, data/{name}]
    params:
      - params.yaml: [bootstrap, seed]
    outs: [data/{name}_evaluation]
    meta: {{dagster: {{group: evaluation, kinds: [pytorch], headline: item.accuracy}}}}

"""
ARTIFACT = """\
  {name}:
    path: data/release/{name}
    type: model
    desc: Predicts the item of a listing from its title.
"""
RELEASING_STAGE = "release"
COLLECTING_STAGES = (RELEASING_STAGE, "report")
"""The stages that read the outputs of all families."""


def add_family(text: str, name: str) -> str:
    """``dvc.yaml`` with the two stages of a family, its metrics, its artifact and its inputs to release and report.

    Args:
        text: content of ``dvc.yaml``.
        name: of the family.
    """
    stages = [name, f"{name}_evaluation"]
    for collecting in COLLECTING_STAGES:
        text = _append(text, rf"(?ms)^  {collecting}:\n.*?^    deps:.*?\]", [f"data/{stage}" for stage in stages])
    text = _append(text, rf"(?ms)^  {RELEASING_STAGE}:\n.*?^      - params\.yaml:.*?\]", [name])
    text = _append(text, r"(?ms)^metrics:.*?\]", [f"data/{stage}/metrics.json" for stage in stages])
    text = re.sub(rf"(?m)^(?=  {RELEASING_STAGE}:\n)", STAGES.format(name=name), text, count=1)
    return text.rstrip() + "\n" + ARTIFACT.format(name=name)


def _append(text: str, pattern: str, items: list[str]) -> str:
    """Add items to the flow list whose closing bracket ends the first match of ``pattern``."""
    found = re.search(pattern, text)
    if found is None:
        raise ValueError(f"dvc.yaml: no list matches {pattern}")
    end = found.end() - 1
    return text[:end] + "".join(f",\n       {item}" for item in items) + text[end:]
