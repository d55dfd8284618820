"""One source read on its own, or the whole stage over it, without a network."""

import io
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from pydantic import TypeAdapter

from assets.catalog.collector import Collector
from assets.catalog.listing_drafts import CollectionResult, Draft
from assets.catalog.stage import catalog
from heddle.core.schemas import read_rows
from heddle.core.stage import Stage
from heddle.sources.parameters import Source

NEAR = ["contact: a@b.test", "delay: 0", "back_off: 0.01", "private_addresses: true"]
"""Manners of a crawl of a site of our own."""


def image(number: int, form: str = "JPEG") -> bytes:
    """An image that is like no other number's."""
    noise = np.random.default_rng(number).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).resize((64, 48)).save(file, form)
    return file.getvalue()


def parameters(**told: Any) -> Any:
    """A source's parameters as its kind has them."""
    return TypeAdapter(Source).validate_python(told)


def read(source: Any, folder: Path) -> tuple[Collector, CollectionResult, list[tuple[Draft, str]]]:
    """Let a source bring what it has without a network; last in the answer: the images that it would fetch.

    Those count as missing.
    """
    folder.mkdir(exist_ok=True)
    collector = Collector(folder, 1e6, 1_000_000, 1)
    wanted: list[tuple[Draft, str]] = []
    collector.set_image_url = lambda draft, url, stamp=None: wanted.append((draft, url))  # type: ignore[method-assign]
    source.gather(collector)
    for draft, url in wanted:
        collector.reject_image(draft, "image_missing", url)
    return collector, collector.finish(), wanted


def run(folder: Path, *sources: str) -> dict[str, float | int]:
    """Run the stage in the current folder over sources given as YAML; outputs go to `output`."""
    (folder / "scales").mkdir(exist_ok=True)
    (folder / "scales/smoke.yaml").write_text("{}\n")
    listed = "".join(f"    - {source}\n" for source in sources)
    (folder / "params.yaml").write_text(f"scale: smoke\nseed: 1\ncatalog:\n  sources:\n{listed}")
    output = folder / "output"
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir()
    return dict(catalog(Stage("catalog", output)))


def rows(folder: Path, table: str) -> list[dict[str, Any]]:
    return read_rows(folder / "output" / f"{table}.parquet")


def refused(folder: Path) -> list[tuple[str, str]]:
    """Id and reason of what stands in the quarantine."""
    found = rows(folder, "quarantine")
    assert all(row["record"] and row["detail"] and row["origin"] for row in found)
    return [(row["id"], row["reason"]) for row in found]


def adds_up(metrics: dict[str, float | int]) -> bool:
    """Whether nothing was lost."""
    parts = ("accepted", "quarantined", "duplicates")
    return metrics["listings_fetched"] == sum(metrics[f"listings_{part}"] for part in parts)
