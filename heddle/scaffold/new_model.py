"""``heddle new-model``: write the files of a new model family and enter it into the three lists.

The scaffold is a working family: a linear classifier of listing titles. It trains, is evaluated, reported, released and
registered as it is, so that each part can be replaced and tried by itself.
"""

import re
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from rich.console import Console

from heddle.core.errors import UserError
from heddle.core.parameters.section import PARAMS_FILE, read_yaml
from heddle.scaffold.graph_file import add_family

TEMPLATES = Path(__file__).parent / "templates"
DVC_FILE = Path("dvc.yaml")
FAMILIES_FILE = Path("assets/families.py")
FILES = {  # template -> file of the new family
    "family.py": "assets/{name}/family.py",
    "card.md": "assets/{name}/card.md.j2",
    "train_main.py": "assets/{name}/train/__main__.py",
    "train_stage.py": "assets/{name}/train/stage.py",
    "train_parameters.py": "assets/{name}/train/parameters.py",
    "evaluate_main.py": "assets/{name}/evaluate/__main__.py",
    "evaluate_stage.py": "assets/{name}/evaluate/stage.py",
    "network.py": "lightning_modules/{name}/network.py",
}
NAME = re.compile(r"[a-z][a-z0-9_]*")


class ScaffoldError(UserError):
    """The family cannot be added; the message says why."""


def new_model(name: str, root: Path, console: Console) -> None:
    """Add a model family to the project and print what was written.

    Args:
        name: of the family: its folders, stages, parameter section and release.
        root: the project's root.
        console: for the list of files and the next steps.

    Raises:
        ScaffoldError: the name is not a Python identifier in lower case, or is taken.
    """
    check_name(name, root)
    class_name = "".join(part.capitalize() for part in name.split("_"))
    environment = Environment(  # noqa: S701 - the templates are Python; the name is an identifier
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        variable_start_string="<<",
        variable_end_string=">>",
        block_start_string="<%",
        block_end_string="%>",
        comment_start_string="<#",
        comment_end_string="#>",
    )
    for template, path in FILES.items():
        file = root / path.format(name=name)
        file.parent.mkdir(parents=True, exist_ok=True)
        text = environment.get_template(f"{template}.j2").render(name=name, class_name=class_name)
        file.write_text(text)
        console.print(f"created  {file.relative_to(root)}", highlight=False)
    edits = {
        DVC_FILE: add_family((root / DVC_FILE).read_text(), name),
        FAMILIES_FILE: _with_family((root / FAMILIES_FILE).read_text(), name),
        Path(PARAMS_FILE): (root / PARAMS_FILE).read_text().rstrip() + f"\n\n{name}: {{}}\n",
    }
    for edited, text in edits.items():
        (root / edited).write_text(text)
        console.print(f"edited   {edited}", highlight=False)
    console.print(f"\nNext: `dvc repro {name}_evaluation`, then replace the network and the data.", highlight=False)


def check_name(name: str, root: Path) -> None:
    """Raise a :class:`ScaffoldError` unless a family of this name can be added."""
    if not NAME.fullmatch(name):
        raise ScaffoldError(f"name: found {name!r}, allowed: lower-case letters, digits and _, a letter first")
    if not (root / DVC_FILE).is_file():
        raise ScaffoldError(f"no {DVC_FILE} in {root}; run the command in the project root")
    stages = read_yaml(root / DVC_FILE)["stages"]
    taken = [stage for stage in (name, f"{name}_evaluation") if stage in stages]
    taken += [folder for folder in (f"assets/{name}", f"lightning_modules/{name}") if (root / folder).exists()]
    if taken:
        raise ScaffoldError(f"name: {name!r} is taken by {', '.join(taken)}; choose another one")


def _with_family(source: str, name: str) -> str:
    """``assets/families.py`` with one more import and one more line in the tuple."""
    constant = name.upper()
    imports = [line for line in source.splitlines() if line.startswith("from assets.")]
    sorted_imports = sorted([*imports, f"from assets.{name}.family import {constant}"])
    source = source.replace("\n".join(imports), "\n".join(sorted_imports))
    head, tuple_start, rest = source.partition("FAMILIES = (\n")
    entries, end, tail = rest.partition(")\n")
    return head + tuple_start + entries + f"    {constant},\n" + end + tail
