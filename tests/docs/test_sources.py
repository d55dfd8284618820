"""Every YAML block of docs/sources.md is valid, and every kind of source has one."""

import re
from pathlib import Path
from typing import get_args

import pytest
from ruamel.yaml import YAML

from dagster_project.parameters import SECTIONS
from heddle.sources.parameters import CatalogParameters

PAGE = (Path(__file__).parents[2] / "docs/sources.md").read_text()
BLOCKS = [YAML(typ="safe").load(block) for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)]


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_block_of_sources_page_is_valid(number: int) -> None:
    for name, section in BLOCKS[number].items():
        assert SECTIONS[name].model_validate(section).model_fields_set == section.keys()


def test_sources_page_shows_every_kind() -> None:
    (sources,) = get_args(CatalogParameters.model_fields["sources"].annotation)[:1]
    union = get_args(sources)[0] if get_args(sources) else sources
    kinds = {get_args(source.model_fields["kind"].annotation)[0] for source in get_args(union)}
    shown = {source["kind"] for block in BLOCKS for source in block.get("catalog", {}).get("sources", [])}
    assert kinds
    assert kinds - {"demo"} == shown
