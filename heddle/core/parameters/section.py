"""Read one section of the parameters: ``params.yaml`` joined with the chosen scale file.

A section has its stage's name. ``params.yaml`` contains what does not depend on the scale, ``scales/<scale>.yaml``
contains sizes; other keys have the defaults of the section's class. The same key in both files is refused.
"""

from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from reprlib import Repr
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from heddle.core.errors import UserError, yaml_mistake

PARAMS_FILE = "params.yaml"
_REPR = Repr()
"""Shows a wrong value. A few lines of YAML with anchors can be a value of a billion elements."""
_REPR.maxstring = _REPR.maxother = _REPR.maxlong = 500
_REPR.maxlist = _REPR.maxtuple = _REPR.maxdict = _REPR.maxset = 20
_REPR.maxlevel = 2


UNQUOTED = "unquoted"
"""Type of a validation error whose message must not quote the value."""


class ParameterError(UserError, ValueError):
    """A wrong parameter; the message names file, key, what was found and what is allowed."""


class Section(BaseModel):
    """Base of every section: unknown keys are refused, values are frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True)


SectionType = TypeVar("SectionType", bound=Section)


def read_yaml(path: Path) -> dict[str, Any]:
    """Read the mapping in a YAML 1.2 file, in which ``3e-4`` is a number.

    Raises:
        ParameterError: the file is missing, is not YAML or is not a mapping.
    """
    if not _is_file(path):
        raise ParameterError(f"{path}: no such file. {_scales_hint(path)}")
    written = path.read_bytes()
    try:
        content = deepcopy(_parsed(written))
    except YAMLError as error:
        mistake = yaml_mistake(error, written.decode(errors="replace"))
        raise ParameterError(f"{path}: {mistake}; fix the file") from error
    except (ValueError, LookupError, TypeError, AttributeError) as error:  # the 31st of February
        raise ParameterError(f"{path}: not valid YAML: {error or type(error).__name__}") from error
    except RecursionError as error:
        raise ParameterError(f"{path}: not valid YAML: its values are nested too deeply") from error
    if not isinstance(content, dict):
        raise ParameterError(f"{path}: expected a mapping of sections, found {type(content).__name__}")
    return content


def show_value(value: object) -> str:
    """Return a value as an error message shows it: like :func:`repr`, but short."""
    try:
        return _REPR.repr(value)
    except ValueError:  # Python does not convert integers of more than 4300 digits
        return "a number with too many digits"


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # the name is too long
        return False


@lru_cache(maxsize=32)
def _parsed(content: bytes) -> Any:
    """Parse YAML; cached, since Dagster's definitions read the same few files hundreds of times."""
    return YAML(typ="safe", pure=True).load(content)


def scale_file(root: Path = Path()) -> Path:
    """Return the path of the scale file that ``params.yaml: scale`` chooses."""
    params = read_yaml(root / PARAMS_FILE)
    scale = params.get("scale")
    if not isinstance(scale, str):
        raise ParameterError(f"{root / PARAMS_FILE}: scale: found {show_value(scale)}, allowed: {_scale_names(root)}")
    return root / "scales" / f"{scale}.yaml"


def load(name: str, section: type[SectionType], root: Path = Path()) -> SectionType:
    """Load and validate section ``name``.

    Raises:
        ParameterError: with one line for each mistake: file, key, what was found and what is allowed.
    """
    written, origin = read_section(name, root)
    try:
        return section.model_validate(written)
    except ValidationError as error:
        files = (root / PARAMS_FILE, scale_file(root))
        raise ParameterError(_explain(error, name, section, origin, files)) from error


def read_section(name: str, root: Path = Path()) -> tuple[dict[str, Any], dict[str, Path]]:
    """Read what ``params.yaml`` and the scale file contain of a section, without defaults.

    Returns:
        The keys with their values, and each key's file.

    Raises:
        ParameterError: the section is not a mapping, or both files contain the same key.
    """
    origin: dict[str, Path] = {}
    joined: dict[str, Any] = {}
    for file in (root / PARAMS_FILE, scale_file(root)):
        values = read_yaml(file).get(name) or {}
        if not isinstance(values, dict):
            raise ParameterError(f"{file}: {name}: found {show_value(values)}, expected a mapping")
        for key in values:
            if key in origin:
                raise ParameterError(f"{file}: {name}.{key}: also in {origin[key]}; keep one of the two")
            origin[key] = file
        joined |= values
    return joined, origin


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
            is_hidden = mistake["type"] == UNQUOTED or isinstance(mistake["input"], dict)
            found = "" if is_hidden else f"found {show_value(mistake['input'])}; "
            lines.append(f"{file}: {key}: {found}{mistake['msg'].removeprefix('Value error, ')}")
    return "\n".join(lines)


def _allowed(section: type[BaseModel], path: list[str]) -> list[str]:
    """Return the keys that are allowed at a path inside a section; the path also has list indices and union tags."""
    models = [section]
    for part in path:
        tagged = [
            model for model in models if part in get_args(getattr(model.model_fields.get("kind"), "annotation", None))
        ]
        if len(models) > 1 and tagged:  # a union's tag may have the name of a field
            models = tagged
        elif not part.isdigit():
            fields = [model.model_fields[part].annotation for model in models if part in model.model_fields]
            models = [model for annotation in fields for model in _models(annotation)]
    return sorted({name for model in models for name in model.model_fields})


def _models(annotation: Any) -> list[type[BaseModel]]:
    """Return the pydantic models in an annotation such as ``list[A | B]``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models(part)]


def _scale_names(root: Path) -> str:
    return ", ".join(sorted(file.stem for file in (root / "scales").glob("*.yaml")))


def _scales_hint(path: Path) -> str:
    if path.parent.name != "scales":
        return "Run the command in the project root."
    return f"params.yaml: scale may be one of: {_scale_names(path.parent.parent)}"
