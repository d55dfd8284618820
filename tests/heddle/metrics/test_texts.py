"""BLEU and ROUGE: sacrebleu's and rouge-score's own numbers, NLTK as an oracle, and examples by hand."""

from pathlib import Path

import evaluate
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nltk.translate.bleu_score import corpus_bleu
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics import BLEU

from heddle import metrics
from heddle.evaluation.parameters import BootstrapParameters
from heddle.metrics.bleu import Bleu, bleu_interval, bleu_of, counts
from heddle.metrics.rouge import Rouge

METRICS = Path(metrics.__file__).parent
TEXT = st.lists(st.sampled_from(["a", "Cats", "cat", "sat", "running", "don't", "Ä", ".", "\n"])).map(" ".join)
PAIRS = st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=6)
SAID = ["the cat sat on the mat", "it is a fine old chair of oak"]
RIGHT = ["the cat sat under the mat", "this is a fine old chair of oak and pine"]


@given(pairs=PAIRS)
@settings(deadline=None, max_examples=30)
def test_bleu_is_that_of_sacrebleu(pairs: list[tuple[str, str]]) -> None:
    predicted, right = [list(texts) for texts in zip(*pairs, strict=True)]
    expected = BLEU().corpus_score(predicted, [right]).score
    assert metrics.compute(Bleu, predictions=predicted, references=right)["bleu"] == expected


def test_bleu_is_100_times_that_of_nltk() -> None:
    expected = corpus_bleu([[text.split()] for text in RIGHT], [text.split() for text in SAID])
    found = metrics.compute(Bleu, predictions=SAID, references=RIGHT)["bleu"]
    assert found == pytest.approx(100 * expected)
    assert 20 < found < 80
    assert metrics.compute(Bleu, predictions=RIGHT, references=RIGHT)["bleu"] == pytest.approx(100)
    assert metrics.compute(Bleu, predictions=["one two"], references=["three four"])["bleu"] == 0


@given(pairs=PAIRS, stemmer=st.booleans())
@settings(deadline=None, max_examples=30)
def test_rouge_is_that_of_rouge_score(pairs: list[tuple[str, str]], stemmer: bool) -> None:
    predicted, right = [list(texts) for texts in zip(*pairs, strict=True)]
    found = metrics.compute(Rouge, predictions=predicted, references=right, stemmer=stemmer)
    assert list(found) == ["rouge1", "rouge2", "rougeL", "rougeLsum"]
    for kind, value in found.items():
        scorer = RougeScorer([kind], use_stemmer=stemmer)
        alone = [scorer.score(target=target, prediction=text)[kind].fmeasure for text, target in pairs]
        assert value == pytest.approx(sum(alone) / len(alone))
        assert 0 <= value <= 1


def test_rouge_by_hand() -> None:
    inputs = {"predictions": ["the cat sat on the mat"], "references": ["the cat was found under the bed"]}
    # of 6 and 7 words three are shared, in order; of 5 and 6 pairs one
    expected = {"rouge1": 6 / 13, "rouge2": 2 / 11, "rougeL": 6 / 13, "rougeLsum": 6 / 13}
    assert metrics.compute(Rouge, **inputs) == pytest.approx(expected)


def test_lines_may_change_places_in_lsum_alone() -> None:
    found = metrics.compute(Rouge, predictions=["one two\nthree four"], references=["three four\none two"])
    assert (found["rougeL"], found["rougeLsum"]) == (0.5, 1)


def test_the_stemmer_cuts_endings() -> None:
    inputs = {"predictions": ["repairing chairs"], "references": ["repaired chair"]}
    assert metrics.compute(Rouge, **inputs)["rouge1"] == 0
    assert metrics.compute(Rouge, **inputs, stemmer=True)["rouge1"] == 1


@pytest.mark.parametrize(("name", "key", "best"), [("bleu", "bleu", 100), ("rouge", "rougeL", 1)])
def test_anyone_can_load_the_metrics_by_path(name: str, key: str, best: float) -> None:
    metric = evaluate.load(str(METRICS / f"{name}.py"), keep_in_memory=True)
    assert metric.compute(predictions=RIGHT, references=RIGHT)[key] == pytest.approx(best)


@given(pairs=PAIRS)
@settings(deadline=None, max_examples=30)
def test_bleu_of_counts_is_that_of_the_corpus(pairs: list[tuple[str, str]]) -> None:
    predicted, right = [list(texts) for texts in zip(*pairs, strict=True)]
    counted = np.stack([counts(one, other) for one, other in pairs])
    assert bleu_of(counted) == metrics.compute(Bleu, predictions=predicted, references=right)["bleu"]
    per_text = Rouge.per_text(predicted, right)
    assert metrics.compute(Rouge, predictions=predicted, references=right) == pytest.approx(
        {kind: values.mean() for kind, values in per_text.items()}
    )


def test_bleu_interval_matches_resampled_corpora() -> None:
    drawing = BootstrapParameters(samples=200, confidence=0.9)
    predicted = [f"the cat sat on {thing} number {place}" for place, thing in enumerate(["mats", "a mat", "it"] * 8)]
    worse = [text.replace("cat", "dog") for text in predicted]
    right = [f"the cat sat on a mat number {place}" for place in range(24)]
    one, other = [np.stack([counts(*pair) for pair in zip(texts, right, strict=True)]) for texts in (predicted, worse)]
    low, high = bleu_interval([one], drawing, 5)
    random = np.random.default_rng(9)
    drawn = [random.integers(0, 24, 24) for _ in range(200)]
    values = [BLEU().corpus_score([predicted[i] for i in of], [[right[i] for i in of]]).score for of in drawn]
    assert (low, high) == pytest.approx(np.quantile(values, [0.05, 0.95]), abs=3)
    over = bleu_interval([one, other], drawing, 5)
    assert 0 < over[0] < bleu_of(one) - bleu_of(other) < over[1]
    assert over[1] - over[0] < high - low
