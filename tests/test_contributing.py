"""Every path that CONTRIBUTING.md and the glossary name exists."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text()
GLOSSARY = (ROOT / "docs/glossary.md").read_text().partition("## Retired words")[0]
SUFFIXES = (".py", ".md", ".yaml", ".j2")


def paths_in_prose(text: str) -> set[str]:
    """Paths in backticks, outside of code blocks: a known suffix or a slash at the end; no placeholder, no output."""
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    spans = re.findall(r"`([\w./-]+)`", prose)
    return {
        span
        for span in spans
        if (span.endswith(SUFFIXES) or span.endswith("/")) and "NAME" not in span and not _is_output(span)
    }


def _is_output(path: str) -> bool:
    """Whether a path is below ``data/``, which is not in git."""
    return path.startswith("data/") and path != "data/"


def paths_in_tree(text: str) -> Iterator[str]:
    """Paths of the layout tree. Indented names lie in the folder above them; several names may share a line."""
    tree = text.partition("```\n")[2].partition("```")[0]
    parents: list[str] = []
    for line in tree.splitlines():
        depth = (len(line) - len(line.lstrip())) // 4
        names = re.match(r"\s*((?:[\w.]+/?  ?(?! ))*[\w.]+/?)(?:   |$)", line)
        assert names, f"cannot parse {line!r}"
        parents = parents[:depth]
        found = ["".join(parents) + name for name in names[1].split()]
        yield from found
        parents.append(names[1].split()[0])


@pytest.mark.parametrize("path", sorted(paths_in_prose(TEXT) | paths_in_prose(GLOSSARY)))
def test_documents_paths_in_prose_exist(path):
    inside_a_family = ROOT / "assets/clip" / path
    assert (ROOT / path).exists() or inside_a_family.exists() or (ROOT / "assets/clip/train" / path).exists()


def test_contributing_paths_in_tree_exist():
    paths = list(paths_in_tree(TEXT))
    assert len(paths) > 50
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_paths_in_prose_missing_file_is_found():
    assert paths_in_prose("see `no/such/file.py`, `folder/`, `key` and\n```\n`in/block.py`\n```\n") == {
        "no/such/file.py",
        "folder/",
    }


def test_contributing_links_exist():
    targets = re.findall(r"\]\(([^)#:]+)\)", TEXT)
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []
