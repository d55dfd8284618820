from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional

from lightning_modules.layers.decoder import TransformerDecoder
from lightning_modules.layers.decoding import CachedDecoding
from lightning_modules.layers.embedding import TokenEmbedding
from lightning_modules.layers.generation import Sampler, generate, greedy, keep_top_k, keep_top_p
from tests.support.chains import END, PAD, Chain, chain
from tests.support.kinds import KINDS, transformer

VOCABULARY = 12
logits = st.lists(st.floats(-8, 8), min_size=2, max_size=9).map(torch.tensor)


class _LanguageModel(nn.Module):
    """A decoder alone."""

    def __init__(self, **kind: Any) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.embedding = TokenEmbedding(VOCABULARY, 16)
        self.decoder = TransformerDecoder(transformer(**kind), cross_attention=False)

    def score(self, states: Tensor) -> Tensor:
        return functional.linear(states, self.embedding.weight)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.score(self.decoder(self.embedding(tokens)))

    def begin(self, present: Tensor | None = None) -> CachedDecoding:
        return CachedDecoding(self.embedding, self.decoder, self.score, present=present)


@pytest.mark.parametrize("kind", KINDS)
def test_cached_logits_equal_logits_of_the_whole_text(kind: dict) -> None:
    model, sampler = _LanguageModel(**kind).eval(), _sampler()
    prompt = torch.randint(3, VOCABULARY, (3, 4), generator=torch.Generator().manual_seed(1))
    seen: list[Tensor] = []

    def pick(step: Tensor) -> Tensor:
        seen.append(step)
        return sampler(step)

    found = generate(model.begin(), prompt, pick, length=9, end=-1, pad=PAD)
    assert len(set(found.flatten().tolist())) > 6
    expected = model(torch.cat([prompt, found], dim=1))[:, 3:-1]
    torch.testing.assert_close(torch.stack(seen, dim=1), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_prompts_of_different_lengths_are_padded_in_front(kind: dict) -> None:
    model = _LanguageModel(**kind).eval()
    prompts = [torch.tensor([5, 7, 3, 9]), torch.tensor([8]), torch.tensor([4, 11])]
    batch = torch.stack([functional.pad(prompt, (4 - len(prompt), 0), value=PAD) for prompt in prompts])
    found = generate(model.begin(batch != PAD), batch, greedy, length=6, end=-1, pad=PAD)
    for row, prompt in enumerate(prompts):
        alone = generate(model.begin(), prompt[None], greedy, length=6, end=-1, pad=PAD)
        assert torch.equal(found[row], alone[0])


@given(seed=st.integers(0, 10_000), rows=st.integers(1, 5))
@settings(deadline=None, max_examples=30)
def test_each_row_ends_by_itself(seed: int, rows: int) -> None:
    together = generate(chain(rows, 5, seed), chain(rows, 5, seed).first(), greedy, length=7, end=END, pad=PAD)
    for row in range(rows):
        one = chain(rows, 5, seed)
        alone = Chain(one.logits[row : row + 1], torch.arange(1))
        text = generate(alone, alone.first(), greedy, length=7, end=END, pad=PAD)[0]
        assert torch.equal(together[row, : len(text)], text)
        assert (together[row, len(text) :] == PAD).all()
        assert (text[:-1] != END).all()
        assert len(text) == 7 or text[-1] == END
    assert together.shape[1] == 7 or (together == END).any(dim=1).all()


def test_nothing_to_write_is_nothing() -> None:
    model = chain(2, 5, 0)
    assert generate(model, model.first(), greedy, length=0, end=END, pad=PAD).shape == (2, 0)


def _sampler(seed: int = 0, **settings_: Any) -> Sampler:
    return Sampler(torch.Generator().manual_seed(seed), **settings_)


@pytest.mark.parametrize("settings_", [{"top_k": 1}, {"top_p": 1e-6}, {"temperature": 1e-4}])
def test_a_narrow_sampler_is_greedy(settings_: dict) -> None:
    model = chain(4, 8, 3)
    expected = generate(model, model.first(), greedy, length=9, end=END, pad=PAD)
    found = generate(model, model.first(), _sampler(**settings_), length=9, end=END, pad=PAD)
    assert torch.equal(found, expected)


def test_the_seed_decides() -> None:
    model = chain(6, 8, 3)
    texts = [generate(model, model.first(), _sampler(seed), length=9, end=-1, pad=PAD) for seed in (1, 1, 2)]
    assert torch.equal(texts[0], texts[1])
    assert not torch.equal(texts[0], texts[2])


def test_tokens_are_drawn_as_often_as_the_temperature_says() -> None:
    given_logits = torch.tensor([2.0, 1.0, 0.0, -1.0])
    drawn = _sampler(temperature=2.0)(given_logits.expand(40_000, 4))
    shares = drawn.bincount(minlength=4) / 40_000
    torch.testing.assert_close(shares, (given_logits / 2).softmax(dim=-1), atol=0.01, rtol=0)


@given(given_logits=logits, probability=st.floats(0.01, 1.0))
def test_top_p_keeps_the_fewest_that_have_the_probability(given_logits: Tensor, probability: float) -> None:
    kept = ~keep_top_p(given_logits, probability).isneginf()
    chances = given_logits.double().softmax(dim=-1)
    assert kept.any()
    assert chances[kept].sum() >= probability - 1e-5
    assert chances[kept].sum() - chances[kept].min() <= probability + 1e-5  # one fewer would not do
    if not kept.all():
        assert chances[~kept].max() <= chances[kept].min()


@given(given_logits=logits, count=st.integers(1, 10))
def test_top_k_keeps_as_many_as_asked(given_logits: Tensor, count: int) -> None:
    found = keep_top_k(given_logits, count)
    kept = ~found.isneginf()
    assert kept.sum() == min(count, len(given_logits))
    assert torch.equal(found[kept], given_logits[kept])
    if not kept.all():
        assert given_logits[~kept].max() <= given_logits[kept].min()


@pytest.mark.parametrize("settings_", [{"temperature": 0.0}, {"top_k": 0}, {"top_p": 0.0}, {"top_p": 1.5}])
def test_settings_that_leave_nothing_are_refused(settings_: dict) -> None:
    with pytest.raises(ValueError, match="temperature must be above 0"):
        _sampler(**settings_)
