"""Versions of the libraries that a folder of code imports, in its file ``libraries.txt``.

DVC hashes the folders that a stage declares, and so these files: a stage is stale after an upgrade of a library that
one of its folders imports, and of no other. ``heddle libraries``, which ``make install`` calls, writes the files, and
they are committed. A stage does not run with other versions than its files name.
"""

import ast
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path

from heddle.core.errors import UserError

LIBRARIES_FILE = "libraries.txt"
OWN = frozenset({"assets", "dagster_project", "demo_shop", "heddle", "lightning_modules"})
WITHOUT_BYTES = frozenset(
    {
        "click",
        "dvc",
        "filelock",
        "psutil",
        "pydantic",
        "pydantic_core",
        "rich",
        "ruamel.yaml",
        "ruamel.yaml.clib",
        "tenacity",
    }
)
"""Libraries that read parameters, print, lock, wait or start processes. They change no byte of an output."""


class LibraryError(UserError):
    """The installed libraries are not those of a ``libraries.txt``."""


def installed_version(library: str) -> str:
    """Version without the local part: ``2.13.0`` for torch ``2.13.0+cpu``.

    Raises:
        PackageNotFoundError: the library is not installed.
    """
    return version(library).partition("+")[0]


def find_outdated(folders: Collection[Path]) -> dict[Path, str]:
    """Compare the files of folders with their imports and the installed versions.

    Args:
        folders: the folders that ``dvc.yaml`` declares. One inside another has its own file.

    Returns:
        Each file that is missing or wrong, with the text that it should have; "" where it should not exist.

    Raises:
        LibraryError: an imported package is not installed.
    """
    found = {}
    for folder in folders:
        inner = [other for other in folders if other != folder and other.is_relative_to(folder)]
        file, text = folder / LIBRARIES_FILE, _text(_find_libraries(folder, inner))
        if text != (file.read_text() if file.is_file() else ""):
            found[file] = text
    return found


def check_libraries(folders: Iterable[Path]) -> None:
    """Check that the installed libraries are those that the files in these folders name.

    Raises:
        LibraryError: with one line for each difference: file, library, both versions, remedy.
    """
    files = [file for folder in folders if folder.is_dir() for file in sorted(folder.rglob(LIBRARIES_FILE))]
    differences = [difference for file in files for difference in _differences(file)]
    if differences:
        remedy = "run `make install`, which rewrites the file or installs the pinned versions, and commit what changed"
        raise LibraryError("\n".join([*differences, remedy]))


def _find_libraries(folder: Path, inner: Collection[Path]) -> dict[str, str]:
    files = [file for file in folder.rglob("*.py") if not any(file.is_relative_to(other) for other in inner)]
    packages = {package for file in files for package in _imported_packages(file)}
    missing = sorted(packages - _distributions().keys())
    if missing:
        raise LibraryError(f"{folder}: imports {', '.join(missing)}, which is not installed; run `make install`")
    libraries = {library.lower() for package in packages for library in _distributions()[package]}
    return {library: installed_version(library) for library in sorted(libraries - WITHOUT_BYTES)}


def _text(libraries: Mapping[str, str]) -> str:
    return "".join(f"{name}=={number}\n" for name, number in libraries.items())


def _differences(file: Path) -> Iterator[str]:
    for line in file.read_text().splitlines():
        library, _, expected = line.partition("==")
        try:
            found = installed_version(library)
        except PackageNotFoundError:
            found = "none"
        if found != expected:
            yield f"{file}: {library} {expected}, installed: {found}"


def _imported_packages(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_bytes())):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        for name in names:
            package = name.partition(".")[0]
            if package not in OWN and package not in sys.stdlib_module_names:
                yield package


@cache
def _distributions() -> Mapping[str, list[str]]:
    return packages_distributions()
