"""``heddle search``: the listings or guides of :mod:`heddle.inference.search` as a table or as JSON lines."""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from textwrap import shorten

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from heddle.images.image_file import is_file
from heddle.inference.search import Hit, search, search_guides
from heddle.retrieval.retriever import GuideHit, RetrievalConfig

IMAGE_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff"}
SHOWN = 200  # characters of a guide


def show(query: str, top: int, *, words: bool, as_json: bool, console: Console) -> None:
    """Search and print the hits, best first. A query that names an image's file searches by that image."""
    if _names_an_image(query) and not words:
        hits = search(image=Path(query), top=top)
    else:
        hits = search(text=query, top=top, mode="words" if words else "images")
    if as_json:
        for hit in hits:
            print(json.dumps(dataclasses.asdict(hit), ensure_ascii=False))
    else:
        console.print(_table(hits) if hits else "Nothing matches.")


def show_guides(query: str, way: RetrievalConfig, top: int, *, as_json: bool, console: Console) -> None:
    """Look for guides and print them, best first, with the confidence in the first."""
    answer = search_guides(query, way, top)
    sure = {"confidence": answer.confidence, "band": answer.band}
    if as_json:
        for hit in answer.hits:
            print(json.dumps(dataclasses.asdict(hit) | sure, ensure_ascii=False))
    elif not answer.hits:
        console.print("Nothing matches.")
    else:
        console.print(guides_table(answer.hits))
        console.print(f"\nConfidence in the first: {answer.band} ({answer.confidence:.2f}).", style="dim")


def _names_an_image(query: str) -> bool:
    return Path(query).suffix.lower() in IMAGE_SUFFIXES or is_file(query)


def guides_table(hits: Sequence[GuideHit]) -> Table:
    """Guides as they are shown everywhere: score, id and the beginning of what they say."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("score", justify="right", no_wrap=True)
    for heading in ("id", "guide"):
        table.add_column(heading)
    for hit in hits:
        said = " ".join(f"{hit.title}: {hit.text}".removeprefix(": ").split())
        table.add_row(f"{hit.score:.3f}", escape(hit.id), escape(shorten(said, SHOWN, placeholder=" …")))
    return table


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
