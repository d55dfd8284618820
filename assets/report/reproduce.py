"""The section ``reproduce``: commands, the parameters of this run and all metrics."""

import io
from typing import Any

from ruamel.yaml import YAML

from assets.report.report_data import ReportData
from heddle.evaluation.metric_tree import leaves

COMMANDS = {
    "dvc repro": "run the stale stages",
    "heddle verify": "clone, run every stage, compare every hash with dvc.lock",
    "dvc metrics diff": "compare with the last commit",
}


def reproduce(data: ReportData) -> dict[str, Any]:
    """The content of the section."""
    commands = COMMANDS | {f"dvc exp run -S seed={data.seed + 1}": "run with another seed"}
    width = max(map(len, commands))
    return {
        "commands": [f"{command:{width}}  # {purpose}" for command, purpose in commands.items()],
        "parameters": [{"name": name, "content": _as_yaml(values)} for name, values in data.parameters.items()],
        "metrics": [
            {"name": name, "metrics": list(leaves(metrics))} for name, metrics in data.metrics.items() if metrics
        ],
    }


def _as_yaml(values: Any) -> str:
    yaml = YAML(typ="safe", pure=True)
    yaml.width = 160
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    buffer = io.StringIO()
    yaml.dump(values, buffer)
    return buffer.getvalue().removesuffix("...\n")
