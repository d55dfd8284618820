"""Read one section of the parameters: ``params.yaml`` joined with the chosen scale file.

A section bears its stage's name. What does not depend on the scale stands in ``params.yaml``, sizes stand in
``scales/<scale>.yaml``; the same key in both is refused, so that there is one place to look.
"""

from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from heddle.core.errors import UserError

PARAMS_FILE = "params.yaml"


class ParameterError(UserError, ValueError):
    """A parameter is wrong: the message names file, key, what was found and what is allowed."""


class Section(BaseModel):
    """Base of every section: unknown keys are refused, values never change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


SectionType = TypeVar("SectionType", bound=Section)


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping in a YAML 1.2 file (so that ``3e-4`` is a number).

    Raises:
        ParameterError: the file is missing, is not YAML or is not a mapping.
    """
    if not path.is_file():
        raise ParameterError(f"{path}: no such file. {_scales_hint(path)}")
    try:
        content = deepcopy(_parsed(path.read_bytes()))
    except YAMLError as error:
        raise ParameterError(f"{path}: not valid YAML: {error}") from error
    if not isinstance(content, dict):
        raise ParameterError(f"{path}: expected a mapping of sections, found {type(content).__name__}")
    return content


@lru_cache(maxsize=32)
def _parsed(content: bytes) -> Any:
    """Kept, as Dagster's definitions ask for the same few files once for each section: hundreds of times."""
    return YAML(typ="safe", pure=True).load(content)


def scale_file(root: Path = Path()) -> Path:
    """Path of the scale file that ``params.yaml: scale`` picks."""
    params = read_yaml(root / PARAMS_FILE)
    scale = params.get("scale")
    if not isinstance(scale, str):
        raise ParameterError(f"{root / PARAMS_FILE}: scale: found {scale!r}, allowed: {_scale_names(root)}")
    return root / "scales" / f"{scale}.yaml"


def load(name: str, section: type[SectionType], root: Path = Path()) -> SectionType:
    """The validated section ``name``.

    Raises:
        ParameterError: with one line for each mistake, each naming file, key, found and allowed.
    """
    files = (root / PARAMS_FILE, scale_file(root))
    origin: dict[str, Path] = {}
    joined: dict[str, Any] = {}
    for file in files:
        values = read_yaml(file).get(name) or {}
        if not isinstance(values, dict):
            raise ParameterError(f"{file}: {name}: found {values!r}, expected a mapping")
        for key in values:
            if key in origin:
                raise ParameterError(f"{file}: {name}.{key}: also stands in {origin[key]}; keep one of the two")
            origin[key] = file
        joined |= values
    try:
        return section.model_validate(joined)
    except ValidationError as error:
        raise ParameterError(_explain(error, name, section, origin, files)) from error


def _explain(
    error: ValidationError, name: str, section: type[Section], origin: dict[str, Path], files: tuple[Path, Path]
) -> str:
    lines = []
    for mistake in error.errors():
        location = [str(part) for part in mistake["loc"]]
        file = origin.get(location[0] if location else "", files[1] if location else files[0])
        key = ".".join([name, *location])
        if mistake["type"] == "extra_forbidden":
            lines.append(f"{file}: {key}: unknown key; allowed: {', '.join(_allowed(section, location[:-1]))}")
        elif mistake["type"] == "missing":
            lines.append(f"{file}: {key}: missing ({files[0].name} or {files[1]})")
        else:
            lines.append(f"{file}: {key}: found {mistake['input']!r}; {mistake['msg']}")
    return "\n".join(lines)


def _allowed(section: type[BaseModel], path: list[str]) -> list[str]:
    """The keys that may stand at a path inside a section; a list's index and a union's tag are parts of it too."""
    models = [section]
    for part in path:
        tagged = [
            model for model in models if part in get_args(getattr(model.model_fields.get("kind"), "annotation", None))
        ]
        if len(models) > 1 and tagged:  # a union's tag may be called as one of its fields is
            models = tagged
        elif not part.isdigit():
            fields = [model.model_fields[part].annotation for model in models if part in model.model_fields]
            models = [model for annotation in fields for model in _models(annotation)]
    return sorted({name for model in models for name in model.model_fields})


def _models(annotation: Any) -> list[type[BaseModel]]:
    """The pydantic models in an annotation such as ``list[A | B]``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models(part)]


def _scale_names(root: Path) -> str:
    return ", ".join(sorted(file.stem for file in (root / "scales").glob("*.yaml")))


def _scales_hint(path: Path) -> str:
    if path.parent.name != "scales":
        return "Run from the project's root."
    return f"params.yaml: scale may be one of: {_scale_names(path.parent.parent)}"
