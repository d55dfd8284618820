"""Claims by hand, baselines by brute force, certainty against scikit-learn."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from assets.writer.evaluate.baselines import fill_template, nearest_neighbours
from assets.writer.evaluate.claims import ClaimLabel, Claims
from assets.writer.evaluate.parameters import WriterEvaluationParameters
from heddle.content.lexicon import KINDS, ImageFacts
from heddle.description.certainty import Certainty
from heddle.evaluation.platt_scaling import PlattScaling

ON = ("ball", "on")
BEHIND = ("cube", "behind")
VALUES = st.none() | st.sampled_from(["bag", "red", "oak"])
STATED = st.builds(
    ImageFacts, item=VALUES, material=VALUES, colour=VALUES, relations=st.frozensets(st.sampled_from([ON, BEHIND]))
)


def make_claims(said: ImageFacts, true: ImageFacts, scene: bool = True) -> Claims:
    return Claims((said,), (true,), (scene,))


def test_claims_missing_ones_lower_recall_and_unknown_are_nan() -> None:
    true = ImageFacts(item="bag", material="oak", colour=None, relations=frozenset([ON, BEHIND]))
    one = make_claims(ImageFacts(item="bag", colour="red", relations=frozenset([ON])), true)
    assert {kind: one.recall(kind)[0] for kind in ("item", "material", "relations")} == {
        "item": 1,
        "material": 0,
        "relations": 0.5,
    }
    assert one.precision("item")[0] == one.precision("relations")[0] == 1
    assert np.isnan([one.recall("colour")[0], one.precision("colour")[0], one.precision("material")[0]]).all()
    assert one.attributes_recall.tolist() == [0.5]  # of item and material; the colour is not known
    assert one.all_correct.tolist() == [1]


def test_claims_relation_without_a_scene_is_unknown() -> None:
    said, true = ImageFacts(relations=frozenset([ON])), ImageFacts()
    assert make_claims(said, true).precision("relations").tolist() == [0]
    assert make_claims(said, true).all_correct.tolist() == [0]
    assert np.isnan(make_claims(said, true).recall("relations")).all()
    assert np.isnan(make_claims(said, true, scene=False).precision("relations")).all()
    assert np.isnan(make_claims(said, true, scene=False).all_correct).all()


@given(st.lists(st.tuples(STATED, STATED, st.booleans()), min_size=1, max_size=6))
def test_claims_recall_and_precision_equal_counts_of_labels(triples: list[tuple[ImageFacts, ImageFacts, bool]]) -> None:
    said, true, scenes = map(tuple, zip(*triples, strict=True))
    found = Claims(said, true, scenes)
    for index in range(len(triples)):
        labels = list(found.labels(index))
        for kind in KINDS:
            of_kind = [label for label in labels if label.kind == kind]
            assert len(of_kind) == (getattr(true[index], kind) is not None)
            recall = found.recall(kind)[index]
            assert [float(label.correct) for label in of_kind] == ([] if np.isnan(recall) else [recall])
        if scenes[index]:
            actual = [label for label in labels if label.kind == "relations" and label.actual]
            stated = [label for label in labels if label.kind == "relations" and label.claimed]
            for values, of in ((found.recall("relations"), actual), (found.precision("relations"), stated)):
                assert np.isnan(values[index]) == (not of)
                assert not of or values[index] == np.mean([label.correct for label in of])
        wrong = [label for label in labels if label.claimed is not None and not label.correct]
        told = [label for label in labels if label.claimed is not None]
        assert np.isnan(found.all_correct[index]) == (not told)
        assert not told or found.all_correct[index] == (not wrong)


def test_claims_labels_show_claim_and_fact() -> None:
    true = ImageFacts(item="bag", material="oak", relations=frozenset([ON]))
    labels = list(make_claims(ImageFacts(item="jar", relations=frozenset([BEHIND])), true).labels(0))
    assert labels == [
        ClaimLabel("item", "jar", "bag", correct=False),
        ClaimLabel("material", None, "oak", correct=False),
        ClaimLabel("relations", None, "ball on it", correct=False),
        ClaimLabel("relations", "cube behind it", None, correct=False),
    ]


@given(st.integers(1, 40), st.integers(0, 300), st.integers(0, 2**16))
def test_nearest_neighbours_match_brute_force(train: int, asked: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    vectors = random.integers(-1, 2, (train, 3)).astype(np.float32)
    images = random.integers(-1, 2, (asked, 3)).astype(np.float32)
    similarity = images @ vectors.T
    assert nearest_neighbours(vectors, images) == [
        next(index for index in range(train) if row[index] == max(row)) for row in similarity
    ]


def test_nearest_neighbours_without_train_images_raise() -> None:
    with pytest.raises(ValueError, match="at least one train image"):
        nearest_neighbours(np.zeros((0, 2), np.float32), np.zeros((1, 2), np.float32))


def test_fill_template_takes_the_most_probable_class() -> None:
    heads = {"item": ("bag", "jar"), "material": ("oak", "{glass}"), "bin": ("wood",)}
    probabilities = {
        "item": np.array([[0.4, 0.6], [0.9, 0.1]], np.float32),
        "material": np.array([[0.2, 0.8], [0.5, 0.5]], np.float32),
        "bin": np.ones((2, 1), np.float32),
    }
    said = list(fill_template("The {item}: {material} {item}", heads, probabilities))
    assert said == ["The jar: {glass} jar", "The bag: oak bag"]


SETTINGS: dict[str, Any] = {"full_content_samples": 1, "top_p": 0.9, "examples": 1}


@pytest.mark.parametrize("template", ["A thing.", "A {}.", "A {0}.", "A {item.__class__}.", "A {item", "}"])
def test_parameters_template_without_named_gaps_is_refused(template: str) -> None:
    with pytest.raises(ValueError, match=r"found|encountered|expected"):
        WriterEvaluationParameters(template=template, mistakes=1, **SETTINGS)
    assert WriterEvaluationParameters(template="A {item}.", mistakes=1, **SETTINGS).bert_score is None


def test_platt_scaling_matches_scikit_learn() -> None:
    random = np.random.default_rng(3)
    likelihoods = -random.gamma(2, 0.2, 400)
    right = (random.random(400) < 1 / (1 + np.exp(-(6 * likelihoods + 2)))).astype(float)
    line = PlattScaling.fit(likelihoods, right)
    ups = right.sum()
    targets = np.where(right > 0, (ups + 1) / (ups + 2), 1 / (400 - ups + 2))
    twice, both = np.tile(likelihoods, 2)[:, None], np.repeat([1, 0], 400)  # each text right and wrong, by its target
    oracle = LogisticRegression(C=np.inf, tol=1e-8).fit(twice, both, np.concatenate([targets, 1 - targets]))
    assert (line.scale, line.shift) == pytest.approx((oracle.coef_[0, 0], oracle.intercept_[0]), rel=1e-3)
    assert line(np.array([-2.0, 0])) == pytest.approx(oracle.predict_proba([[-2.0], [0]])[:, 1], abs=1e-3)


@given(st.lists(st.tuples(st.floats(-1e4, 0), st.booleans()), min_size=1, max_size=20))
def test_platt_scaling_is_monotonic(rows: list[tuple[float, bool]]) -> None:
    values = np.array([value for value, _ in rows])
    line = PlattScaling.fit(values, np.array([float(right) for _, right in rows]))
    assert line.scale >= 0
    sure = line(np.sort(values)).tolist()
    assert all(0 <= one <= 1 for one in sure)
    assert sure == sorted(sure)


@pytest.mark.parametrize(("right", "expected"), [(1.0, 9 / 10), (0.0, 1 / 10)])
def test_platt_scaling_few_texts_of_one_class_is_not_certain(right: float, expected: float) -> None:
    assert PlattScaling.fit(np.linspace(-1, 0, 8), np.full(8, right))(np.array([-0.3])) == pytest.approx(expected)


def test_certainty_save_and_read_and_none_without_a_file(tmp_path: Path) -> None:
    assert Certainty.from_folder(tmp_path) is None
    line = PlattScaling.fit(np.linspace(-3, 0, 8), np.array([0, 0, 1, 0, 1, 1, 1, 1.0]))
    Certainty({True: line}).save(tmp_path)
    again = Certainty.from_folder(tmp_path)
    assert again is not None
    assert again({"alt_text": -1.0}, objects=True) == pytest.approx(line(np.array([-1.0]))[0], abs=1e-5)
    assert again({"alt_text": -1.0}, objects=False) is None
    assert again({"title": -1.0}, objects=True) is None
    Certainty({}).save(tmp_path)
    assert Certainty.from_folder(tmp_path) is None
