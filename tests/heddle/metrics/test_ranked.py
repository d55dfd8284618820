"""Measures of ranked lists: trec_eval's numbers, textbook examples, scikit-learn, and what must hold of any list."""

from collections import defaultdict
from math import log2
from pathlib import Path

import evaluate
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, ndcg_score

from heddle import metrics
from heddle.metrics.average_precision import AveragePrecision
from heddle.metrics.judgements import Judged, judged
from heddle.metrics.ndcg import Ndcg, exponential, linear
from heddle.metrics.precision import Precision
from heddle.metrics.recall import Recall
from heddle.metrics.reciprocal_rank import ReciprocalRank

METRICS = Path(metrics.__file__).parent
TREC = Path(__file__).parents[4] / "shared/data/trec_eval"
CUTS = (5, 10, 15, 20, 30, 100, 200, 500, 1000)
EVERY = (AveragePrecision, Ndcg, Precision, Recall, ReciprocalRank)

# Of the same run: test/out.test.a of github.com/usnistgov/trec_eval, which has more measures than out.test.
PUBLISHED = {
    "recall": (0.0173, 0.0317, 0.0534, 0.1061, 0.1335, 0.4980, 0.5533, 0.5997, 0.5997),
    "ndcg_cut": (0.2768, 0.3016, 0.3087, 0.3525, 0.3363, 0.3916, 0.4045, 0.4021, 0.4021),
    "map_cut": (0.0154, 0.0259, 0.0425, 0.0591, 0.0795, 0.1622, 0.1711, 0.1785, 0.1785),
}


def _trec() -> tuple[list[list[str]], list[Judged]]:
    """The run and the judgements as trec_eval reads them: by score, ties by id from the last; ranks are not read.

    The run's few ties matter only beyond the fourth decimal.
    """
    scored, grades = defaultdict(list), defaultdict(dict)
    for line in (TREC / "results.test").read_text().splitlines():
        query, _, document, _, score, _ = line.split()
        scored[query].append((float(score), document))
    for line in (TREC / "qrels.test").read_text().splitlines():
        query, _, document, grade = line.split()
        grades[query][document] = int(grade)
    ranked = [[document for _, document in sorted(pairs, reverse=True)][:1000] for pairs in scored.values()]
    return ranked, [judged(grades[query]) for query in scored]


@pytest.mark.skipif(not TREC.is_dir(), reason="../shared/data/trec_eval is not there")
def test_the_numbers_are_those_of_trec_eval() -> None:
    ranked, references = _trec()
    relevant = [sum(reference["grades"]) for reference in references]
    average = AveragePrecision.per_query(ranked, references, k=1000)
    found = {
        "num_q": len(ranked),
        "num_ret": sum(len(documents) for documents in ranked),
        "num_rel": sum(relevant),
        "num_rel_ret": Recall.per_query(ranked, references, k=1000) @ relevant,
        "map": average.mean(),
        "gm_map": np.exp(np.log(np.maximum(average, 1e-5)).mean()),
        "recip_rank": ReciprocalRank.per_query(ranked, references, k=1000).mean(),
        # R-precision is precision at as many documents as are relevant.
        "Rprec": np.mean(
            [
                Precision.per_query([documents], [reference], k=count).item()
                for documents, reference, count in zip(ranked, references, relevant, strict=True)
            ]
        ),
        **{f"P_{k}": Precision.per_query(ranked, references, k).mean() for k in CUTS},
    }
    lines = [line.split() for line in (TREC / "out.test").read_text().splitlines()]
    expected = {name: float(value) for name, _, value in lines if name != "runid"}
    assert expected.keys() - found.keys() == {"bpref", *(f"iprec_at_recall_{i / 10:.2f}" for i in range(11))}
    assert {name: round(value, 4) for name, value in found.items()} == {name: expected[name] for name in found}


@pytest.mark.skipif(not TREC.is_dir(), reason="../shared/data/trec_eval is not there")
def test_the_numbers_at_every_cut_are_those_of_trec_eval() -> None:
    ranked, references = _trec()
    for row, k in enumerate(CUTS):
        inputs = {"predictions": ranked, "references": references, "k": k}
        assert round(metrics.compute(Recall, **inputs)["recall"], 4) == PUBLISHED["recall"][row]
        assert round(metrics.compute(AveragePrecision, **inputs)["map"], 4) == PUBLISHED["map_cut"][row]
        assert round(metrics.compute(Ndcg, **inputs, gain=linear)["ndcg"], 4) == PUBLISHED["ndcg_cut"][row]


# Manning, Raghavan and Schütze, chapter 8: a ranking R N N R with 3 relevant documents in all has recall@4 of 2/3.
RANKED = [["a", "x", "y", "b"], ["x", "c"], ["x", "y"]]
RELEVANT = [judged({"a": 1, "b": 2, "z": 1}), judged({"c": 1, "x": 0}), judged({"x": 0})]


@pytest.mark.parametrize(
    ("k", "expected"), [(1, (1 / 3 + 0) / 3), (2, (1 / 3 + 1) / 3), (4, (2 / 3 + 1) / 3), (99, (2 / 3 + 1) / 3)]
)
def test_recall_by_hand(k: int, expected: float) -> None:
    found = metrics.compute(Recall, predictions=RANKED, references=RELEVANT, k=k)
    assert found["recall"] == pytest.approx(expected)


@pytest.mark.parametrize(("k", "expected"), [(1, 1 / 3), (2, (1 / 2 + 1 / 2) / 3), (4, (2 / 4 + 1 / 4) / 3)])
def test_precision_by_hand(k: int, expected: float) -> None:
    found = metrics.compute(Precision, predictions=RANKED, references=RELEVANT, k=k)
    assert found["precision"] == pytest.approx(expected)


def test_average_precision_by_hand() -> None:
    values = AveragePrecision.per_query(RANKED, RELEVANT, k=4)
    assert values == pytest.approx([(1 / 1 + 2 / 4) / 3, 1 / 2, 0])
    assert metrics.compute(AveragePrecision, predictions=RANKED, references=RELEVANT, k=4)["map"] == values.mean()


def test_reciprocal_rank_by_hand() -> None:
    # Voorhees's own arithmetic: the mean of 1/rank, 0 where nothing right was found. Here ranks 3, 2, 1.
    predictions = [["catten", "cati", "cats"], ["torii", "tori", "toruses"], ["viruses", "virii", "viri"]]
    references = [judged({"cats": 1}), judged({"tori": 1}), judged({"viruses": 1})]
    found = metrics.compute(ReciprocalRank, predictions=predictions, references=references, k=3)
    assert found["mrr"] == pytest.approx(11 / 18)
    first = metrics.compute(ReciprocalRank, predictions=predictions, references=references, k=1)
    assert first["mrr"] == pytest.approx(1 / 3)


def test_ndcg_of_the_encyclopaedias_example() -> None:
    # Wikipedia, "Discounted cumulative gain": six documents of grades 3, 2, 3, 0, 1, 2; two of grades 3 and 2 missed.
    inputs = {
        "predictions": [["D1", "D2", "D3", "D4", "D5", "D6"]],
        "references": [judged({"D1": 3, "D2": 2, "D3": 3, "D4": 0, "D5": 1, "D6": 2, "D7": 3, "D8": 2})],
        "k": 6,
    }
    assert metrics.compute(Ndcg, **inputs, gain=linear)["ndcg"] == pytest.approx(6.861 / 8.740, abs=1e-4)
    gained = 7 + 3 / log2(3) + 7 / 2 + 0 + 1 / log2(6) + 3 / log2(7)
    best = 7 + 7 / log2(3) + 7 / 2 + 3 / log2(5) + 3 / log2(6) + 3 / log2(7)
    assert metrics.compute(Ndcg, **inputs)["ndcg"] == pytest.approx(gained / best, abs=1e-6)


def test_nine_of_ten_are_not_less_than_nine_tenths() -> None:
    ranked, reference = [str(number) for number in range(10)], judged({str(number): 1 for number in range(9)})
    assert metrics.compute(Precision, predictions=[ranked], references=[reference], k=10)["precision"] >= 0.9


GRADES = st.dictionaries(st.sampled_from("abcdefghij"), st.integers(-1, 4), min_size=2)


@given(grades=GRADES, order=st.randoms(use_true_random=False), k=st.integers(1, 12))
@settings(deadline=None, max_examples=50)
def test_full_ranked_lists_match_scikit_learn(grades: dict, order, k: int) -> None:
    ranked = order.sample(sorted(grades), len(grades))
    true = np.array([max(grades[document], 0) for document in ranked])
    scores = -np.arange(len(ranked))
    for gain in (exponential, linear):
        gains = np.array([gain(grade) for grade in true.tolist()])
        value = Ndcg.per_query([ranked], [judged(grades)], k, gain).item()
        assert value == pytest.approx(ndcg_score([gains], [scores], k=k), abs=1e-6)
    whole = AveragePrecision.per_query([ranked], [judged(grades)], k=12).item()
    assert whole == pytest.approx(average_precision_score(true > 0, scores) if true.any() else 0, abs=1e-6)


@given(grades=GRADES, order=st.randoms(use_true_random=False), length=st.integers(0, 12), k=st.integers(1, 12))
@settings(deadline=None, max_examples=100)
def test_any_list_has_the_numbers_of_the_formulas(grades: dict, order, length: int, k: int) -> None:
    documents = order.sample("abcdefghijklm", 13)[:length]
    reference = judged(grades)
    relevant = {document for document, grade in grades.items() if grade > 0}
    hits = [rank for rank, document in enumerate(documents[:k], start=1) if document in relevant]
    gains = [2 ** max(grades.get(document, 0), 0) - 1 for document in documents[:k]]
    best = sorted((2 ** grades[document] - 1 for document in relevant), reverse=True)[:k]
    gained, possible = (sum(gain / log2(1 + rank) for rank, gain in enumerate(g, start=1)) for g in (gains, best))
    all_of_them = max(1, len(relevant))
    expected = {
        Precision: len(hits) / k,
        Recall: len(hits) / all_of_them,
        ReciprocalRank: 1 / hits[0] if hits else 0,
        AveragePrecision: sum(found / rank for found, rank in enumerate(hits, start=1)) / all_of_them,
        Ndcg: gained / possible if possible else 0,
    }
    for metric, value in expected.items():
        assert metric.per_query([documents], [reference], k=k).item() == pytest.approx(value, abs=1e-6), metric


@pytest.mark.parametrize("metric", EVERY)
def test_the_mean_is_that_of_the_queries(metric: type) -> None:
    values = metric.per_query(RANKED, RELEVANT, k=2)
    assert values.shape == (3,)
    assert values[2] == 0  # nothing is relevant, yet the query counts
    (mean,) = metrics.compute(metric, predictions=RANKED, references=RELEVANT, k=2).values()
    assert mean == values.mean() > 0


@pytest.mark.parametrize("metric", EVERY)
def test_unjudged_documents_count_as_irrelevant(metric: type) -> None:
    nothing, unknown, unjudged = metric.per_query(
        [[], ["a", "სკამი"], ["a"]], [judged({"a": 1}), judged({"nowhere": 3}), judged({})], k=2
    )
    assert nothing == unknown == unjudged == 0
    found = metric.per_query([["სკამი", "a"], ["b", "a"]], [judged({"სკამი": 1}), judged({"b": 1})], k=2)
    assert found[0] == found[1] > 0  # an id is an id in any script


@pytest.mark.parametrize("metric", EVERY)
def test_without_a_single_query_there_is_no_mean(metric: type) -> None:
    with pytest.raises(ValueError, match="no queries: a mean needs at least one query"):
        metrics.compute(metric, predictions=[], references=[], k=2)


@pytest.mark.parametrize("metric", EVERY)
@pytest.mark.parametrize(
    ("ranked", "reference", "k", "message"),
    [
        (["a", "b", "a"], judged({"a": 1}), 2, "duplicate document id"),
        (["a"], {"ids": ["a", "a"], "grades": [0, 1]}, 2, "duplicate document id"),
        (["a"], {"ids": ["a", "b"], "grades": [1]}, 2, "shorter"),
        (["a"], judged({"a": 1}), 0, "at least 1"),
    ],
)
def test_what_is_no_ranked_list_is_refused(metric: type, ranked: list, reference: Judged, k: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        metric.per_query([ranked], [reference], k=k)


@pytest.mark.parametrize(
    ("name", "result"),
    [
        ("recall", {"recall": 5 / 9}),
        ("precision", {"precision": 1 / 4}),
        ("reciprocal_rank", {"mrr": 0.5}),
        ("average_precision", {"map": 1 / 3}),
        ("ndcg", {"ndcg": ((1 + 3 / log2(5)) / (3 + 1 / log2(3) + 1 / 2) + 1 / log2(3)) / 3}),
    ],
)
def test_anyone_can_load_the_metrics_by_path(name: str, result: dict) -> None:
    metric = evaluate.load(str(METRICS / f"{name}.py"), keep_in_memory=True)
    assert metric.compute(predictions=RANKED, references=RELEVANT, k=4) == pytest.approx(result, abs=1e-6)
