"""Calibration: fit probabilities and the bound for query texts on validation data, and measure both on test data."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from assets.recommender.evaluate.systems import System
from heddle.core.parameters.shared import Split
from heddle.core.splits import split_of
from heddle.evaluation.platt_scaling import PlattScaling
from heddle.graph.tables import INDUCTIVE, CatalogGraph
from heddle.metrics import compute
from heddle.metrics.expected_calibration_error import ExpectedCalibrationError
from heddle.recommendation.calibration import RecommenderCalibration
from heddle.recommendation.similarity import cosine, query_candidates

Floats = NDArray[np.float64]


def fit_recommender_calibration(graph: CatalogGraph, system: System, split: Split) -> RecommenderCalibration:
    """Fit on the validation edges and negatives, and on the titles of validation listings."""
    scores, labels = _scored_pairs(graph, system, "validation")
    scaling = PlattScaling.fit(scores, labels) if 0 < labels.sum() < len(labels) else None
    return RecommenderCalibration(scaling, choose_min_similarity(*title_similarities(graph, split, "validation")))


def measure_recommender_calibration(
    graph: CatalogGraph, system: System, calibration: RecommenderCalibration, split: Split
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Metrics of the test split: of the probabilities, and of the texts that match a node. Empty without a fit."""
    probabilities: dict[str, Any] = {}
    if calibration.probability is not None:
        scores, labels = _scored_pairs(graph, system, "test")
        probabilities = compute(
            ExpectedCalibrationError, predictions=calibration.probability(scores), references=labels.astype(int)
        )
    texts: dict[str, Any] = {}
    present, absent = title_similarities(graph, split, "test")
    if calibration.min_similarity is not None and len(present) and len(absent):
        texts = {
            "recall": float((present >= calibration.min_similarity).mean()),
            "false_positive_rate": float((absent >= calibration.min_similarity).mean()),
        }
    return probabilities, texts


def title_similarities(graph: CatalogGraph, split: Split, part: str) -> tuple[Floats, Floats]:
    """Similarities that a query text reaches if its node is in the graph, and if its node is missing.

    The query texts are titles of listings, whose labels are the right nodes. To take a title's node out of the graph,
    its label nodes are excluded from the candidates. Titles whose nearest node is no label of theirs, such as "A rare
    find", are no examples of a text with a node.

    Args:
        graph: with listings, whose features are those of their titles.
        split: assigns listings to splits by their ids.
        part: validation or test.

    Returns:
        Similarities to the nearest node, with the right node (P,) and without it (N,).
    """
    labels: dict[int, list[int]] = {}
    for listing, label in graph.edges[graph.parts == INDUCTIVE].tolist():
        if graph.texts[listing] and split_of(graph.ids[listing], split) == part:
            labels.setdefault(listing, []).append(label)
    candidates = query_candidates(graph)
    present, absent = [], []
    for listing, own in labels.items():
        similarity = cosine(graph.features[candidates], graph.features[listing])
        is_own = np.isin(candidates, own)
        if not is_own.any() or is_own.all():
            continue
        if is_own[similarity.argmax()]:
            present.append(float(similarity.max()))
        absent.append(float(similarity[~is_own].max()))
    return np.array(present), np.array(absent)


def choose_min_similarity(present: Floats, absent: Floats) -> float | None:
    """The bound with the largest difference of true and false positive rate; None without both kinds of examples.

    Source: Youden 1950, Index for rating diagnostic tests. The bound lies halfway between the two similarities that it
    separates; of equally good bounds the lowest is taken, which refuses fewest texts.
    """
    if not len(present) or not len(absent):
        return None
    values = np.unique(np.concatenate([present, absent]))
    gain = np.array([(present >= value).mean() - (absent >= value).mean() for value in values])
    best = int(gain.argmax())
    return float(values[best] if best == 0 else (values[best - 1] + values[best]) / 2)


def _scored_pairs(graph: CatalogGraph, system: System, part: str) -> tuple[Floats, Floats]:
    """Scores and labels of a split's edges and negatives, (P,) each."""
    edges, negatives = graph.predicted(part), graph.negatives[part]
    return system(np.concatenate([edges, negatives])), np.repeat([1.0, 0.0], [len(edges), len(negatives)])
