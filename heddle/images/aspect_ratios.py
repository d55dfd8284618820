"""How wide the original images are in comparison with their height, which boxes are told in shares of."""

from pathlib import Path

from heddle.core.schemas import read_rows


def image_ratios(catalog: Path) -> dict[str, float]:
    """Width / height of each original image of ``data/catalog``, by its SHA-256."""
    return {row["sha256"]: row["width"] / row["height"] for row in read_rows(catalog / "images.parquet")}
