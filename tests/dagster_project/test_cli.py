"""The help of each command lists its exit codes, and a wrong version of the registry ends with code 1."""

import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"


def _commands() -> Iterator[tuple[str, click.Command]]:
    """The commands of the entry points in ``pyproject.toml``, and those of groups."""
    declared = tomllib.loads(PYPROJECT.read_text())["project"]["entry-points"]["heddle.commands"]
    for name, location in declared.items():
        module, _, attribute = location.partition(":")
        command = getattr(import_module(module), attribute)
        yield name, command
        for inner in getattr(command, "commands", {}).values():
            yield f"{name} {inner.name}", inner


COMMANDS = dict(_commands())


@pytest.mark.parametrize("name", COMMANDS)
def test_help_lists_exit_codes(name: str) -> None:
    shown = CliRunner().invoke(COMMANDS[name], ["--help"], terminal_width=200).output
    assert "Exit code 0: " in shown
    assert " 1: " in shown


@pytest.mark.parametrize("arguments", [["promote", "clip", "v9.9.9"], ["rollback", "clip"]], ids=" ".join)
def test_wrong_version_exits_with_1(fresh, arguments: list[str]) -> None:
    ended = fresh.invoke("registry", *arguments)
    assert (ended.exit_code, ended.stderr.startswith("heddle: ")) == (1, True)


def test_publish_without_its_section_exits_with_1(fresh) -> None:
    ended = fresh.invoke("publish")
    assert (ended.exit_code, "published_content: missing" in ended.stderr) == (1, True)
