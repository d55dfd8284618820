"""``heddle classify``: print the results of :mod:`heddle.inference.classify` as tables or as JSON."""

import dataclasses
from pathlib import Path

from rich.table import Table

from heddle.core.terminal import PipeConsole, json_text, untrusted
from heddle.inference.classify import Classification, Probabilities, classify

BAR = 24
"""Characters of the bar for a probability of 1."""


def print_classification(image: Path, text: str | None, top: int, *, as_json: bool, console: PipeConsole) -> None:
    """Print the ``top`` most probable classes of each label; as JSON all classes."""
    found = classify(image, text)
    if as_json:
        print(json_text(dataclasses.asdict(found)))
        return
    for heads in found.labels.values():
        for label, probabilities in heads.items():
            console.print(_make_table(label, probabilities, top))
            console.print()
    for note in _make_notes(found):
        console.print_line(note, "dim")


def _make_table(label: str, probabilities: Probabilities, top: int) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column(untrusted(label.replace("_", " ")), min_width=28)
    table.add_column("", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for name, probability in list(probabilities.items())[:top]:
        table.add_row(untrusted(name), f"{probability:.1%}", "━" * round(probability * BAR), style=None)
    return table


def _make_notes(found: Classification) -> list[str]:
    notes = []
    for name in found.missing:
        if name == "words":
            notes.append("Product class predicted without text. Add --text for a better prediction.")
        else:
            notes.append(f"Product class predicted without {name}.")
    notes += [
        f"Model {model} is missing, its training was skipped: {reason}" for model, reason in found.skipped.items()
    ]
    return notes
