"""Tables of the retrieval evaluation for ``dvc plots``, and examples for the report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from assets.reranker.evaluate.result import HEADLINE, METRICS, JudgedQuery, RetrievalResult
from heddle.core.csv_file import write_csv
from heddle.core.schemas import write_table
from heddle.metrics.bootstrap import Interval
from heddle.metrics.paired import Difference
from heddle.retrieval.confidence import BANDS, band
from heddle.retrieval.config import RetrievalConfig
from heddle.retrieval.guide_index import GuideIndex
from heddle.retrieval.parameters import Bands
from heddle.retrieval.ranking import Ranking
from heddle.retrieval.retriever import Retriever

EXAMPLE_HITS = 5
"""Maximum number of hits of an example."""

HIT = pa.struct(
    [
        pa.field("id", pa.string()),  # guides.id
        pa.field("title", pa.string()),  # may be empty
        pa.field("text", pa.string()),
        pa.field("score", pa.float64()),  # of the system
        pa.field("relevance", pa.int32()),  # as judged, 0 to 3; null if not judged
    ]
)
EXAMPLES = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),  # queries.id
        pa.field("query", pa.string(), nullable=False),
        pa.field("config", pa.string(), nullable=False),  # "rrf", "dense_expanded"
        pa.field("ndcg_at_10", pa.float64(), nullable=False),
        pa.field("confidence", pa.float64(), nullable=False),  # in the first hit, in [0, 1]
        pa.field("band", pa.string(), nullable=False),  # "high", "medium", "low"
        pa.field("hits", pa.list_(HIT), nullable=False),  # best first, at most EXAMPLE_HITS
    ]
)
RETRIEVAL_COLUMNS = ("config", "metric", "value", "low", "high", "delta_vs_rrf", "delta_low", "delta_high", "p_value")
BANDS_COLUMNS = ("config", "band", "queries", "accuracy")


@dataclass(frozen=True)
class Comparison:
    """The metrics of one system, and their differences from reciprocal rank fusion.

    Attributes:
        config: of the system.
        values: metric -> mean and interval.
        differences: metric -> paired difference; empty for reciprocal rank fusion itself.
    """

    config: RetrievalConfig
    values: Mapping[str, Interval]
    differences: Mapping[str, Difference]


def write_retrieval(folder: Path, comparisons: Sequence[Comparison]) -> None:
    """Write ``retrieval.csv``: one row for each system and metric."""
    rows: list[tuple[object, ...]] = []
    for comparison in comparisons:
        for metric in METRICS:
            value, difference = comparison.values[metric], comparison.differences.get(metric)
            cells = [f"{number:.6f}" for number in (value["value"], value["low"], value["high"])]
            if difference is None:
                cells += [""] * 4
            else:
                numbers = (difference.mean, difference.low, difference.high, difference.p_value)
                cells += [f"{number:.6f}" for number in numbers]
            rows.append((comparison.config.name, metric, *cells))
    write_csv(folder / "retrieval.csv", RETRIEVAL_COLUMNS, rows)


def write_bands(folder: Path, results: Sequence[RetrievalResult], bands: Bands) -> None:
    """Write ``bands.csv``: for each confidence band the number of queries and the accuracy of their first hits."""
    rows: list[tuple[object, ...]] = []
    for result in results:
        bands_of_queries = np.array([band(value, bands) for value in result.confidences])
        for name in BANDS:
            correct = result.correct[bands_of_queries == name]
            accuracy = f"{correct.mean():.6f}" if len(correct) else ""
            rows.append((result.config.name, name, len(correct), accuracy))
    write_csv(folder / "bands.csv", BANDS_COLUMNS, rows)


def write_examples(
    folder: Path, retriever: Retriever, results: Sequence[RetrievalResult], queries: Sequence[JudgedQuery]
) -> None:
    """Write ``examples.parquet``: the hits of every system for the first queries.

    Args:
        folder: to write into.
        retriever: of the results.
        results: of every system.
        queries: the first of those that were evaluated.
    """
    rows = [
        {
            "id": query.id,
            "query": query.query.text,
            "config": result.config.name,
            "ndcg_at_10": float(result.metrics[HEADLINE][number]),
            "confidence": result.confidences[number],
            "band": band(result.confidences[number], retriever.parameters.bands),
            "hits": _hits(retriever.index, result.rankings[number].head(EXAMPLE_HITS), query),
        }
        for number, query in enumerate(queries)
        for result in results
    ]
    write_table(folder / "examples.parquet", rows, EXAMPLES)


def _hits(index: GuideIndex, ranking: Ranking, query: JudgedQuery) -> list[dict[str, object]]:
    return [
        {
            "id": index.ids[guide],
            "title": index.titles[guide],
            "text": index.texts[guide],
            "score": score,
            "relevance": query.grades.get(index.ids[guide]),
        }
        for guide, score in zip(ranking.indices.tolist(), ranking.scores.tolist(), strict=True)
    ]
