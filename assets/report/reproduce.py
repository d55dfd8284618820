"""How to get this page again: commands, the parameters that were used, every number."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from assets.report.report_data import ReportData
from heddle.core.parameters.section import read_yaml

COMMANDS = {
    "dvc repro": "run what is stale, nothing else",
    "heddle verify": "clone, run everything anew, compare every hash with dvc.lock",
    "dvc metrics diff": "what changed against the last commit",
}


def reproduce(data: ReportData, declared: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """What the template `reproduce` shows.

    Args:
        data: what the stages left behind.
        declared: file to the sections of it that this stage declares in dvc.yaml: no others are shown, so that an
            edit that changes the page is never one that DVC cannot see.
    """
    commands = COMMANDS | {f"dvc exp run -S seed={data.seed + 1}": "the same with another seed"}
    width = max(map(len, commands))
    files = [(Path(file.replace("${scale}", data.scale)), sections) for file, sections in declared.items()]
    return {
        "commands": [f"{command:{width}}  # {what}" for command, what in commands.items()],
        "files": [{"name": str(file), "content": _shown(file, sections)} for file, sections in files],
        "metrics": [
            {"name": name, "numbers": sorted(numbers.items())} for name, numbers in data.metrics.items() if numbers
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
