"""A folder names the versions of the libraries that its modules import, and nothing else."""

from importlib.metadata import version
from pathlib import Path

import pytest

from heddle.core.libraries import LibraryError, check_libraries, find_outdated


def _module(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.py").write_text(text)
    return folder


def test_imports_anywhere_in_a_module_count_and_own_and_standard_packages_do_not(tmp_path: Path) -> None:
    text = (
        "import json\nimport heddle.core\nfrom PIL import Image\nfrom . import there\ndef f():\n    import numpy.fft\n"
    )
    folder = _module(tmp_path / "code", "module", text)
    expected = f"numpy=={version('numpy')}\npillow=={version('pillow')}\n"
    assert find_outdated([folder]) == {folder / "libraries.txt": expected}


def test_libraries_that_change_no_byte_are_left_out(tmp_path: Path) -> None:
    folder = _module(tmp_path, "module", "import rich\nimport click\n")
    assert find_outdated([folder]) == {}


def test_local_part_of_a_version_is_left_out(tmp_path: Path) -> None:
    folder = _module(tmp_path, "module", "import torch\n")
    assert "+" not in find_outdated([folder])[folder / "libraries.txt"]


def test_a_declared_folder_inside_another_has_its_own_file(tmp_path: Path) -> None:
    outer, inner = _module(tmp_path, "module", "import numpy\n"), _module(tmp_path / "inner", "module", "import PIL\n")
    texts = find_outdated([outer, inner])
    assert "pillow" not in texts[outer / "libraries.txt"]
    assert "numpy" not in texts[inner / "libraries.txt"]
    assert "pillow" in find_outdated([outer])[outer / "libraries.txt"]


def test_file_of_a_folder_that_imports_nothing_any_more_is_outdated(tmp_path: Path) -> None:
    folder = _module(tmp_path, "module", "import json\n")
    (folder / "libraries.txt").write_text("numpy==1.0\n")
    assert find_outdated([folder]) == {folder / "libraries.txt": ""}


def test_package_that_is_not_installed_names_folder_and_remedy(tmp_path: Path) -> None:
    folder = _module(tmp_path, "module", "import no_such_package\n")
    with pytest.raises(LibraryError, match=r"imports no_such_package, which is not installed; run `make install`"):
        find_outdated([folder])


def test_other_versions_than_installed_are_refused_with_both(tmp_path: Path) -> None:
    folder = tmp_path / "code/inner"
    folder.mkdir(parents=True)
    (folder / "libraries.txt").write_text("numpy==0.1\nno-such-library==2\n")
    with pytest.raises(LibraryError) as error:
        check_libraries([tmp_path / "code"])
    assert f"{folder}/libraries.txt: numpy 0.1, installed: {version('numpy')}" in str(error.value)
    assert "no-such-library 2, installed: none" in str(error.value)
    assert "run `make install`" in str(error.value)


def test_installed_versions_pass(tmp_path: Path) -> None:
    folder = _module(tmp_path, "module", "import numpy\nimport torch\n")
    for file, text in find_outdated([folder]).items():
        file.write_text(text)
    check_libraries([folder])
    assert find_outdated([folder]) == {}
