"""The section ``reproduce``: commands, the parameters of this run and all metrics."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from assets.report.report_data import ReportData
from heddle.core.parameters.section import read_yaml
from heddle.evaluation.metric_tree import leaves

COMMANDS = {
    "dvc repro": "run the stale stages",
    "heddle verify": "clone, run every stage, compare every hash with dvc.lock",
    "dvc metrics diff": "compare with the last commit",
}


def reproduce(data: ReportData, declared: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """The content of the section.

    Args:
        data: outputs of all stages.
        declared: parameter file -> the sections that this stage declares in dvc.yaml. The page shows no others, so
            that DVC sees every edit that changes the page.
    """
    commands = COMMANDS | {f"dvc exp run -S seed={data.seed + 1}": "run with another seed"}
    width = max(map(len, commands))
    files = [(Path(file.replace("${scale}", data.scale)), sections) for file, sections in declared.items()]
    return {
        "commands": [f"{command:{width}}  # {what}" for command, what in commands.items()],
        "files": [{"name": str(file), "content": _shown(file, sections)} for file, sections in files],
        "metrics": [
            {"name": name, "metrics": list(leaves(metrics))} for name, metrics in data.metrics.items() if metrics
        ],
    }


def _shown(file: Path, sections: Sequence[str]) -> str:
    """The sections as plain YAML, in the order of the file."""
    content = {key: value for key, value in read_yaml(file).items() if key in sections}
    yaml = YAML(typ="safe", pure=True)
    yaml.width = 160
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    buffer = io.StringIO()
    yaml.dump(content, buffer)
    return buffer.getvalue()
