"""Curves of the dual encoder's evaluation for ``dvc plots``, and examples with images for the report."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from heddle.core.csv_file import write_csv
from heddle.core.schemas import write_table
from heddle.evaluation.plots import sample_jpeg
from heddle.metrics.ranking import Floats
from lightning_modules.training.shards import ShardSample

CURVE_DEPTH = 50
BINS = 40
SHOWN = 5

RETRIEVED = pa.struct(
    [
        pa.field("id", pa.string()),  # listings.id
        pa.field("text", pa.string()),  # the listing's own plainest text
        pa.field("item", pa.string()),  # label, if it has one
        pa.field("similarity", pa.float32()),  # cosine with the query, in [-1, 1]
        pa.field("right", pa.bool_()),  # whether it belongs to the query's own listing
        pa.field("image", pa.binary()),  # JPEG
    ]
)
EXAMPLES = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),  # listings.id
        pa.field("query", pa.string(), nullable=False),  # its plainest text
        pa.field("item", pa.string()),  # its label, if it has one
        pa.field("rank", pa.int32(), nullable=False),  # of its own image among all test images, from 1
        pa.field("candidates", pa.int32(), nullable=False),  # how many images were ranked
        pa.field("image", pa.binary(), nullable=False),  # its own, JPEG
        pa.field("retrieved", pa.list_(RETRIEVED), nullable=False),  # best first, at most 5
    ]
)


def write_recall_curve(folder: Path, ranks: dict[str, NDArray[np.int64]]) -> None:
    """Write ``recall_curve.csv``: recall@k for k from 1 to 50 in each direction, and by chance."""
    rows: list[tuple[object, ...]] = []
    for direction, own in sorted(ranks.items()):
        depth = min(CURVE_DEPTH, len(own))
        rows += [(direction.replace("_", " "), k, _share(own <= k)) for k in range(1, depth + 1)]
        chance: list[tuple[object, ...]] = [("chance", k, f"{k / len(own):.6f}") for k in range(1, depth + 1)]
    write_csv(folder / "recall_curve.csv", ("direction", "k", "recall"), rows + chance)


def write_similarities(folder: Path, text: Floats, image: Floats) -> None:
    """Write ``similarity.csv``: histograms of the cosines of matching and of other pairs."""
    cosines = text @ image.T
    own = np.eye(len(text), dtype=bool)
    edges = np.linspace(-1, 1, BINS + 1)
    rows: list[tuple[object, ...]] = []
    for name, values in (("matching", cosines[own]), ("other", cosines[~own])):
        counts, _ = np.histogram(np.clip(values, -1, 1), edges)
        shares = counts / max(1, counts.sum())
        rows += [(name, f"{low:.2f}", f"{share:.6f}") for low, share in zip(edges[:-1], shares, strict=True)]
    write_csv(folder / "similarity.csv", ("pairs", "cosine", "share"), rows)


def write_examples(
    folder: Path,
    pairs: Sequence[ShardSample],
    texts: Sequence[str],
    text: Floats,
    image: Floats,
    ranks: NDArray[np.int64],
    heads: NDArray[np.int64],
    count: int,
) -> None:
    """Write ``examples.parquet``: what the texts of the first listings retrieve; their order, by key, is arbitrary."""
    rows = []
    for own, sample in enumerate(pairs[:count]):
        retrieved = [
            {
                "id": pairs[other].row["id"],
                "text": texts[other],
                "item": pairs[other].row["item"],
                "similarity": float(text[own] @ image[other]),
                "right": bool(other == own),
                "image": sample_jpeg(pairs[other]),
            }
            for other in heads[own, :SHOWN]
        ]
        rows.append(
            {
                "id": sample.row["id"],
                "query": texts[own],
                "item": sample.row["item"],
                "rank": int(ranks[own]),
                "candidates": len(pairs),
                "image": sample_jpeg(sample),
                "retrieved": retrieved,
            }
        )
    write_table(folder / "examples.parquet", rows, EXAMPLES)


def _share(hits: NDArray[np.bool_]) -> str:
    return f"{hits.mean():.6f}"
