"""User-visible text uses the terms of ``docs/glossary.md``: none of its retired words."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[1]
PACKAGES = ("assets", "heddle", "lightning_modules", "dagster_project")
PRINTING_METHODS = {"print", "progress", "echo", "secho"}
"""Methods and functions whose arguments a user reads."""


@dataclass(frozen=True)
class RetiredWord:
    """One row of the table.

    Attributes:
        pattern: matches any form of the word.
        replacement: what to write instead.
        exception: phrases that are allowed; None if there are none.
    """

    pattern: re.Pattern[str]
    replacement: str
    exception: re.Pattern[str] | None

    def find(self, text: str) -> list[str]:
        """Each occurrence with some context."""
        if self.exception:
            text = self.exception.sub("", text)
        return [
            f"{found[0]!r} -> {self.replacement}: …{text[max(0, found.start() - 40) : found.end() + 40]!r}…"
            for found in self.pattern.finditer(text)
        ]


def read_retired_words() -> list[RetiredWord]:
    """The table "Retired words" of the glossary."""
    section = (ROOT / "docs/glossary.md").read_text().partition("## Retired words")[2]
    rows = [[cell.strip() for cell in line.strip("| ").split("|")] for line in section.splitlines() if line[:1] == "|"]
    return [_retired_word(row[0], row[1], row[2] if len(row) > 2 else "") for row in rows[2:]]


def _retired_word(forms: str, replacement: str, exception: str) -> RetiredWord:
    words = "|".join(re.escape(form.strip()) for form in forms.split(","))
    # An underscore is not a boundary before a metric's suffix, so `over_rrf` is found in `ndcg_at_10_over_rrf`.
    pattern = re.compile(rf"(?<![A-Za-z])(?:{words})(?![A-Za-z])", re.IGNORECASE)
    allowed = "|".join(re.escape(phrase.strip()) for phrase in exception.split(","))
    return RetiredWord(pattern, replacement, re.compile(allowed, re.IGNORECASE) if exception else None)


RETIRED = read_retired_words()


def find_retired_words(text: str) -> list[str]:
    """All retired words in a text."""
    return [found for word in RETIRED for found in word.find(text)]


def _documents() -> Iterator[tuple[str, str]]:
    """(file, text) of the pages, except the glossary, which lists the words, and the experiments and changelog."""
    for file in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "data/README.md", *(ROOT / "docs").glob("*.md")]:
        if file.name != "glossary.md":
            yield str(file.relative_to(ROOT)), file.read_text()


def _dvc_texts() -> Iterator[tuple[str, str]]:
    graph = YAML(typ="safe").load(ROOT / "dvc.yaml")
    for section in ("stages", "artifacts"):
        for name, entry in graph[section].items():
            yield f"dvc.yaml: {name}", entry["desc"]
    for plot in graph["plots"]:
        for name, entry in plot.items():
            yield f"dvc.yaml: {name}", " / ".join(entry.get(key, "") for key in ("title", "x_label", "y_label"))


def _help_texts() -> Iterator[tuple[str, str]]:
    from heddle.cli import main

    def walk(command: click.Command, name: str) -> Iterator[tuple[str, str]]:
        yield f"{name} --help", command.help or ""
        for parameter in command.params:
            yield f"{name} {parameter.name}", getattr(parameter, "help", None) or ""
        if isinstance(command, click.Group):
            context = click.Context(command)
            for child in command.list_commands(context):
                found = command.get_command(context, child)
                assert found is not None
                yield from walk(found, f"{name} {child}")

    yield from walk(main, "heddle")


def _templates() -> Iterator[tuple[str, str]]:
    for package in PACKAGES:
        for file in sorted((ROOT / package).rglob("*.j2")):
            text = re.sub(r"\{[{%#].*?[#%}]\}|<style.*?</style>|<[^>]*>", " ", file.read_text(), flags=re.DOTALL)
            yield str(file.relative_to(ROOT)), text


def literal_texts(source: str) -> Iterator[tuple[int, str]]:
    """(line, text) of string literals that a user reads: errors, printed lines, and ``description=`` of any call."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            shown = _reaches_users(node.func)
            arguments = [*node.args] if shown else []
            arguments += [keyword.value for keyword in node.keywords if shown or keyword.arg == "description"]
            for argument in arguments:
                for text in _constants(argument):
                    yield node.lineno, text


def _reaches_users(function: ast.expr) -> bool:
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return name.endswith(("Error", "Failure", "SkipReason")) or name in PRINTING_METHODS


def _constants(node: ast.AST) -> Iterator[str]:
    """String constants below a node, except the expressions inside f-strings, which are code."""
    if isinstance(node, ast.FormattedValue):
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    for child in ast.iter_child_nodes(node):
        yield from _constants(child)


def _messages() -> Iterator[tuple[str, str]]:
    for package in PACKAGES:
        for file in sorted((ROOT / package).rglob("*.py")):
            for line, text in literal_texts(file.read_text()):
                yield f"{file.relative_to(ROOT)}:{line}", text


@pytest.mark.parametrize(
    "texts", [_documents, _dvc_texts, _help_texts, _templates, _messages], ids=lambda texts: texts.__name__.strip("_")
)
def test_vocabulary_user_visible_text_has_no_retired_word(texts):
    checked = list(texts())
    assert checked
    found = [f"{where}: {word}" for where, text in checked for word in find_retired_words(text)]
    assert not found, "\n" + "\n".join(found)


def test_vocabulary_table_is_read():
    assert len(RETIRED) > 20
    assert all(word.replacement for word in RETIRED)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("The Pictures are told apart.", 2),
        ("such a model", 1),
        ("models such as CLIP; no such file", 0),
        ("rrf_reranked_ndcg_at_10_over_rrf", 1),
        ("a mendicant standard", 0),
    ],
)
def test_find_retired_words_planted_text_is_found(text, count):
    assert len(find_retired_words(text)) == count


def test_literal_texts_planted_messages_are_found():
    source = """
raise StageError(f"mend {row['told']} {path}" if strict else "such")
stage.progress("said")
console.print(table, "told", style="x")
other("told", description="mended")
"""
    assert [text for _, text in literal_texts(source)] == ["mend ", " ", "such", "said", "told", "x", "mended"]
