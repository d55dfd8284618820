"""``heddle search``: print the hits of :mod:`heddle.inference.search` as a table or as JSON lines."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING

from rich.table import Table

from heddle.core.terminal import PipeConsole, json_text, untrusted
from heddle.images.image_file import is_file, read_image
from heddle.images.resize import ImageDecodeError
from heddle.inference.search import ListingHit, ListingMode, SearchError, search_guides, search_listings

if TYPE_CHECKING:
    from heddle.retrieval.config import RetrievalConfig
    from heddle.retrieval.retriever import GuideHit

IMAGE_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff"}
GUIDE_WIDTH = 200
"""Characters of a guide in a table."""
NO_HITS = "No hits."


def print_listings(query: str, top_k: int, mode: ListingMode, *, as_json: bool, console: PipeConsole) -> None:
    """Search the listings and print the hits, best first. In mode dense, the query may be the path of an image."""
    if mode == "dense" and _is_image_path(query):
        _check_image(Path(query))
        hits = search_listings(image=Path(query), top_k=top_k)
    else:
        hits = search_listings(text=query, top_k=top_k, mode=mode)
    if as_json:
        for hit in hits:
            print(json_text(dataclasses.asdict(hit)))
    else:
        console.print(_listings_table(hits) if hits else NO_HITS)


def print_guides(query: str, top_k: int, config: "RetrievalConfig", *, as_json: bool, console: PipeConsole) -> None:
    """Search the guides and print the hits, best first, and the confidence in the first."""
    result = search_guides(query, config, top_k)
    if as_json:
        for hit in result.hits:
            row = dataclasses.asdict(hit) | {"confidence": result.confidence, "band": result.band}
            print(json_text(row))
    elif result.hits:
        console.print(guides_table(result.hits))
        confidence = confidence_text(result.confidence, result.band)
        console.print(f"\nConfidence in the first guide: {confidence}.", style="dim")
    else:
        console.print(NO_HITS)


def confidence_text(confidence: float, band: str) -> str:
    """``high (0.42)``."""
    return f"{band} ({confidence:.2f})"


def guides_table(hits: Sequence["GuideHit"]) -> Table:
    """Table of guides: score, id, and the beginning of the text."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("score", justify="right", no_wrap=True)
    for heading in ("id", "guide"):
        table.add_column(heading)
    for hit in hits:
        text = f"{hit.title}: {hit.text}" if hit.title else hit.text
        text = shorten(" ".join(text.split()), GUIDE_WIDTH, placeholder=" …")
        table.add_row(f"{hit.score:.3f}", untrusted(hit.id), untrusted(text))
    return table


def _is_image_path(query: str) -> bool:
    return Path(query).suffix.lower() in IMAGE_SUFFIXES or is_file(query)


def _check_image(image: Path) -> None:
    """Refuse a wrong path at once: the index and torch take seconds to load."""
    try:
        read_image(image, 1, "pad")
    except ImageDecodeError as error:
        raise SearchError(str(error)) from error


def _listings_table(hits: Sequence[ListingHit]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("score", justify="right", no_wrap=True)
    for heading in ("id", "title", "item", "material"):
        table.add_column(heading)
    table.add_column("price", justify="right", no_wrap=True)
    for hit in hits:
        price = "" if hit.price is None else f"{hit.price:.2f}"
        texts = (hit.id, hit.title, hit.item or "", hit.material or "")
        table.add_row(f"{hit.score:.3f}", *map(untrusted, texts), price)
    return table
