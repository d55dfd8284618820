"""What the writer wrote for some images, with what it states marked right or wrong."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from assets.writer.evaluate.claims import Floats
from assets.writer.evaluate.result import SystemResult
from heddle.core.schemas import write_table
from heddle.evaluation.plots import sample_jpeg
from lightning_modules.training.data import ShardSample

MARK = pa.struct(
    [
        pa.field("kind", pa.string()),  # "item", "material", "colour", "relations"
        pa.field("said", pa.string()),  # by the text; null where it says nothing of it
        pa.field("actual", pa.string()),  # by the listing; null where it has no such relation
        pa.field("right", pa.bool_()),
    ]
)
EXAMPLES = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),  # listings.id
        pa.field("system", pa.string(), nullable=False),  # who wrote: "writer", "image_alone"
        pa.field("image", pa.binary(), nullable=False),  # JPEG
        pa.field("seller", pa.string()),  # the listing's own alt text, if it has one
        pa.field("alt_text", pa.string(), nullable=False),
        pa.field("title", pa.string(), nullable=False),  # empty where only the alt text was written
        pa.field("tags", pa.list_(pa.string()), nullable=False),
        pa.field("certainty", pa.float64()),  # that nothing is wrong in the alt text; null where it is not known
        pa.field("clip_score", pa.float64()),  # of the alt text; null without a dual encoder
        pa.field("marks", pa.list_(MARK), nullable=False),
    ]
)


def write_examples(
    path: Path, samples: Sequence[ShardSample], shown: Iterable[tuple[SystemResult, int]], sure: Mapping[str, Floats]
) -> None:
    """What systems wrote for some listings.

    Args:
        path: of the table.
        samples: the N listings.
        shown: systems and the listings' places, in the order in which they are shown.
        sure: system to its certainties, (N,) with nan where none is known.
    """
    write_table(path, [_row(samples[place], trial, sure[trial.name], place) for trial, place in shown], EXAMPLES)


def surest_mistakes(trial: SystemResult, sure: Floats, count: int) -> list[int]:
    """The places of the texts with something wrong of which the writer was surest, surest first."""
    wrong = np.flatnonzero(trial.statements.sound == 0).tolist()
    return sorted(wrong, key=lambda place: (-np.nan_to_num(sure[place]), place))[:count]


def _row(sample: ShardSample, trial: SystemResult, sure: Floats, place: int) -> dict[str, Any]:
    content = trial.contents[place]
    return {
        "id": sample.row["id"],
        "system": trial.name,
        "image": sample_jpeg(sample),
        "seller": sample.row["alt_text"],
        "alt_text": content.alt_text,
        "title": content.title,
        "tags": list(content.tags),
        "certainty": _known(sure[place]),
        "clip_score": _known(trial.values["clip_score"][place]),
        "marks": [asdict(mark) for mark in trial.statements.marks(place)],
    }


def _known(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 6)
