"""The rules of the house, computed from the source."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[1]
FIRST_PARTY = ("assets", "lightning_modules", "demo_shop", "dagster_project")
DVC = YAML(typ="safe").load(ROOT / "dvc.yaml")
STAGES = DVC["stages"]


def _module_file(name: str) -> Path | None:
    """The file of a first-party module or package."""
    base = ROOT.joinpath(*name.split("."))
    for file in (base.with_suffix(".py"), base / "__init__.py"):
        if file.is_file():
            return file
    return None


def _imports(file: Path) -> Iterator[str]:
    """The first-party modules that a file imports, wherever the statement stands."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        yield from (name for name in names if name.split(".")[0] in FIRST_PARTY and _module_file(name))


def closure(entry: Path) -> set[str]:
    """Every first-party file that running ``entry`` can read: modules, their packages and the packages' templates."""
    found: set[Path] = set()
    queue = [entry]
    while queue:
        file = queue.pop()
        if file in found:
            continue
        found.add(file)
        for parent in file.relative_to(ROOT).parents[:-1]:
            queue.append(ROOT / parent / "__init__.py")
        queue += [imported for name in _imports(file) if (imported := _module_file(name))]
    folders = {file.parent for file in found}
    templates = {file for folder in folders for file in (folder / "templates").rglob("*") if file.is_file()}
    return {str(file.relative_to(ROOT)) for file in found | templates}


def entry(stage: str) -> Path:
    """The program that a stage's command runs."""
    package = ROOT / "assets" / stage / "__main__.py"
    return package if package.is_file() else ROOT / "assets" / f"{stage}.py"


@pytest.mark.parametrize("stage", STAGES)
def test_code_dependencies_are_the_import_closure(stage):
    declared = {path for path in STAGES[stage]["deps"] if not path.startswith(("data/", "params.yaml", "scales/"))}
    wanted = closure(entry(stage))
    listing = "\n".join(f"      - {path}" for path in sorted(wanted))
    assert declared == wanted, f"dvc.yaml: {stage}: deps should be\n{listing}"


@pytest.mark.parametrize("stage", STAGES)
def test_one_name_everywhere(stage):
    assert entry(stage).is_file()
    assert STAGES[stage]["cmd"] == f"python -m assets.{stage}"
    assert STAGES[stage]["outs"] == [f"data/{stage}"]
    assert STAGES[stage]["desc"].endswith(".")


@pytest.mark.parametrize(
    ("package", "allowed"),
    [
        ("lightning_modules", {"lightning_modules"}),
        ("demo_shop", {"demo_shop"}),
        ("assets", {"assets", "lightning_modules", "demo_shop"}),
    ],
)
def test_imports_point_one_way(package, allowed):
    for file in (ROOT / package).rglob("*.py"):
        for name in _imports(file):
            assert name.split(".")[0] in allowed, f"{file} imports {name}"


def test_only_the_orchestrator_imports_dagster():
    for package in ("assets", "lightning_modules", "demo_shop"):
        for file in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                assert not any(name.split(".")[0].startswith("dagster") for name in names), file


def test_every_metrics_file_is_listed_for_dvc():
    assert {f"data/{stage}/metrics.json" for stage in STAGES} == set(DVC["metrics"])
