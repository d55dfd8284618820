"""What the evaluation of retrieval shows: tables for ``dvc plots`` and examples for the report."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from assets.reranker.evaluate.result import MEASURES, Case, Trial
from heddle.core.csv_file import write_csv
from heddle.core.schemas import write_table
from heddle.metrics.bootstrap import ConfidenceInterval
from heddle.metrics.paired import Difference
from heddle.retrieval.confidence import BANDS, band
from heddle.retrieval.guide_index import GuideIndex
from heddle.retrieval.parameters import Bands
from heddle.retrieval.ranking import Ranking
from heddle.retrieval.retriever import RetrievalConfig, Retriever

SHOWN = 5

HIT = pa.struct(
    [
        pa.field("id", pa.string()),  # guides.id
        pa.field("title", pa.string()),  # maybe empty
        pa.field("text", pa.string()),
        pa.field("score", pa.float64()),  # the way's own
        pa.field("relevance", pa.int32()),  # as judged, 0 to 3; null where nobody judged
    ]
)
EXAMPLES = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),  # queries.id
        pa.field("query", pa.string(), nullable=False),
        pa.field("way", pa.string(), nullable=False),  # "rrf", "dense_expanded"
        pa.field("ndcg_at_10", pa.float64(), nullable=False),
        pa.field("confidence", pa.float64(), nullable=False),  # of the first hit, in [0, 1]
        pa.field("band", pa.string(), nullable=False),  # "high", "medium", "low"
        pa.field("hits", pa.list_(HIT), nullable=False),  # best first, at most 5
    ]
)


def write_retrieval(
    folder: Path,
    trials: Sequence[Trial],
    differences: Mapping[RetrievalConfig, Mapping[str, Difference]],
    sure: ConfidenceInterval,
) -> None:
    """``retrieval.csv``: every measure of every way, its interval, and its difference from the reference's."""
    rows: list[tuple[object, ...]] = []
    for trial in trials:
        for measure in MEASURES:
            values = trial.measures[measure]
            numbers = list(sure(float(values.mean()), values).values())
            compared = differences.get(trial.way, {}).get(measure)
            if compared is not None:
                numbers += [compared.mean, compared.low, compared.high, compared.p_value]
            written = [f"{number:.6f}" for number in numbers]
            rows.append((trial.way.name, measure, *written, *[""] * (7 - len(written))))
    header = ("way", "measure", "value", "low", "high", "difference", "difference_low", "difference_high", "p_value")
    write_csv(folder / "retrieval.csv", header, rows)


def write_bands(folder: Path, trials: Sequence[Trial], bands: Bands) -> None:
    """``bands.csv``: of the questions in each band of confidence, of how many no guide is better than the first hit."""
    rows: list[tuple[object, ...]] = []
    for trial in trials:
        inside = np.array([band(value, bands) for value in trial.confidences])
        for name in BANDS:
            right = trial.right[inside == name]
            rows.append((trial.way.name, name, len(right), f"{right.mean():.6f}" if len(right) else ""))
    write_csv(folder / "bands.csv", ("way", "band", "queries", "accuracy"), rows)


def write_examples(folder: Path, retriever: Retriever, trials: Sequence[Trial], cases: Sequence[Case]) -> None:
    """``examples.parquet``: the first questions by id and what each way finds for them."""
    rows = [
        {
            "id": case.id,
            "query": case.question.text,
            "way": trial.way.name,
            "ndcg_at_10": float(trial.measures["ndcg_at_10"][place]),
            "confidence": trial.confidences[place],
            "band": band(trial.confidences[place], retriever.parameters.bands),
            "hits": _hits(retriever.library, trial.rankings[place].first(SHOWN), case),
        }
        for place, case in enumerate(cases)
        for trial in trials
    ]
    write_table(folder / "examples.parquet", rows, EXAMPLES)


def _hits(guides: GuideIndex, ranking: Ranking, case: Case) -> list[dict[str, object]]:
    return [
        {
            "id": guides.ids[place],
            "title": guides.titles[place],
            "text": guides.texts[place],
            "score": score,
            "relevance": case.grades.get(guides.ids[place]),
        }
        for place, score in zip(ranking.places.tolist(), ranking.scores.tolist(), strict=True)
    ]
