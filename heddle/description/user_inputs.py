"""What a person tells of images besides the images: wishes, objects, relations, in the columns of a listing.

No torch here: a mistake is told at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, TypeAdapter, ValidationError

from heddle.core.errors import UserError
from heddle.images.image_file import is_file
from lightning_modules.writer.content_fields import one_line

MISTAKES = 3
"""So many of a file are told."""

Words = Annotated[str, AfterValidator(one_line)]


class UserInputError(UserError, ValueError):
    """What was told cannot be understood; the message names the file, the key and what is wrong with it."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Context(_Part):
    """Where the content will stand and how its author wants it."""

    site: Words | None = None
    locale: Words | None = None
    preferences: tuple[Words, ...] = ()


class Thing(_Part):
    """An object in the image."""

    label: Words
    box: tuple[float, float, float, float] | None = None
    """x0, y0, x1, y1 as shares of the upright image's width and height."""
    attributes: tuple[Words, ...] = ()


class Relation(_Part):
    """What joins two objects, by their places in the list."""

    subject: int
    predicate: Words
    object: int


class Scene(_Part):
    """What stands in an image."""

    objects: tuple[Thing, ...] = ()
    relations: tuple[Relation, ...] = ()


@dataclass(frozen=True)
class UserInputs:
    """What is told of some images: one context for all, a scene for each by the image's name."""

    context: Context | None = None
    scenes: Mapping[str, Scene] = field(default_factory=dict)

    def row(self, name: str) -> dict[str, Any]:
        """The columns `context`, `objects` and `relations` of a listing with this image."""
        scene = self.scenes.get(name, Scene()).model_dump()
        return {"context": self.context.model_dump() if self.context else None, **scene}


def read_context(words: str) -> Context:
    """The context in a JSON file (`site`, `locale`, `preferences`), or words, which are taken for the one preference.

    Raises:
        UserInputError: the file holds something else.
    """
    return _read(Path(words), Context) if is_file(words) else Context(preferences=(words,))


def read_scene(file: Path) -> Scene:
    """The `objects` and `relations` of one image in a JSON file.

    Raises:
        UserInputError: there is no such file, or it holds something else.
    """
    return _read(file, Scene)


def read_scenes(file: Path) -> dict[str, Scene]:
    """The same of many images: a JSON file with an object whose keys are the images' paths within their folder.

    Raises:
        UserInputError: as above.
    """
    return _read(file, dict[str, Scene])


def _read(file: Path, form: Any) -> Any:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise UserInputError(f"{file}: {error.strerror}") from error
    try:
        return TypeAdapter(form).validate_json(content)
    except ValidationError as error:
        mistakes = [
            ": ".join(filter(None, [".".join(map(str, mistake["loc"])), mistake["msg"]])) for mistake in error.errors()
        ]
        more = f"; and {len(mistakes) - MISTAKES} more" if len(mistakes) > MISTAKES else ""
        raise UserInputError(f"{file}: {'; '.join(mistakes[:MISTAKES])}{more}") from error
