"""Aspect ratios of the original images; boxes are stored as shares of width and height."""

from pathlib import Path

from heddle.core.schemas import read_rows


def image_ratios(catalog: Path) -> dict[str, float]:
    """Return width / height of each original image of ``data/catalog``, by SHA-256."""
    return {row["sha256"]: row["width"] / row["height"] for row in read_rows(catalog / "images.parquet")}
