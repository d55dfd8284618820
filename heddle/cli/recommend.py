"""``heddle recommend``: what :mod:`heddle.inference.recommend` answers as a table or as JSON."""

import dataclasses
import json

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from heddle.inference.recommend import QueryNode, recommend


def print_recommendations(query: str, top: int, *, as_json: bool, console: Console) -> None:
    """Ask and print what was asked about and what goes with it, best first; as JSON one object."""
    found = recommend(query, top)
    if as_json:
        print(json.dumps(dataclasses.asdict(found), ensure_ascii=False))
        return
    asked = " and ".join(_told(one) for one in found.asked)
    console.print(f"For {asked}:", markup=False, highlight=False, soft_wrap=True)
    if not found.hits:
        console.print("Nothing is left: edges join it with all that could be recommended.")
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("score", justify="right", no_wrap=True)
    for heading in ("type", "recommended", "both go with"):
        table.add_column(heading)
    for hit in found.hits:
        table.add_row(f"{hit.score:.3f}", escape(hit.type), escape(hit.text), escape(", ".join(hit.shared)))
    console.print(table)


def _told(asked: QueryNode) -> str:
    likeness = "" if asked.likeness is None else f" (likest to your words, {asked.likeness:.2f})"
    return f"{asked.type} {asked.text}{likeness}"
