"""Write example tables: texts of the writer for some images, with their claims labelled as correct or wrong."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from assets.writer.evaluate.claims import Floats
from assets.writer.evaluate.result import WriterResult
from heddle.core.schemas import write_table
from heddle.evaluation.plots import sample_jpeg
from lightning_modules.training.shards import ShardSample

CLAIM = pa.struct(
    [
        pa.field("kind", pa.string()),  # "item", "material", "colour", "relations"
        pa.field("claimed", pa.string()),  # by the text; null where it makes no claim
        pa.field("actual", pa.string()),  # by the listing; null where it has no such relation
        pa.field("correct", pa.bool_()),
    ]
)
EXAMPLES = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),  # listings.id
        pa.field("system", pa.string(), nullable=False),  # "full", "image_only"
        pa.field("image", pa.binary(), nullable=False),  # JPEG
        pa.field("seller", pa.string()),  # the seller's alt text; null where there is none
        pa.field("alt_text", pa.string(), nullable=False),
        pa.field("title", pa.string(), nullable=False),  # empty where only the alt text was written
        pa.field("tags", pa.list_(pa.string()), nullable=False),
        pa.field("certainty", pa.float64()),  # that no claim of the alt text is wrong; null where not calibrated
        pa.field("clip_score", pa.float64()),  # of the alt text; null without a dual encoder
        pa.field("claims", pa.list_(CLAIM), nullable=False),
    ]
)


def write_examples(
    path: Path,
    samples: Sequence[ShardSample],
    shown: Iterable[tuple[WriterResult, int]],
    certainties: Mapping[str, Floats],
) -> None:
    """Write a table of systems' texts.

    Args:
        path: path of the table.
        samples: the N listings.
        shown: systems and indices of listings, in the order of the table.
        certainties: system to the certainty of each text, (N,); NaN where unknown.
    """
    rows = [_row(samples[index], result, certainties[result.name][index], index) for result, index in shown]
    write_table(path, rows, EXAMPLES)


def most_certain_mistakes(result: WriterResult, certainties: Floats, count: int) -> list[int]:
    """Indices of the texts with a wrong claim and the highest certainty, in descending order."""
    wrong = np.flatnonzero(result.claims.all_correct == 0).tolist()
    return sorted(wrong, key=lambda index: (-np.nan_to_num(certainties[index]), index))[:count]


def _row(sample: ShardSample, result: WriterResult, certainty: float, index: int) -> dict[str, Any]:
    content = result.contents[index]
    return {
        "id": sample.row["id"],
        "system": result.name,
        "image": sample_jpeg(sample),
        "seller": sample.row["alt_text"],
        "alt_text": content.alt_text,
        "title": content.title,
        "tags": list(content.tags),
        "certainty": _rounded(certainty),
        "clip_score": _rounded(result.values["clip_score"][index]),
        "claims": [asdict(label) for label in result.claims.labels(index)],
    }


def _rounded(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 6)
