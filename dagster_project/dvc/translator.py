"""How a stage of ``dvc.yaml`` looks as a Dagster asset. Subclass to look otherwise."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg

from dagster_project.dvc.project import StageState


class DagsterDvcTranslator:
    """Stage -> asset key, group, kinds, owners, tags and links to the source.

    Args:
        root: the project's root, for links from the UI to the source files.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def asset_key(self, stage: str) -> dg.AssetKey:
        """One name everywhere: the asset is called as the stage."""
        return dg.AssetKey(stage)

    def metadata(self, stage: StageState) -> Mapping[str, Any]:
        """Command, output and a link to the line of ``dvc.yaml`` and the module that computes the stage."""
        program = self.root.joinpath(*stage.command.rpartition(" ")[2].split("."), "stage.py")
        sources = [(self.root / "dvc.yaml", self._line(stage.name))]
        sources += [(program, 1)] if program.is_file() else []
        references: list[dg.LocalFileCodeReference | dg.UrlCodeReference] = [
            dg.LocalFileCodeReference(file_path=str(file), line_number=line, label=file.name) for file, line in sources
        ]
        return {
            "command": stage.command,
            "output": dg.MetadataValue.path(str(stage.output)),
            "dagster/code_references": dg.CodeReferencesMetadataValue(code_references=references),
        }

    def spec(self, stage: StageState) -> dg.AssetSpec:
        """The asset of a stage; facts that only Dagster needs come from ``meta: {dagster: …}``."""
        return dg.AssetSpec(
            key=self.asset_key(stage.name),
            deps=[self.asset_key(name) for name in stage.upstream],
            description=stage.description,
            group_name=stage.meta.get("group"),
            kinds={"dvc", *stage.meta.get("kinds", [])},
            owners=stage.meta.get("owners"),
            code_version=stage.code_version,
            metadata=self.metadata(stage),
            automation_condition=on_new_data(),
        )

    def _line(self, stage: str) -> int:
        lines = (self.root / "dvc.yaml").read_text().splitlines()
        return next((number for number, line in enumerate(lines, 1) if line.strip() == f"{stage}:"), 1)


def on_new_data() -> dg.AutomationCondition:
    """Run when an input has other bytes than before, not merely when it was made again.

    ``AutomationCondition.eager`` fires on every rerun of an input; here a rerun that gives the same bytes ends there.
    """
    new_data = dg.AutomationCondition.any_deps_match(dg.AutomationCondition.data_version_changed())
    return (
        dg.AutomationCondition.eager()
        .replace(dg.AutomationCondition.any_deps_updated(), new_data)
        .with_label("on new data")
    )
