"""``heddle describe``: print the content of one image as JSON, or write a folder's as JSON Lines."""

import sys
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from heddle.core.terminal import PipeConsole, json_text
from heddle.description.user_inputs import UserInputs, read_context, read_scene, read_scenes
from heddle.inference.describe import (
    DESCRIPTIONS_FILE,
    Tally,
    check_image,
    describe,
    describe_folder,
    find_images,
    open_describer,
)

INTERRUPTED = 130  # exit status of a program that SIGINT ended


def print_descriptions(
    path: Path, context: str | None, objects: Path | None, seed: int | None, output: Path | None
) -> None:
    """Describe an image and print its line, or describe a folder's images and write their lines.

    Args:
        path: path of an image or of a folder.
        context: words, or path of a JSON file.
        objects: path of a JSON file: the scene of the image, or of each image in the folder.
        seed: seed of sampling; None decodes greedily.
        output: path of the JSON Lines of a folder; None writes to a file in the folder.
    """
    warnings.filterwarnings("ignore", module="PIL")  # an image with invalid EXIF is described all the same
    errors = PipeConsole(stderr=True)
    user_context = read_context(context) if context else None
    if path.is_dir():
        inputs = UserInputs(user_context, read_scenes(objects) if objects else {})
        _describe_folder(path, inputs, seed, output or path / DESCRIPTIONS_FILE, errors)
    else:
        check_image(path)
        inputs = UserInputs(user_context, {str(path): read_scene(objects)} if objects else {})
        describer = open_describer(seed=seed)
        _print_lines(errors, describer.remarks)
        print(json_text(describe(path, inputs, describer), indent=2))


def _describe_folder(folder: Path, inputs: UserInputs, seed: int | None, output: Path, errors: PipeConsole) -> None:
    names = find_images(folder)
    describer = open_describer(seed=seed)
    _print_lines(errors, [*_unused_scenes(inputs, names, folder), *describer.remarks])
    tally = Tally(len(names))
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    try:
        with Progress(*columns, console=errors, transient=True) as progress:
            task = progress.add_task("images", total=tally.total)
            for tally in describe_folder(folder, names, inputs, describer, output):
                progress.update(task, completed=tally.done)
    except KeyboardInterrupt:
        _print_lines(errors, [f"Interrupted. Finished lines are in {output}; run the same command again to continue."])
        sys.exit(INTERRUPTED)
    _print_lines(errors, [_summary(tally, output)])


def _summary(tally: Tally, output: Path) -> str:
    parts = [f"{tally.written} described"]
    if tally.kept:
        parts.append(f"{tally.kept} unchanged")
    if tally.failed:
        parts.append(f"{tally.failed} unreadable")
    return f"{', '.join(parts)}: {output}"


def _unused_scenes(inputs: UserInputs, names: Sequence[str], folder: Path) -> list[str]:
    unknown = sorted(inputs.scenes.keys() - set(names))
    if not unknown:
        return []
    more = ", …" if len(unknown) > 1 else ""
    return [f"--objects: {len(unknown)} images are not in {folder}: {unknown[0]}{more}"]


def _print_lines(console: PipeConsole, lines: Iterable[str]) -> None:
    for line in lines:
        console.print_line(line)
