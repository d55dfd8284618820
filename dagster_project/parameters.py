"""Check every section of the parameters at once, before a stage runs on them."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from assets import sections
from dagster_project.schedules import Schedules
from heddle.core.parameters.section import PARAMS_FILE, ParameterError, Section, load, read_yaml, scale_file
from heddle.core.parameters.shared import read_seed
from heddle.description.parameters import DescribeParameters
from heddle.monitoring.parameters import DriftParameters
from heddle.publishing.parameters import PublishedContentParameters
from heddle.stores.parameters import PublishedIndexParameters

SECTIONS: Mapping[str, type[Section]] = {
    **sections.SECTIONS,
    "describe": DescribeParameters,
    "drift": DriftParameters,
    "published_content": PublishedContentParameters,
    "published_index": PublishedIndexParameters,
    "schedules": Schedules,
}
"""Section name -> its class. A section that no stage of the graph reads may be missing from the files."""

VALUES = ("scale", "seed")
ORCHESTRATOR_SECTIONS = ("gates", "published_index", "schedules")


def written_sections(root: Path) -> set[str]:
    """Return the names that ``params.yaml`` and the scale file contain, known or not."""
    return {name for file in (root / PARAMS_FILE, scale_file(root)) for name in read_yaml(file)}


def find_unknown_sections(root: Path, declared: Iterable[str] = ()) -> list[str]:
    """Return one line for each section in the files that has no class and that no stage declares."""
    known = {*declared, *SECTIONS, *VALUES}
    return [
        f"{file}: {name}: unknown section; allowed: {', '.join(sorted(known))}"
        for file in (root / PARAMS_FILE, scale_file(root))
        for name in read_yaml(file)
        if name not in known
    ]


def check_parameters(root: Path, declared: Iterable[str]) -> None:
    """Check each section that is in the files or that a stage declares.

    Args:
        root: the project's root.
        declared: the sections that the stages of ``dvc.yaml`` read.

    Raises:
        ParameterError: one line for each mistake in any section: file, key, found, allowed.
    """
    expected = {*declared, *ORCHESTRATOR_SECTIONS} - set(VALUES)
    mistakes = find_unknown_sections(root, expected)
    for name in sorted((written_sections(root) | expected) & SECTIONS.keys()):
        try:
            load(name, SECTIONS[name], root)
        except ParameterError as error:
            mistakes.append(str(error))
    try:
        read_seed(root)
    except ParameterError as error:
        mistakes.append(str(error))
    if mistakes:
        raise ParameterError("\n".join(mistakes))
