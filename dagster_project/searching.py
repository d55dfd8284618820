"""``heddle search``: the hits of :mod:`assets.search` as a table or as JSON lines."""

import dataclasses
import json
from pathlib import Path

from rich.console import Console
from rich.table import Table

from assets.search import Hit, search

PICTURE_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff"}


def show(query: str, top: int, *, words: bool, as_json: bool, console: Console) -> None:
    """Search and print the hits, best first. A query that names a picture's file searches by that picture."""
    picture = Path(query)
    by_picture = picture.suffix.lower() in PICTURE_SUFFIXES or picture.is_file()
    if by_picture and not words:
        hits = search(image=picture, top=top)
    else:
        hits = search(text=query, top=top, mode="words" if words else "pictures")
    if as_json:
        for hit in hits:
            print(json.dumps(dataclasses.asdict(hit), ensure_ascii=False))
    else:
        console.print(_table(hits) if hits else "Nothing matches.")


def _table(hits: list[Hit]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("score", justify="right", no_wrap=True)
    for heading in ("id", "title", "item", "material"):
        table.add_column(heading)
    table.add_column("price", justify="right", no_wrap=True)
    for hit in hits:
        price = "" if hit.price is None else f"{hit.price:.2f}"
        table.add_row(f"{hit.score:.3f}", hit.id, hit.title, hit.item or "", hit.material or "", price)
    return table
