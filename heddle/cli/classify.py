"""``heddle classify``: what :mod:`heddle.inference.classify` says of an image, as tables or as JSON."""

import dataclasses
import json
from pathlib import Path

from rich.console import Console
from rich.table import Table

from heddle.inference.classify import Classification, Probabilities, classify

BAR = 24  # characters of a certain answer


def print_classification(image: Path, text: str | None, top: int, *, as_json: bool, console: Console) -> None:
    """Classify and print, for each label, the likeliest classes; as JSON all of them."""
    found = classify(image, text)
    if as_json:
        print(json.dumps(dataclasses.asdict(found), ensure_ascii=False))
        return
    for heads in found.labels.values():
        for label, probabilities in heads.items():
            console.print(_table(label, probabilities, top))
            console.print()
    for words in _remarks(found):
        console.print(words, style="dim", markup=False, highlight=False, soft_wrap=True)


def _table(label: str, probabilities: Probabilities, top: int) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column(label.replace("_", " "), min_width=28)
    table.add_column("", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for name, probability in list(probabilities.items())[:top]:
        table.add_row(name, f"{probability:.1%}", "━" * round(probability * BAR), style=None)
    return table


def _remarks(found: Classification) -> list[str]:
    missing = [
        f"product did without {name}" + ("; say some with --text." if name == "words" else ".")
        for name in found.missing
    ]
    return missing + [f"There is no model {model}: {reason}" for model, reason in found.absent.items()]
