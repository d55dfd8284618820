"""Evaluate retrieval systems on queries with known relevant guides.

The queries are those with at least one relevant guide, by default only those of the test split, on which no reranker
was trained. Each system is compared with reciprocal rank fusion, query by query.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from assets.reranker.evaluate.parameters import RetrievalEvaluationParameters
from assets.reranker.evaluate.result import HEADLINE, METRICS, JudgedQuery, RetrievalResult, evaluate_config
from assets.reranker.evaluate.tables import Comparison, write_bands, write_examples, write_retrieval
from heddle.core.parameters.shared import Split, read_seed
from heddle.core.schemas import read_rows
from heddle.core.splits import split_of
from heddle.core.stage import Stage, StageError
from heddle.evaluation.metric_tree import MetricTree
from heddle.evaluation.parameters import BootstrapParameters
from heddle.evaluation.skip import skip_evaluation
from heddle.metrics.bootstrap import ConfidenceInterval
from heddle.metrics.paired import paired_difference
from heddle.retrieval.config import MODES, RetrievalConfig, RetrievalError
from heddle.retrieval.open_retriever import open_retriever
from heddle.retrieval.query import EncodedQuery
from heddle.retrieval.retriever import Retriever

REFERENCE = RetrievalConfig("rrf")


def retrieval_evaluation(stage: Stage) -> MetricTree:
    """Evaluate every retrieval system; write tables and examples."""
    parameters = stage.parameters(RetrievalEvaluationParameters)
    retriever = open_retriever(stage)
    queries, without_relevant_guide = _queries(stage, parameters, retriever)
    counts = {
        "guides": len(retriever.index),
        "queries": len(queries),
        "queries_without_relevant_guide": without_relevant_guide,
    }
    results = _results(stage, retriever, queries) if queries else []
    interval = ConfidenceInterval(stage.parameters(BootstrapParameters, "bootstrap"), read_seed())
    comparisons = [_comparison(result, results, interval) for result in results]
    plots = stage.output / "plots"
    plots.mkdir()
    write_retrieval(plots, comparisons)
    write_bands(plots, results, retriever.parameters.bands)
    write_examples(stage.output, retriever, results, queries[: parameters.examples])
    return {**counts, **{comparison.config.name: _system_metrics(comparison) for comparison in comparisons}}


def _configs(retriever: Retriever) -> list[RetrievalConfig]:
    """Every mode, without and with query expansion; with a reranker also both fusions reranked."""
    configs = [RetrievalConfig(mode, expand) for expand in (False, True) for mode in MODES]
    if retriever.reranker is not None:
        configs += [RetrievalConfig("rrf", rerank=True), RetrievalConfig("weighted", rerank=True)]
    return configs


def _results(stage: Stage, retriever: Retriever, queries: Sequence[JudgedQuery]) -> list[RetrievalResult]:
    configs, results = _configs(retriever), []
    for number, config in enumerate(configs):
        stage.progress(f"systems evaluated, next: {config.name}", number, len(configs))
        results.append(evaluate_config(retriever, config, queries))
    return results


def _queries(
    stage: Stage, parameters: RetrievalEvaluationParameters, retriever: Retriever
) -> tuple[list[JudgedQuery], int]:
    """The queries to evaluate, by id, and the number of skipped queries without a relevant guide."""
    validated, split = stage.input("validated"), stage.parameters(Split, "split")
    grades: dict[str, dict[str, int]] = defaultdict(dict)
    for row in read_rows(validated / "qrels.parquet"):
        grades[row["query"]][row["guide"]] = row["relevance"]
    rows = [
        row
        for row in read_rows(validated / "queries.parquet")
        if parameters.queries == "all" or split_of(row["id"], split) == "test"
    ]
    answerable = [row for row in rows if max(grades[row["id"]].values(), default=0) > 0]
    if not answerable:
        reason = (
            f"data/validated has {len(rows)} queries to evaluate, none with a relevant guide; bring queries and qrels "
            "in `catalog`, or set retrieval_evaluation.queries to all"
        )
        skip_evaluation(stage, reason, {})
    queries = [JudgedQuery(row["id"], _encoded(retriever, row), grades[row["id"]]) for row in answerable]
    return queries, len(rows) - len(answerable)


def _encoded(retriever: Retriever, row: Mapping[str, Any]) -> EncodedQuery:
    try:
        return retriever.encode(row["text"])
    except RetrievalError as error:
        raise StageError(f"data/validated/queries.parquet: {row['id']}: {error}") from error


def _comparison(
    result: RetrievalResult, results: Sequence[RetrievalResult], interval: ConfidenceInterval
) -> Comparison:
    """Means and intervals of all metrics of a system, and their differences from the reference."""
    reference = next(other for other in results if other.config == REFERENCE)
    differences = {
        name: paired_difference(result.metrics[name], reference.metrics[name], interval.bootstrap, interval.seed)
        for name in METRICS
        if result.config != REFERENCE
    }
    values = {name: interval(float(result.metrics[name].mean()), result.metrics[name]) for name in METRICS}
    return Comparison(result.config, values, differences)


def _system_metrics(comparison: Comparison) -> MetricTree:
    """The node of a system in metrics.json; the differences of the other metrics are in the table."""
    metrics: dict[str, Any] = dict(comparison.values)
    difference = comparison.differences.get(HEADLINE)
    if difference is not None:
        delta = f"{HEADLINE}_delta_vs_{REFERENCE.name}"
        metrics[delta] = {"value": difference.mean, "low": difference.low, "high": difference.high}
        metrics[f"{delta}_p_value"] = difference.p_value
    return metrics
