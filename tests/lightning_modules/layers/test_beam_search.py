import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lightning_modules.layers.beam_search import beam_search
from lightning_modules.layers.generation import generate, greedy
from tests.support.chains import END, PAD, START, Chain, chain

LENGTH = 4


def _score(model: Chain, row: int, text: tuple[int, ...], penalty: float) -> float:
    chance, before = 0.0, START
    for token in text:
        chance += model.logits[row, before].log_softmax(dim=-1)[token].item()
        before = token
    return chance / ((5 + len(text)) / 6) ** penalty


def _cut(tokens: list[int]) -> tuple[tuple[int, ...], list[int]]:
    """What was written, and what stands behind its end."""
    length = tokens.index(END) + 1 if END in tokens else len(tokens)
    return tuple(tokens[:length]), tokens[length:]


def _all_texts(vocabulary: int) -> list[tuple[int, ...]]:
    """Every text that ends, or that is as long as allowed."""
    words = [token for token in range(vocabulary) if token != END]
    ended = [(*text, END) for length in range(LENGTH) for text in itertools.product(words, repeat=length)]
    return ended + list(itertools.product(words, repeat=LENGTH))


@given(seed=st.integers(0, 10_000), penalty=st.sampled_from([0.0, 0.6, 1.0]))
@settings(deadline=None, max_examples=20)
def test_enough_beams_find_the_best_text_of_all(seed: int, penalty: float) -> None:
    model = chain(rows=2, vocabulary=4, seed=seed)
    texts = _all_texts(4)
    found = beam_search(model, model.first(), beams=len(texts), length=LENGTH, end=END, pad=PAD, penalty=penalty)
    for row in range(2):
        best = max(_score(model, row, text, penalty) for text in texts)
        assert found.scores[row, 0].item() == pytest.approx(best, abs=1e-4)
        # By its score, not by its letters: two texts with the same pairs of neighbours are equally good.
        text, padding = _cut(found.tokens[row, 0].tolist())
        assert _score(model, row, text, penalty) == pytest.approx(best, abs=1e-4)
        assert set(padding) <= {PAD}


@given(seed=st.integers(0, 10_000), rows=st.integers(1, 4))
@settings(deadline=None, max_examples=30)
def test_one_beam_is_greedy(seed: int, rows: int) -> None:
    expected = generate(chain(rows, 6, seed), chain(rows, 6, seed).first(), greedy, length=LENGTH, end=END, pad=PAD)
    found = beam_search(
        chain(rows, 6, seed), expected.new_full((rows, 1), START), beams=1, length=LENGTH, end=END, pad=PAD
    )
    assert torch.equal(found.tokens[:, 0], expected)


@given(seed=st.integers(0, 10_000), beams=st.integers(1, 9))
@settings(deadline=None, max_examples=30)
def test_texts_are_different_sorted_and_scored_by_the_formula(seed: int, beams: int) -> None:
    model = chain(rows=3, vocabulary=6, seed=seed)
    tokens, scores = beam_search(model, model.first(), beams=beams, length=LENGTH, end=END, pad=PAD)
    assert torch.equal(scores, scores.sort(dim=1, descending=True).values)
    for row in range(3):
        texts = tokens[row].tolist()
        found = [tuple(text) for text, score in zip(texts, scores[row].tolist(), strict=True) if score > -math.inf]
        assert len(set(found)) == len(found) > 0
        for text, score in zip(texts, scores[row].tolist(), strict=True):
            written, padding = _cut(text)
            assert set(padding) <= {PAD}
            if score > -math.inf:
                assert score == pytest.approx(_score(model, row, written, 0.6), abs=1e-4)


def test_two_beams_find_what_greedy_walks_past() -> None:
    model = chain(rows=1, vocabulary=6, seed=0)
    model.logits.fill_(-20.0)
    # The likelier first word, 3, leads to words that are all unlikely; the other one leads to a sure end.
    model.logits[0, START, 3], model.logits[0, START, 4] = math.log(0.6), math.log(0.4)
    model.logits[0, 3], model.logits[0, 4, END] = 0.0, 0.0
    model.logits[0, 5, END] = 0.0
    first = generate(model, model.first(), greedy, length=2, end=END, pad=PAD)
    found = beam_search(model, model.first(), beams=2, length=2, end=END, pad=PAD)
    assert first[0, 0] == 3
    assert found.tokens[0, 0].tolist() == [4, END]
    assert found.scores[0, 0] > _score(model, 0, tuple(first[0].tolist()), 0.6) + 0.5
