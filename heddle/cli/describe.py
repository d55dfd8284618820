"""``heddle describe``: print JSON for one image, or write JSON Lines for a folder with a progress bar."""

import json
import sys
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from heddle.description.user_inputs import UserInputs, read_context, read_scene, read_scenes
from heddle.inference.describe import (
    JOURNAL_FILE,
    Tally,
    check_image,
    describe,
    describe_folder,
    images_in,
    open_describer,
)

INTERRUPTED = 130  # as of every program that Ctrl-C ends


def show(path: Path, context: str | None, objects: Path | None, seed: int | None, output: Path | None) -> None:
    """Describe an image and print its line, or a folder's images and write theirs.

    Args:
        path: of an image or of a folder.
        context: words, or a JSON file's path.
        objects: a JSON file: the scene of the image, or of each image in the folder.
        seed: of the words' drawing; None takes the likeliest.
        output: JSON Lines, for a folder; None stands for a file in it.
    """
    warnings.filterwarnings("ignore", module="PIL")  # broken EXIF keeps nobody from describing an image
    errors = Console(stderr=True)
    told_context = read_context(context) if context else None
    if path.is_dir():
        told = UserInputs(told_context, read_scenes(objects) if objects else {})
        _folder(path, told, seed, output or path / JOURNAL_FILE, errors)
    else:
        check_image(path)
        told = UserInputs(told_context, {str(path): read_scene(objects)} if objects else {})
        describer = open_describer(seed=seed)
        _say(errors, describer.remarks)
        print(json.dumps(describe(path, told, describer), indent=2, ensure_ascii=False))


def _folder(folder: Path, told: UserInputs, seed: int | None, output: Path, errors: Console) -> None:
    names = images_in(folder)
    describer = open_describer(seed=seed)
    _say(errors, [*_unused(told, names, folder), *describer.remarks])
    tally = Tally(len(names))
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    try:
        with Progress(*columns, console=errors, transient=True) as progress:
            task = progress.add_task("images", total=tally.total)
            for tally in describe_folder(folder, names, told, describer, output):
                progress.update(task, completed=tally.done)
    except KeyboardInterrupt:
        _say(errors, [f"Stopped; what is done stands in {output}, and the same command goes on from there."])
        sys.exit(INTERRUPTED)
    _say(errors, [_summary(tally, output)])


def _summary(tally: Tally, output: Path) -> str:
    parts = [f"{tally.made} described"]
    parts += [f"{tally.kept} as before"] if tally.kept else []
    parts += [f"{tally.failed} could not be read"] if tally.failed else []
    return f"{', '.join(parts)}: {output}"


def _unused(told: UserInputs, names: Sequence[str], folder: Path) -> list[str]:
    strange = sorted(told.scenes.keys() - set(names))
    more = ", …" if len(strange) > 1 else ""
    return [f"--objects tells of {len(strange)} that {folder} does not hold: {strange[0]}{more}"] if strange else []


def _say(console: Console, remarks: Iterable[str]) -> None:
    for words in remarks:
        console.print(words, markup=False, highlight=False, soft_wrap=True)
