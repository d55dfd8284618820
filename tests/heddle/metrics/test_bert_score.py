"""BERTScore: torchmetrics as an oracle where it is right, and what must hold of any texts."""

from pathlib import Path

import evaluate
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from torchmetrics.functional.text.bert import bert_score

from heddle import metrics
from heddle.metrics.bert_score import BertScore
from tests.support.tiny_bert import WORDS, write_bert

METRICS = Path(metrics.__file__).parent
NAMES = ("precision", "recall", "f1")
TEXT = st.lists(st.sampled_from(WORDS), min_size=1, max_size=8).map(" ".join)
# Each side from short to long, because torchmetrics 1.9 takes any other order for another one.
SAID = ["chair", "the oak", "sand the chair", "wax the old table", "paint the old oak table"]
RIGHT = ["old chair", "the old oak", "sand the old chair", "wax the oak table old", "the old the table sand wax"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_bert(tmp_path_factory.mktemp("bert_score") / "bert"))


@pytest.mark.parametrize("idf", [False, True])
@pytest.mark.parametrize("layer", [-1, 1])
def test_the_numbers_are_those_of_torchmetrics(model: str, layer: int, idf: bool) -> None:
    expected = bert_score(
        SAID, RIGHT, model_name_or_path=model, num_layers=layer, idf=idf, max_length=24, truncation=True
    )
    found = metrics.compute(BertScore, predictions=SAID, references=RIGHT, model=model, layer=layer, idf=idf)
    assert found == pytest.approx({name: float(expected[name].mean()) for name in NAMES}, abs=1e-5)


def test_weights_by_rarity_make_a_difference(model: str) -> None:
    plain = metrics.compute(BertScore, predictions=SAID, references=RIGHT, model=model)
    assert plain == metrics.compute(BertScore, predictions=SAID, references=RIGHT, model=model, idf=False)
    weighted = metrics.compute(BertScore, predictions=SAID, references=RIGHT, model=model, idf=True)
    assert abs(weighted["f1"] - plain["f1"]) > 1e-3


@given(pairs=st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=4))
@settings(deadline=None, max_examples=10)
def test_precision_one_way_is_recall_the_other_way(model: str, pairs: list[tuple[str, str]]) -> None:
    predicted, right = [list(texts) for texts in zip(*pairs, strict=True)]
    one = metrics.compute(BertScore, predictions=predicted, references=right, model=model)
    other = metrics.compute(BertScore, predictions=right, references=predicted, model=model)
    assert (one["precision"], one["recall"]) == pytest.approx((other["recall"], other["precision"]), abs=1e-5)
    assert one["f1"] == pytest.approx(other["f1"], abs=1e-5)


@pytest.mark.parametrize("idf", [False, True])
@pytest.mark.parametrize("texts", [RIGHT, RIGHT[:1]])  # of a single reference no token is rare
def test_a_text_is_wholly_like_itself(model: str, texts: list[str], idf: bool) -> None:
    found = metrics.compute(BertScore, predictions=texts, references=texts, model=model, idf=idf)
    assert found == pytest.approx(dict.fromkeys(NAMES, 1), abs=1e-5)


def test_each_pair_is_judged_by_itself(model: str) -> None:
    predicted, right = [SAID[i] for i in (3, 0, 4, 2, 1)], [RIGHT[i] for i in (1, 4, 2, 0, 3)]
    alone = [
        metrics.compute(BertScore, predictions=[one], references=[other], model=model)
        for one, other in zip(predicted, right, strict=True)
    ]
    expected = {name: np.mean([pair[name] for pair in alone]) for name in NAMES}
    assert metrics.compute(BertScore, predictions=predicted, references=right, model=model) == pytest.approx(expected)


@pytest.mark.parametrize(("predicted", "right"), [("", "chair"), ("chair", ""), ("", "")])
def test_a_text_without_words_counts_as_nothing(model: str, predicted: str, right: str) -> None:
    found = metrics.compute(BertScore, predictions=[predicted, "oak"], references=[right, "oak"], model=model)
    assert found == pytest.approx(dict.fromkeys(NAMES, 0.5), abs=1e-5)


def test_a_model_that_is_not_there_is_not_downloaded(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no checkpoint"):
        metrics.compute(BertScore, predictions=["a"], references=["a"], model=str(tmp_path / "roberta-large"))


def test_anyone_can_load_the_metric_by_path(model: str) -> None:
    metric = evaluate.load(str(METRICS / "bert_score.py"), keep_in_memory=True)
    found = metric.compute(predictions=SAID, references=RIGHT, model=model)
    assert found == metrics.compute(BertScore, predictions=SAID, references=RIGHT, model=model)
