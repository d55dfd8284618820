"""Map a stage of ``dvc.yaml`` to a Dagster asset. Subclass the translator to change the mapping."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg

from dagster_project.dvc.project import StageState


class DagsterDvcTranslator:
    """Stage -> asset key, group, kinds, owners and links to the source.

    Example: prefix every asset key with the name of a team::

        class TeamTranslator(DagsterDvcTranslator):
            def asset_key(self, stage: str) -> dg.AssetKey:
                return dg.AssetKey(["catalogue_team", stage])

    Args:
        root: project root, for links from the UI to the source files.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def asset_key(self, stage: str) -> dg.AssetKey:
        """The asset key of a stage: its name."""
        return dg.AssetKey(stage)

    def metadata(self, stage: StageState) -> Mapping[str, Any]:
        """Command, output folder, and links to the stage in ``dvc.yaml`` and to its ``stage.py``."""
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
        """The asset spec of a stage. Settings that only Dagster needs are in ``meta: {dagster: …}`` of ``dvc.yaml``."""
        return dg.AssetSpec(
            key=self.asset_key(stage.name),
            deps=[self.asset_key(name) for name in stage.upstream],
            description=stage.description,
            group_name=stage.meta.get("group"),
            kinds={"dvc", *stage.meta.get("kinds", [])},
            owners=stage.meta.get("owners"),
            code_version=stage.code_version,
            metadata=self.metadata(stage),
            automation_condition=new_data_condition(),
        )

    def _line(self, stage: str) -> int:
        lines = (self.root / "dvc.yaml").read_text().splitlines()
        return next((number for number, line in enumerate(lines, 1) if line.strip() == f"{stage}:"), 1)


def new_data_condition() -> dg.AutomationCondition:
    """Run when the bytes of an input changed.

    ``AutomationCondition.eager`` fires on every rerun of an input. This condition ignores reruns with equal bytes.
    """
    new_data = dg.AutomationCondition.any_deps_match(dg.AutomationCondition.data_version_changed())
    return (
        dg.AutomationCondition.eager()
        .replace(dg.AutomationCondition.any_deps_updated(), new_data)
        .with_label("on new data")
    )
