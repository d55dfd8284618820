"""Calibration of the recommender: bounds against scikit-learn, examples by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_curve

from assets.recommender.evaluate.calibration import (
    choose_min_similarity,
    fit_recommender_calibration,
    measure_recommender_calibration,
    title_similarities,
)
from assets.recommender.evaluate.systems import dot_product
from heddle.core.parameters.shared import Split
from heddle.core.splits import split_of
from heddle.graph.tables import CatalogGraph
from tests.support.small_graph import made, shop_rows

SPLIT = Split(validation=0.3, test=0.3)
similarities = st.lists(st.integers(-20, 20).map(lambda number: number / 20), min_size=1, max_size=30).map(np.array)


@pytest.fixture(scope="module")
def shop() -> CatalogGraph:
    listings = [
        {"id": f"shop:{number}", "title": f"bag {number}", "item": "bag", "material": "cotton"} for number in range(60)
    ]
    return made(*shop_rows(), listings)


@given(similarities, similarities)
def test_min_similarity_has_the_best_youden_index(present: np.ndarray, absent: np.ndarray) -> None:
    bound = choose_min_similarity(present, absent)
    labels = np.repeat([1, 0], [len(present), len(absent)])
    false, true, _ = roc_curve(labels, np.concatenate([present, absent]), drop_intermediate=False)
    found = (present >= bound).mean() - (absent >= bound).mean()
    assert found == pytest.approx((true - false).max())


def test_min_similarity_needs_both_kinds_of_examples() -> None:
    some, none = np.array([0.5]), np.array([])
    assert choose_min_similarity(some, none) is None
    assert choose_min_similarity(none, some) is None
    assert choose_min_similarity(np.array([0.8]), np.array([0.4])) == pytest.approx(0.6)


def test_titles_of_a_split_are_compared_with_and_without_their_nodes(shop: CatalogGraph) -> None:
    """Features of a listing are copied from its item, so that its nearest node is known."""
    bag, cotton = shop.ids.index("shop:item:bag"), shop.ids.index("shop:material:cotton")
    features = shop.features.copy()
    listings = range(shop.num_transductive, len(shop.ids))
    features[list(listings)] = features[bag]
    graph = CatalogGraph(
        shop.ids, shop.types, shop.texts, features, shop.edges, shop.relations, shop.parts, shop.negatives
    )
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    others = [node for node in range(shop.num_transductive) if node not in (bag, cotton)]
    for part in ("validation", "test"):
        count = sum(split_of(shop.ids[listing], SPLIT) == part for listing in listings)
        present, absent = title_similarities(graph, SPLIT, part)
        assert count
        np.testing.assert_allclose(present, np.ones(count), atol=1e-6)
        np.testing.assert_allclose(absent, np.full(count, (unit[others] @ unit[bag]).max()), atol=1e-6)


def test_probabilities_are_fitted_on_validation_edges_only(shop: CatalogGraph) -> None:
    system = dot_product(shop.features)
    fitted = fit_recommender_calibration(shop, system, SPLIT)
    changed = {"validation": shop.negatives["validation"], "test": shop.negatives["test"][:1]}
    parts = np.where(shop.parts == "test", "message", shop.parts.astype(str)).astype(object)
    without_test = CatalogGraph(
        shop.ids, shop.types, shop.texts, shop.features, shop.edges, shop.relations, parts, changed
    )
    assert fit_recommender_calibration(without_test, system, SPLIT).probability == fitted.probability


def test_perfect_scores_give_probabilities_near_0_and_1(shop: CatalogGraph) -> None:
    edges = {tuple(pair) for pair in shop.predicted("validation", "test").tolist()}

    def oracle(pairs: np.ndarray) -> np.ndarray:
        return np.array([4.0 if tuple(pair) in edges else -300.0 for pair in pairs.tolist()])

    fitted = fit_recommender_calibration(shop, oracle, SPLIT)
    assert fitted.probability is not None
    low, high = fitted.probability(np.array([-300.0, 4.0]))
    assert low < 0.1
    assert high > 0.9
    probabilities, texts = measure_recommender_calibration(shop, oracle, fitted, SPLIT)
    assert probabilities["expected_calibration_error"] < 0.1
    assert set(texts) <= {"recall", "false_positive_rate"}
