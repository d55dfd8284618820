"""The rules of this repository, computed from its source: names, directions of imports, dependencies of stages."""

import ast
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from assets.families import FAMILIES
from heddle.cli.libraries import declared_folders
from heddle.core.dependencies import SOURCES
from heddle.core.libraries import find_outdated

ROOT = Path(__file__).parents[1]
PACKAGES = ("assets", "dagster_project", "demo_shop", "heddle", "lightning_modules")
DVC = YAML(typ="safe").load(ROOT / "dvc.yaml")
STAGES = DVC["stages"]
ALLOWED_IMPORTS = {
    "demo_shop": {"demo_shop"},
    "lightning_modules": {"lightning_modules"},
    "heddle": {"heddle", "lightning_modules"},
    "assets": {"assets", "demo_shop", "heddle", "lightning_modules"},
}
"""Package -> the packages that it may import. Only ``dagster_project`` imports everything."""
PRIVATE_NAMES = {
    # httpx and httpcore: the address is checked after its name is resolved
    "assets/catalog/ssrf_httpx.py": {"_pool", "_network_backend"},
    "assets/catalog/ssrf_twisted.py": {"_reactor"},  # Twisted: likewise for Scrapy
    "assets/catalog/workers.py": {"_exit"},  # os._exit, which is documented
    "dagster_project/dagster_internals.py": {"_core", "_utils"},  # the state that Dagster's UI shows; cron lines
    "demo_shop/server.py": {"_exit"},
    "lightning_modules/training/phases.py": {"_ddp_kwargs"},  # Lightning's DDP: does it look for unused weights?
}
"""File -> the private names of other packages in it. A private name may change in any version: it has one adapter."""


def _source_files(package: str) -> Iterator[Path]:
    return (file for file in sorted((ROOT / package).rglob("*.py")) if "__pycache__" not in file.parts)


def _module_file(name: str) -> Path | None:
    """The file of a module or package of this repository."""
    base = ROOT.joinpath(*name.split("."))
    return next((file for file in (base.with_suffix(".py"), base / "__init__.py") if file.is_file()), None)


@cache
def _nodes(file: Path) -> list[ast.AST]:
    """Everything in the syntax tree of a file."""
    return list(ast.walk(ast.parse(file.read_text())))


@cache
def _imported_names(file: Path) -> list[str]:
    """Everything that a file imports, wherever the statement is: modules, and names of modules."""
    found = []
    for node in _nodes(file):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found += [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
    return found


@cache
def _imports(file: Path) -> set[Path]:
    """The files of this repository that a file imports."""
    names = [name for name in _imported_names(file) if name.split(".")[0] in PACKAGES]
    return {found for name in names if (found := _module_file(name))}


def _folder_of(stage: str) -> str:
    """The folder of a stage's program: ``assets/clip/train`` for ``python -m assets.clip.train``."""
    return STAGES[stage]["cmd"].removeprefix("python -m ").replace(".", "/")


def _closure(stage: str) -> set[Path]:
    """Every source file that a stage's program may import, relative to the root."""
    folder = ROOT / _folder_of(stage)
    found: set[Path] = set()
    queue = [folder / "__main__.py", folder / "stage.py"]
    while queue:
        file = queue.pop()
        if file not in found:
            found.add(file)
            queue += _imports(file)
    return {file.relative_to(ROOT) for file in found}


def _declared(stage: str) -> set[Path]:
    """The folders of code that a stage declares."""
    return {Path(path) for path in STAGES[stage]["deps"] if not path.startswith("data/") and path != str(SOURCES)}


@pytest.mark.parametrize("stage", STAGES)
def test_imports_stay_inside_the_declared_folders(stage):
    outside = sorted(
        file
        for file in _closure(stage)
        if not any(file.is_relative_to(folder) for folder in _declared(stage)) and not _is_package_docstring(file)
    )
    assert not outside, f"dvc.yaml: {stage}: declare the folders of {', '.join(map(str, outside))} under deps"


@pytest.mark.parametrize("stage", STAGES)
def test_every_declared_folder_is_used(stage):
    unused = [folder for folder in _declared(stage) if not any(file.is_relative_to(folder) for file in _closure(stage))]
    assert not unused, f"dvc.yaml: {stage}: imports nothing from {', '.join(map(str, unused))}; remove it from deps"


def test_own_data_are_a_dependency_of_catalog_and_ignored_by_git():
    assert [stage for stage in STAGES if str(SOURCES) in STAGES[stage]["deps"]] == ["catalog"]
    ignored = {"/sources/*", "!/sources/README.md"}
    assert ignored <= set((ROOT / ".gitignore").read_text().splitlines())
    assert (ROOT / SOURCES / "README.md").is_file()


@pytest.mark.parametrize("stage", STAGES)
def test_dependencies_are_folders_and_none_lies_in_another(stage):
    declared = _declared(stage)
    assert all((ROOT / folder).is_dir() for folder in declared)
    assert not [folder for folder in declared for other in declared if folder != other and folder.is_relative_to(other)]


def _is_package_docstring(file: Path) -> bool:
    """Whether a file is a package's ``__init__.py`` that only describes it, which no stage needs to declare."""
    body = ast.parse((ROOT / file).read_text()).body
    return file.name == "__init__.py" and all(isinstance(node, ast.Expr) for node in body)


@pytest.mark.parametrize("package", ["assets", "lightning_modules"])
def test_top_level_packages_only_describe_themselves(package):
    """Python runs these files before any stage, and no stage declares them."""
    assert _is_package_docstring(Path(package, "__init__.py"))


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_has_one_name_everywhere(stage):
    folder = ROOT / _folder_of(stage)
    assert (folder / "__main__.py").is_file()
    functions = [node.name for node in ast.parse((folder / "stage.py").read_text()).body if hasattr(node, "name")]
    assert stage in functions
    assert STAGES[stage]["outs"] == [f"data/{stage}"]
    assert STAGES[stage]["desc"].endswith(".")


def test_folders_name_the_pinned_versions_of_the_libraries_that_they_import():
    assert find_outdated(declared_folders(ROOT)) == {}, "run `heddle libraries` and commit the changed files"
    pins = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pinned = {re.split(r"[\[;]", pin.split("==")[0])[0].lower(): pin.split("==")[1] for pin in pins["dependencies"]}
    named = {line for file in ROOT.glob("*/**/libraries.txt") for line in file.read_text().splitlines()}
    versions = dict(line.split("==") for line in named)
    assert len(versions) == len(named), "one version of each library"
    normal = {name.replace("_", "-"): number for name, number in versions.items()}
    assert {name: normal[name] for name in normal.keys() & pinned.keys()} == {
        name: pinned[name] for name in normal.keys() & pinned.keys()
    }


def test_no_two_classes_have_the_same_name():
    files = [file for package in PACKAGES for file in _source_files(package)]
    names = Counter(node.name for file in files for node in _nodes(file) if isinstance(node, ast.ClassDef))
    assert [name for name, count in names.items() if count > 1] == []


@pytest.mark.parametrize("stage", sorted(STAGES.keys() - {stage.name for family in FAMILIES for stage in family.train}))
def test_what_trains_nothing_imports_no_lightning(stage):
    importers = [
        file for file in _closure(stage) if "lightning" in {n.split(".")[0] for n in _imported_names(ROOT / file)}
    ]
    assert importers == []


@pytest.mark.parametrize("package", ALLOWED_IMPORTS)
def test_imports_point_one_way(package):
    for file in _source_files(package):
        imported = {name.split(".")[0] for name in _imported_names(file)} & {*PACKAGES, "dagster"}
        assert imported <= ALLOWED_IMPORTS[package], f"{file.relative_to(ROOT)} imports {imported}"


def _private_names(file: Path) -> set[str]:
    """The names with a leading underscore that a file imports from, or reads of, what is not its own class.

    Names of this repository's own modules are its business; a module may use private names that it defines.
    """
    nodes = _nodes(file)
    attributes = [node for node in nodes if isinstance(node, ast.Attribute)]
    on_own_class = [node for node in attributes if ast.unparse(node.value) in ("self", "cls")]
    read = {node.attr for node in attributes if node not in on_own_class}
    own = {node.name for node in nodes if hasattr(node, "name")}
    own |= {node.attr for node in on_own_class if isinstance(node.ctx, ast.Store)}
    foreign = {name for name in _imported_names(file) if name.partition(".")[0] not in PACKAGES}
    imported = {part for name in foreign for part in name.split(".")}
    return {name for name in imported | (read - own) if re.match("_[^_]", name)}


@pytest.mark.parametrize("package", PACKAGES)
def test_private_names_of_other_packages_have_one_adapter(package):
    for file in _source_files(package):
        name = str(file.relative_to(ROOT))
        assert _private_names(file) <= PRIVATE_NAMES.get(name, set()), name


def test_every_metrics_file_is_listed_for_dvc():
    assert {f"data/{stage}/metrics.json" for stage in STAGES} == set(DVC["metrics"])
