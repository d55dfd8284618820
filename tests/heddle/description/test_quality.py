"""QualityScores by hand, relevance against the metric, and what a missing judge leaves."""

import json
from pathlib import Path

import evaluate
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import heddle.metrics.clip_score
from heddle.content.lexicon import ImageFacts, Lexicon
from heddle.content.rubric import Titles
from heddle.description.certainty import Certainty
from heddle.description.describer import Describer
from heddle.description.quality import (
    WEIGHTS,
    ContentScorer,
    QualityScores,
    accuracy,
    body_text,
    clip_scores,
    suspect_fields,
)
from heddle.description.user_inputs import UserContext, UserInputs, UserObject, UserScene
from heddle.evaluation.platt_scaling import PlattScaling
from lightning_modules.clip.encoder import ClipEncoder
from lightning_modules.vision.classifier import VisionClassifier
from tests.support.echo_writer import NO_MODELS, describer, image
from tests.support.small_project import write_project

BAG = {"label": "bag", "attributes": ["red", "cotton"]}
BALL = {"label": "ball", "attributes": ["blue"]}
TOLD = {"objects": [BAG, BALL], "relations": [{"subject": 1, "predicate": "behind", "object": 0}]}
NOWHERE = {"subject": 9, "predicate": "on", "object": -1}
SEEN = {"item": {"bag": 0.75, "jar": 0.25}, "material": {"cotton": 0.5, "glass": 0.125}}
SHARES = st.none() | st.floats(0, 1)


@pytest.mark.parametrize(
    ("stated", "columns", "predicted", "expected"),
    [
        (ImageFacts(), TOLD, SEEN, None),
        (ImageFacts(item="bag"), {}, {}, None),
        (ImageFacts(item="bag"), TOLD, {}, 1),
        (ImageFacts(item="jar"), TOLD, {}, 0),
        (ImageFacts(item="jar"), TOLD, SEEN, 0.25),  # vision may be right where the objects leave it out
        (ImageFacts(item="bag"), {}, SEEN, 0.75),
        (ImageFacts(item="lamp"), {}, SEEN, None),  # vision knows no lamps
        (ImageFacts(item="bag", colour="red", material="cotton"), TOLD, SEEN, 1),
        (ImageFacts(item="bag", colour="blue"), TOLD, SEEN, 0.5),  # the ball is blue, not the bag
        (ImageFacts(colour="blue"), TOLD, SEEN, 1),
        (ImageFacts(item="bag", material="glass"), TOLD, SEEN, (1 + 0.125) / 2),
        (ImageFacts(item="bag", colour="red"), {"objects": [{"label": "bag", "attributes": []}]}, {}, 1),
        (ImageFacts(relations=frozenset([("ball", "behind")])), TOLD, {}, 1),
        (ImageFacts(relations=frozenset([("ball", "on"), ("ball", "behind")])), TOLD, {}, 0.5),
        (ImageFacts(item="ball", relations=frozenset([("ball", "behind")])), TOLD, {}, 0.5),
        (ImageFacts(relations=frozenset([("ball", "behind")])), {"objects": [BAG]}, {}, None),
        (ImageFacts(relations=frozenset([("ball", "on")])), TOLD | {"relations": [NOWHERE]}, {}, 0),
    ],
)  # fmt: skip
def test_accuracy_is_the_mean_agreement_of_what_is_stated(stated, columns, predicted, expected) -> None:  # type: ignore[no-untyped-def]
    assert accuracy(stated, columns, predicted) == expected


def test_relevance_is_the_metric_s_clip_score() -> None:
    draw = np.random.default_rng(1)
    images, texts = (
        vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        for vectors in draw.normal(size=(2, 6, 4)).astype(np.float32)
    )
    metric = evaluate.load(heddle.metrics.clip_score.__file__)
    for place, score in enumerate(clip_scores(images, texts)):
        expected = metric.compute(predictions=texts[place : place + 1], references=images[place : place + 1])
        assert score == pytest.approx(expected["clip_score"], abs=1e-6)


@given(st.tuples(SHARES, SHARES, st.floats(0, 1), st.floats(0, 1), SHARES))
def test_overall_is_the_weighted_mean_of_what_there_is(values: tuple[float | None, ...]) -> None:
    scores = QualityScores(*values, errors=())  # type: ignore[arg-type, misc]
    known = {name: value for name, value in zip(WEIGHTS, values, strict=True) if value is not None}
    expected = np.average(list(known.values()), weights=[WEIGHTS[name] for name in known])
    assert scores.overall == pytest.approx(expected)
    assert json.loads(json.dumps(scores.as_json(), allow_nan=False)) == scores.as_json()


def test_a_relevance_above_one_counts_as_one() -> None:
    assert QualityScores(1.75, None, 1.0, 1.0, None, ()).overall == 1


def test_doubts_bear_the_names_of_the_json() -> None:
    assert suspect_fields({"alt_text": 0.51, "title": 0.5, "description": 0.9, "body": 0.99}) == (
        "alt_text",
        "excerpt",
        "content",
    )


def test_each_block_of_the_body_is_a_sentence() -> None:
    assert (
        body_text("<h2>Details</h2>\n<ul><li>Size: 3 &lt; 4</li></ul>\n<p>Take it!</p>")
        == "Details. Size: 3 < 4. Take it!"
    )


def test_scores_of_present_models_are_independent(tmp_path: Path) -> None:
    data = write_project(tmp_path / "project") / "data"
    words = {"item": {("lamp",): "lamp"}, "material": {}, "colour": {}}
    scorer = ContentScorer(
        Lexicon(words, {}, {}),  # type: ignore[arg-type]
        Titles({"a": "Colour"}),
        Certainty({False: PlattScaling(4.0, 2.0), True: PlattScaling(4.0, 3.0)}),
        ClipEncoder.from_pretrained(data / "clip", threads=1),
        VisionClassifier.from_pretrained(data / "vision", threads=1),
    )
    made_by = describer(scorer=scorer)
    for number in range(5):
        (tmp_path / f"{number}.png").write_bytes(image(number))
    user_inputs = UserInputs(UserContext(preferences=("a lamp",)))
    known = [made_by.read(tmp_path / f"{number}.png", f"{number}.png", user_inputs) for number in range(5)]
    together = made_by.describe(known)
    assert together == [line for one in known for line in made_by.describe([one])]
    scores = together[0]["scores"]
    square = known[0].decode(made_by.shapes).image.squares[16, "pad"]  # type: ignore[union-attr]
    seen = scorer.vision.probabilities([square])["item"][0]  # type: ignore[union-attr]
    assert scores["accuracy"] == round(float(seen[scorer.vision.config.heads["item"].index("lamp")]), 4)  # type: ignore[union-attr]
    assert scores["certainty"] == round(1 / (1 + np.exp(-(4 * -0.25 + 2))), 4)
    assert 0 <= scores["relevance"] <= 2.5
    scene = {"0.png": UserScene(objects=(UserObject(label="lamp"),))}
    (line,) = made_by.describe([made_by.read(tmp_path / "0.png", "0.png", UserInputs(None, scene))])
    assert line["scores"]["accuracy"] == 1
    assert line["scores"]["certainty"] == round(
        1 / (1 + np.exp(-(4 * -0.25 + 3))), 4
    )  # texts with objects are oftener right


def test_without_models_there_are_null_scores(tmp_path: Path) -> None:
    (tmp_path / "one.png").write_bytes(image(1))
    made_by: Describer = describer(scorer=NO_MODELS)
    (line,) = made_by.describe([made_by.read(tmp_path / "one.png", "one.png", UserInputs())])
    scores = line["scores"]
    assert (scores["relevance"], scores["accuracy"], scores["certainty"]) == (None, None, None)
    assert scores["overall"] == pytest.approx((scores["seo"] + scores["readability"]) / 2, abs=1e-4)
