"""Judge the ways of finding guides on questions whose answers are known.

Asked are the questions that have at least one relevant guide, by default those of the test split alone, which no
reranker was trained on. Each way is compared with reciprocal rank fusion, question by question.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from assets.reranker.evaluate.parameters import RetrievalEvaluationParameters
from assets.reranker.evaluate.result import MEASURES, Case, Trial, attempt
from assets.reranker.evaluate.tables import write_bands, write_examples, write_retrieval
from heddle.core.parameters.shared import Split, read_seed
from heddle.core.schemas import read_rows
from heddle.core.skipped import write_skipped
from heddle.core.splits import split_of
from heddle.core.stage import Metrics, Stage, StageError
from heddle.evaluation.parameters import BootstrapParameters
from heddle.metrics.bootstrap import ConfidenceInterval
from heddle.metrics.paired import Difference, paired_difference
from heddle.retrieval.open_retriever import opened
from heddle.retrieval.retriever import MODES, Question, RetrievalConfig, RetrievalError, Retriever

REFERENCE = RetrievalConfig("rrf")


def retrieval_evaluation(stage: Stage) -> Metrics:
    """Ask, measure, and write tables and examples."""
    parameters = stage.parameters(RetrievalEvaluationParameters)
    retriever = opened(stage)
    cases, unanswered = _cases(stage, parameters, retriever)
    (stage.output / "plots").mkdir()
    trials = []
    for number, way in enumerate(_ways(retriever) if cases else ()):
        stage.progress(f"ways of looking tried, next: {way.name}", number, len(_ways(retriever)))
        trials.append(attempt(retriever, way, cases))
    sure = ConfidenceInterval(stage.parameters(BootstrapParameters, "bootstrap"), read_seed())
    differences = {
        trial.way: {name: _difference(trial, trials, name, sure) for name in MEASURES}
        for trial in trials
        if trial.way != REFERENCE
    }
    write_retrieval(stage.output / "plots", trials, differences, sure)
    write_bands(stage.output / "plots", trials, retriever.parameters.bands)
    write_examples(stage.output, retriever, trials, cases[: parameters.examples])
    numbers: dict[str, float] = {"guides": len(retriever.library), "queries": len(cases)}
    numbers["queries_without_relevant_guide"] = unanswered
    for trial in trials:
        numbers |= _numbers(trial, sure)
    for way, by_measure in differences.items():
        numbers |= _compared(way, by_measure["ndcg_at_10"])
    return numbers


def _ways(retriever: Retriever) -> list[RetrievalConfig]:
    """Every mode, plain and expanded; with a reranker also the two fusions, reranked."""
    ways = [RetrievalConfig(mode, expand) for expand in (False, True) for mode in MODES]
    if retriever.reranker is not None:
        ways += [RetrievalConfig("rrf", rerank=True), RetrievalConfig("weighted", rerank=True)]
    return ways


def _cases(stage: Stage, parameters: RetrievalEvaluationParameters, retriever: Retriever) -> tuple[list[Case], int]:
    """The questions to ask, by id, and how many there are that no guide answers."""
    validated, split = stage.input("validated"), stage.parameters(Split, "split")
    grades: dict[str, dict[str, int]] = defaultdict(dict)
    for row in read_rows(validated / "qrels.parquet"):
        grades[row["query"]][row["guide"]] = row["relevance"]
    queries = [
        row
        for row in read_rows(validated / "queries.parquet")
        if parameters.queries == "all" or split_of(row["id"], split) == "test"
    ]
    asked = [row for row in queries if max(grades[row["id"]].values(), default=0) > 0]
    if not asked:
        reason = (
            f"data/validated has {len(queries)} queries to ask, none with a relevant guide; bring queries and qrels in "
            "`catalog`, or set retrieval_evaluation.queries to all"
        )
        stage.progress(f"nothing to measure: {reason}")
        write_skipped(stage.output, reason)
    cases = [Case(row["id"], _question(retriever, row), grades[row["id"]]) for row in asked]
    return cases, len(queries) - len(asked)


def _question(retriever: Retriever, row: Mapping[str, Any]) -> Question:
    try:
        return retriever.question(row["text"])
    except RetrievalError as error:
        raise StageError(f"data/validated/queries.parquet: {row['id']}: {error}") from error


def _difference(trial: Trial, trials: Sequence[Trial], measure: str, sure: ConfidenceInterval) -> Difference:
    reference = next(other for other in trials if other.way == REFERENCE)
    return paired_difference(trial.measures[measure], reference.measures[measure], sure.bootstrap, sure.seed)


def _numbers(trial: Trial, sure: ConfidenceInterval) -> dict[str, float]:
    """The means; intervals of the first measure, those of the others stand in the table."""
    name = trial.way.name
    numbers = {f"{name}_{measure}": float(values.mean()) for measure, values in trial.measures.items()}
    key = f"{name}_ndcg_at_10"
    bounds = sure(numbers[key], trial.measures["ndcg_at_10"])
    return numbers | {f"{key}_low": bounds["low"], f"{key}_high": bounds["high"]}


def _compared(way: RetrievalConfig, difference: Difference) -> dict[str, float]:
    key = f"{way.name}_ndcg_at_10_over_{REFERENCE.name}"
    return {key: difference.mean, f"{key}_low": difference.low, f"{key}_high": difference.high}
