"""What a user passes besides the images: context, objects and relations, as the columns of a listing.

This module does not import torch, so errors in the files are reported at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, TypeAdapter, ValidationError

from heddle.core.errors import UserError
from heddle.images.image_file import is_file
from lightning_modules.writer.content_fields import one_line

MAX_ERRORS = 3
"""Most errors of one file that a message lists."""

Words = Annotated[str, AfterValidator(one_line)]


class UserInputError(UserError, ValueError):
    """A file of user inputs is not valid. The message contains the file, the key and the error."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class UserContext(_Part):
    """The site and language of the content, and wishes for its style."""

    site: Words | None = None
    locale: Words | None = None
    preferences: tuple[Words, ...] = ()


class UserObject(_Part):
    """An object in the image."""

    label: Words
    box: tuple[float, float, float, float] | None = None
    """x0, y0, x1, y1 as shares of the upright image's width and height."""
    attributes: tuple[Words, ...] = ()


class UserRelation(_Part):
    """A relation of two objects, by their indices in the list."""

    subject: int
    predicate: Words
    object: int


class UserScene(_Part):
    """The objects and relations in one image."""

    objects: tuple[UserObject, ...] = ()
    relations: tuple[UserRelation, ...] = ()


@dataclass(frozen=True)
class UserInputs:
    """One context for all images, and a scene for each image by its name."""

    context: UserContext | None = None
    scenes: Mapping[str, UserScene] = field(default_factory=dict)

    def row(self, name: str) -> dict[str, Any]:
        """The columns `context`, `objects` and `relations` of a listing with this image."""
        scene = self.scenes.get(name, UserScene()).model_dump()
        return {"context": self.context.model_dump() if self.context else None, **scene}


def read_context(words: str) -> UserContext:
    """Read a context from a JSON file (`site`, `locale`, `preferences`), or take words as the only preference.

    Raises:
        UserInputError: the file is not valid.
    """
    return _read(Path(words), UserContext) if is_file(words) else UserContext(preferences=(words,))


def read_scene(file: Path) -> UserScene:
    """Read the `objects` and `relations` of one image from a JSON file.

    Raises:
        UserInputError: the file is missing or not valid.
    """
    return _read(file, UserScene)


def read_scenes(file: Path) -> dict[str, UserScene]:
    """Read the scenes of many images: a JSON object whose keys are the images' paths within their folder.

    Raises:
        UserInputError: the file is missing or not valid.
    """
    return _read(file, dict[str, UserScene])


def _read(file: Path, form: Any) -> Any:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise UserInputError(f"{file}: {error.strerror}") from error
    try:
        return TypeAdapter(form).validate_json(content)
    except ValidationError as error:
        found = [_message(each["loc"], each["msg"]) for each in error.errors()]
        more = f"; and {len(found) - MAX_ERRORS} more" if len(found) > MAX_ERRORS else ""
        raise UserInputError(f"{file}: {'; '.join(found[:MAX_ERRORS])}{more}") from error


def _message(location: tuple[int | str, ...], message: str) -> str:
    return f"{'.'.join(map(str, location))}: {message}" if location else message
