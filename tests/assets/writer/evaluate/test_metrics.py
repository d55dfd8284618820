"""What the writer is measured by: statements by hand, baselines by brute force, certainty by scikit-learn."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from assets.writer.evaluate.baselines import filled, nearest
from assets.writer.evaluate.claims import KINDS, ClaimLabel, Claims
from assets.writer.evaluate.parameters import WriterEvaluationParameters
from heddle.content.lexicon import ImageFacts
from heddle.description.certainty import Certainty, PlattScaling

ON = ("ball", "on")
BEHIND = ("cube", "behind")
VALUES = st.none() | st.sampled_from(["bag", "red", "oak"])
STATED = st.builds(
    ImageFacts, item=VALUES, material=VALUES, colour=VALUES, relations=st.frozensets(st.sampled_from([ON, BEHIND]))
)


def judged(said: ImageFacts, true: ImageFacts, scene: bool = True) -> Claims:
    return Claims((said,), (true,), (scene,))


def test_what_is_not_said_is_not_right_and_what_nobody_knows_is_not_judged() -> None:
    true = ImageFacts(item="bag", material="oak", colour=None, relations=frozenset([ON, BEHIND]))
    one = judged(ImageFacts(item="bag", colour="red", relations=frozenset([ON])), true)
    assert {kind: one.right(kind)[0] for kind in ("item", "material", "relations")} == {
        "item": 1,
        "material": 0,
        "relations": 0.5,
    }
    assert one.precise("item")[0] == one.precise("relations")[0] == 1
    assert np.isnan([one.right("colour")[0], one.precise("colour")[0], one.precise("material")[0]]).all()
    assert one.attributes.tolist() == [0.5]  # of item and material; the colour is not known
    assert one.sound.tolist() == [1]


def test_a_relation_that_the_scene_does_not_show_is_wrong_but_without_a_scene_nobody_knows() -> None:
    said, true = ImageFacts(relations=frozenset([ON])), ImageFacts()
    assert judged(said, true).precise("relations").tolist() == [0]
    assert judged(said, true).sound.tolist() == [0]
    assert np.isnan(judged(said, true).right("relations")).all()
    assert np.isnan(judged(said, true, scene=False).precise("relations")).all()
    assert np.isnan(judged(said, true, scene=False).sound).all()


@given(st.lists(st.tuples(STATED, STATED, st.booleans()), min_size=1, max_size=6))
def test_shares_are_the_counts_of_the_marks(cases: list[tuple[ImageFacts, ImageFacts, bool]]) -> None:
    said, true, scenes = map(tuple, zip(*cases, strict=True))
    found = Claims(said, true, scenes)
    for place in range(len(cases)):
        marks = list(found.marks(place))
        for kind in KINDS:
            mine = [mark for mark in marks if mark.kind == kind]
            assert len(mine) == (getattr(true[place], kind) is not None)
            assert [float(mark.right) for mark in mine] == [x for x in [found.right(kind)[place]] if not np.isnan(x)]
        if scenes[place]:
            actual = [mark for mark in marks if mark.kind == "relations" and mark.actual]
            stated = [mark for mark in marks if mark.kind == "relations" and mark.said]
            for values, of in ((found.right("relations"), actual), (found.precise("relations"), stated)):
                assert np.isnan(values[place]) == (not of)
                assert not of or values[place] == np.mean([mark.right for mark in of])
        wrong = [mark for mark in marks if mark.said is not None and not mark.right]
        told = [mark for mark in marks if mark.said is not None]
        assert np.isnan(found.sound[place]) == (not told)
        assert not told or found.sound[place] == (not wrong)


def test_marks_say_what_was_said_and_what_is() -> None:
    true = ImageFacts(item="bag", material="oak", relations=frozenset([ON]))
    marks = list(judged(ImageFacts(item="jar", relations=frozenset([BEHIND])), true).marks(0))
    assert marks == [
        ClaimLabel("item", "jar", "bag", right=False),
        ClaimLabel("material", None, "oak", right=False),
        ClaimLabel("relations", None, "ball on it", right=False),
        ClaimLabel("relations", "cube behind it", None, right=False),
    ]


@given(st.integers(1, 40), st.integers(0, 300), st.integers(0, 2**16))
def test_the_nearest_image_is_the_first_of_the_likest(train: int, asked: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    vectors = random.integers(-1, 2, (train, 3)).astype(np.float32)
    images = random.integers(-1, 2, (asked, 3)).astype(np.float32)
    likeness = images @ vectors.T
    assert nearest(vectors, images) == [
        next(place for place in range(train) if row[place] == max(row)) for row in likeness
    ]


def test_without_train_images_none_is_nearest() -> None:
    with pytest.raises(ValueError, match="no train image"):
        nearest(np.zeros((0, 2), np.float32), np.zeros((1, 2), np.float32))


def test_gaps_are_filled_with_the_likeliest_class() -> None:
    heads = {"item": ("bag", "jar"), "material": ("oak", "{glass}"), "bin": ("wood",)}
    probabilities = {
        "item": np.array([[0.4, 0.6], [0.9, 0.1]], np.float32),
        "material": np.array([[0.2, 0.8], [0.5, 0.5]], np.float32),
        "bin": np.ones((2, 1), np.float32),
    }
    said = list(filled("The {item}: {material} {item}", heads, probabilities))
    assert said == ["The jar: {glass} jar", "The bag: oak bag"]


SETTINGS: dict[str, Any] = {"full_content_samples": 1, "top_p": 0.9, "examples": 1}


@pytest.mark.parametrize("template", ["A thing.", "A {}.", "A {0}.", "A {item.__class__}.", "A {item", "}"])
def test_a_template_has_gaps_with_names(template: str) -> None:
    with pytest.raises(ValueError, match=r"template|encountered|expected"):
        WriterEvaluationParameters(template=template, mistakes=1, **SETTINGS)
    assert WriterEvaluationParameters(template="A {item}.", mistakes=1, **SETTINGS).bert_score is None


def test_certainty_is_platts_line() -> None:
    random = np.random.default_rng(3)
    likelihoods = -random.gamma(2, 0.2, 400)
    right = (random.random(400) < 1 / (1 + np.exp(-(6 * likelihoods + 2)))).astype(float)
    line = PlattScaling.learn(likelihoods, right)
    ups = right.sum()
    targets = np.where(right > 0, (ups + 1) / (ups + 2), 1 / (400 - ups + 2))
    twice, both = np.tile(likelihoods, 2)[:, None], np.repeat([1, 0], 400)  # each text right and wrong, by its target
    oracle = LogisticRegression(C=np.inf, tol=1e-8).fit(twice, both, np.concatenate([targets, 1 - targets]))
    assert (line.scale, line.shift) == pytest.approx((oracle.coef_[0, 0], oracle.intercept_[0]), rel=1e-3)
    assert line(np.array([-2.0, 0])) == pytest.approx(oracle.predict_proba([[-2.0], [0]])[:, 1], abs=1e-3)


@given(st.lists(st.tuples(st.floats(-1e4, 0), st.booleans()), min_size=1, max_size=20))
def test_certainty_never_falls_with_the_likelihood(rows: list[tuple[float, bool]]) -> None:
    values = np.array([value for value, _ in rows])
    line = PlattScaling.learn(values, np.array([float(right) for _, right in rows]))
    assert line.scale >= 0
    sure = line(np.sort(values)).tolist()
    assert all(0 <= one <= 1 for one in sure)
    assert sure == sorted(sure)


@pytest.mark.parametrize(("right", "expected"), [(1.0, 9 / 10), (0.0, 1 / 10)])
def test_few_texts_that_are_all_right_make_nobody_certain(right: float, expected: float) -> None:
    assert PlattScaling.learn(np.linspace(-1, 0, 8), np.full(8, right))(np.array([-0.3])) == pytest.approx(expected)


def test_certainty_survives_its_file_and_is_none_without_it(tmp_path: Path) -> None:
    assert Certainty.from_folder(tmp_path) is None
    line = PlattScaling.learn(np.linspace(-3, 0, 8), np.array([0, 0, 1, 0, 1, 1, 1, 1.0]))
    Certainty({True: line}).save(tmp_path)
    again = Certainty.from_folder(tmp_path)
    assert again is not None
    assert again({"alt_text": -1.0}, objects=True) == pytest.approx(line(np.array([-1.0]))[0], abs=1e-5)
    assert again({"alt_text": -1.0}, objects=False) is None
    assert again({"title": -1.0}, objects=True) is None
    Certainty({}).save(tmp_path)
    assert Certainty.from_folder(tmp_path) is None
