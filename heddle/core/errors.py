"""Errors that a user can fix, and the one place that translates exceptions of libraries into them.

:func:`translate` recognises an exception by the module and the name of its class, so this module imports no library.
"""

import errno
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

FILE_NOTE = "file: "
"""Start of the note that names the file of an exception; `lightning_modules` adds the same note."""
DATA = "data"
READERS = ("pyarrow.", "safetensors")
"""Beginnings of the modules whose exceptions, together with the name of a file, mean that the file is damaged."""
QUOTED = re.compile("input source '(.+)'")
"""The file in messages of Arrow."""
DUPLICATE_KEY = re.compile('found (duplicate key ".+?") with value ')
"""The key in messages of ruamel.yaml, which go on with both values."""
FULL_DISK = ("No space left on device", "database or disk is full", "Disk quota exceeded")
"""Libraries write these words into exceptions without an error number."""


class UserError(Exception):
    """The message contains what is wrong and what to do; it is printed without a traceback."""


@contextmanager
def naming(file: Path) -> Iterator[None]:
    """Add a file or folder, as a note, to the exceptions of a library that does not name what it reads."""
    try:
        yield
    except Exception as error:
        error.add_note(f"{FILE_NOTE}{file}")
        raise


def translate(error: BaseException) -> UserError | None:
    """Return the error as a message with file, cause and remedy.

    Returns:
        ``error`` itself if it is a user error; None for an unknown exception, which is a bug and keeps its traceback.
    """
    if isinstance(error, UserError):
        return error
    causes = list(_causes(error))
    for rule in _RULES:
        for cause in causes:
            if message := rule(cause):
                return UserError(message)
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The exception and the ones that it was raised from."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__


def _full_disk(error: BaseException) -> str | None:
    numbers = (errno.ENOSPC, errno.EDQUOT)
    if getattr(error, "errno", None) not in numbers and not any(words in str(error) for words in FULL_DISK):
        return None
    folders = (Path.cwd(), Path(tempfile.gettempdir()))
    file = _file(error) or min(folders, key=lambda folder: shutil.disk_usage(folder).free)
    return f"{file}: no space left on this disk; free some space (`dvc gc --workspace` deletes old outputs), run again"


def _damaged_dvc_file(error: BaseException) -> str | None:
    unparsed = _is(error, "dvc.utils.serialize", "ParseError")
    if not unparsed and not _is(error, "dvc.utils.strictyaml", "YAMLValidationError"):
        return None
    file = Path(os.path.relpath(vars(error)["path"]))
    restore = f"restore the committed file with `git checkout HEAD -- {file}`"
    remedy = f"{restore}, then run `heddle run`" if file.name == "dvc.lock" else f"fix the file, or {restore}"
    text = vars(error).get("yaml_text") or vars(error).get("text") or ""
    return f"{file}: {yaml_mistake(error, text)}; {remedy}"


def yaml_mistake(error: BaseException, text: str) -> str:
    """What is wrong in the text of a YAML file, on one line, with the number of the text's line if that is known."""
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith(("<<<<<<< ", ">>>>>>> ")):
            return f"line {number}: unresolved merge conflict"
    for cause in _causes(error):
        mark = getattr(cause, "problem_mark", None)
        if mark is not None:
            problem = " ".join(str(cause.problem).split())  # type: ignore[attr-defined]
            duplicate = DUPLICATE_KEY.match(problem)
            return f"line {mark.line + 1}: {duplicate[1] if duplicate else f'not valid YAML ({problem})'}"
    return _one_line(error.__cause__ or error)


def _damaged_file(error: BaseException) -> str | None:
    """A file that its library cannot parse, if the name of the file is known."""
    if isinstance(error, OSError):
        known = error.errno is None and not isinstance(error, FileNotFoundError)
    else:  # tokenizers raises plain exceptions
        known = isinstance(error, ValueError) or type(error) is Exception or _module(error).startswith(READERS)
    file = _file(error) if known else None
    return file and f"{file}: cannot be read: {_one_line(error)}; {_restore(file)}"


def _missing_file(error: BaseException) -> str | None:
    file = _file(error) if isinstance(error, FileNotFoundError) else None
    return f"{file}: no such file; {_restore(file)}" if file and _stage(file) else None


def _forbidden(error: BaseException) -> str | None:
    file = _file(error) if isinstance(error, PermissionError) else None
    return file and f"{file}: {os.strerror(errno.EACCES)}; change the owner or the permissions of the file"


def _other_dvc_error(error: BaseException) -> str | None:
    """DVC's own command prints these without a traceback, too."""
    return f"DVC: {_one_line(error)}" if _is(error, "dvc.exceptions", "DvcException") else None


_RULES: tuple[Callable[[BaseException], str | None], ...] = (
    _full_disk,
    _damaged_dvc_file,
    _damaged_file,
    _missing_file,
    _forbidden,
    _other_dvc_error,
)
"""Specific ones first."""


def _file(error: BaseException) -> str | None:
    """Path of the file that an exception is about, relative to the working directory if the file is inside it."""
    notes = [note.removeprefix(FILE_NOTE) for note in getattr(error, "__notes__", ()) if note.startswith(FILE_NOTE)]
    quoted = QUOTED.search(str(error))
    found = notes[0] if notes else quoted[1] if quoted else getattr(error, "filename", None)
    if not isinstance(found, str | bytes | os.PathLike):
        return None
    path = Path(os.fsdecode(found)).absolute()
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _stage(file: str) -> str | None:
    """The stage whose output folder contains the file."""
    parts = Path(file).parts
    return parts[1] if len(parts) > 1 and parts[0] == DATA else None


def _restore(file: str) -> str:
    if stage := _stage(file):
        return f"restore it with `dvc checkout --force {DATA}/{stage}`, or compute it again with `dvc repro {stage}`"
    return "restore or replace the file"


def _is(error: BaseException, module: str, name: str) -> bool:
    """Whether the exception's class has this name and module, or a base class that has."""
    return any(base.__name__ == name and base.__module__.startswith(module) for base in type(error).__mro__)


def _module(error: BaseException) -> str:
    return f"{type(error).__module__}."


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())
