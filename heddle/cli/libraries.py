"""``heddle libraries``: write the versions of the imported libraries into the folders of code."""

from pathlib import Path

from rich.console import Console

from heddle.core.dependencies import DVC_FILE, is_data
from heddle.core.libraries import find_outdated
from heddle.core.parameters.section import read_yaml


def declared_folders(root: Path) -> list[Path]:
    """The folders of code that the stages in ``dvc.yaml`` declare, sorted."""
    stages = read_yaml(root / DVC_FILE)["stages"].values()
    paths = {path for stage in stages for path in stage.get("deps", []) if not is_data(Path(path))}
    return sorted(root / path for path in paths if (root / path).is_dir())


def update_libraries(root: Path, console: Console, *, check: bool) -> bool:
    """Write the outdated files, or only print them. Returns whether any was outdated.

    Raises:
        LibraryError: an imported package is not installed.
    """
    outdated = find_outdated(declared_folders(root))
    for file, text in outdated.items():
        if not check:
            file.write_text(text) if text else file.unlink()
        console.print(
            f"{file.relative_to(root)}: {'outdated' if check else 'updated'}", highlight=False, soft_wrap=True
        )
    return bool(outdated)
