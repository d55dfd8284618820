"""The effective values of a section: what each key is, and whether a file or a default decides it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, is_dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from heddle.core.parameters.section import Section, load, read_section

DEFAULT = "default"


@dataclass(frozen=True)
class EffectiveValue:
    """One key of a section."""

    key: str
    """Dotted, with the section: ``clip.trainer.max_epochs``."""
    value: Any
    """Of JSON's types."""
    origin: str
    """``default``, ``params.yaml`` or ``scales/<scale>.yaml``."""
    description: str


def effective_values(name: str, section: type[Section], root: Path = Path()) -> list[EffectiveValue]:
    """List every key of a section with its effective value and its origin.

    Raises:
        ParameterError: a parameter of the section is wrong.
    """
    values = load(name, section, root)
    written, files = read_section(name, root)
    origins = {key: file.relative_to(root).as_posix() for key, file in files.items()}
    return [
        value
        for key in section.model_fields
        for value in _values(f"{name}.{key}", getattr(values, key), written.get(key), origins.get(key), values, key)
    ]


def _values(
    path: str, value: Any, written: Any, origin: str | None, parent: Any, field: str
) -> Iterator[EffectiveValue]:
    """Walk one value; ``written`` is what the file ``origin`` contains of it, and ``origin`` is None for a default."""
    children = _children(value)
    if not children:
        yield EffectiveValue(path, to_jsonable_python(value), origin or DEFAULT, _description(parent, field))
    for key, child in children.items():
        inner = written if isinstance(written, Mapping) else {}
        yield from _values(f"{path}.{key}", child, inner.get(key), origin if key in inner else None, value, key)


def _children(value: Any) -> dict[str, Any]:
    """Return the fields of a settings object, or the entries of a mapping of such objects; {} for a plain value."""
    if isinstance(value, BaseModel):
        return {key: getattr(value, key) for key in type(value).model_fields}
    if is_dataclass(value) and not isinstance(value, type):
        return {key: getattr(value, key) for key in value.__dataclass_fields__}
    if isinstance(value, Mapping) and any(_children(entry) for entry in value.values()):
        return dict(value)
    return {}


def _description(parent: Any, field: str) -> str:
    """Return a field's description on one line; a dataclass that inherits a field has it on its base."""
    for base in type(parent).__mro__:
        fields = getattr(base, "__pydantic_fields__", {})
        if field in fields and fields[field].description:
            return " ".join(fields[field].description.split())
    return ""
