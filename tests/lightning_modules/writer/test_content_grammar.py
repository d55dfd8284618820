"""Whatever the grammar allows can be published, and whatever can be published it allows; no network is needed."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models
from torch import Tensor

from assets.tokenizer.parameters import TokenizerParameters
from assets.tokenizer.stage import learn
from heddle.content.content import Content
from heddle.content.schema import problems
from lightning_modules.writer.content_bytes import DEAD, FINISHED, build_automaton
from lightning_modules.writer.content_fields import FIELDS, FORBIDDEN, INVISIBLE, fit_field
from lightning_modules.writer.content_grammar import ContentGrammar
from lightning_modules.writer.content_tokens import ContentTokens, EncodedContent
from tests.support.content_values import values

WORDS = [
    "a red wooden chair",
    "<p>oak &amp; \"pine\"</p> \\ 'x' </ul><script>",
    "caf\u00e9 \u2013 na\u00efve \U0001f600 \u6728\u88fd\u306e\u6905\u5b50",
]
ROWS = 1000
MOST_STEPS = sum(4 * (each.limit + 2) * (each.most if each.kind == "list" else 1) + each.most + 2 for each in FIELDS)
"""Four bytes a character, a character beyond the limit, a separator or marker for each part."""


@pytest.fixture(scope="module")
def tokens() -> ContentTokens:
    return ContentTokens(learn(WORDS * 40, TokenizerParameters(vocab_size=340, min_frequency=2)))


@pytest.fixture(scope="module")
def grammar(tokens: ContentTokens) -> ContentGrammar:
    return ContentGrammar(tokens)


def write(grammar: ContentGrammar, choose: Callable[[Tensor, Tensor], Tensor], rows: int) -> list[list[int]]:
    """Write until all is done: ``choose`` takes what is allowed (R, size) in rows (R,) and gives their tokens (R,)."""
    state, left = grammar.begin(rows), torch.arange(rows)
    written: list[list[int]] = [[] for _ in range(rows)]
    while len(left):
        allowed = grammar.allowed(state)
        assert allowed.any(dim=1).all()
        assert torch.equal(state.forced, allowed.sum(dim=1) == 1)
        chosen = choose(allowed, left)
        for row, token in zip(left.tolist(), chosen.tolist(), strict=True):
            written[row].append(token)
        state = grammar.advance(state, chosen)
        if state.done.any():
            padded = grammar.allowed(state)[state.done]
            assert torch.equal(padded.nonzero()[:, 1], torch.full((len(padded),), grammar.tokens.pad))
            left = left[~state.done]
            state = state.select((~state.done).nonzero()[:, 0])
        assert max(map(len, written)) < MOST_STEPS
    return written


def check(grammar: ContentGrammar, written: list[list[int]]) -> None:
    for row in written:
        fields = grammar.tokens.decode(row)
        assert problems(Content.from_fields(fields).as_json()) == []
        assert fields == {each.name: value for each in FIELDS if (value := fit_field(each, fields.get(each.name, "")))}


def preferring(scores: Tensor, noise: float | Tensor, seed: int) -> Callable[[Tensor, Tensor], Tensor]:
    """The allowed token with the highest score of the row, (rows, size), with some noise upon it, (rows, 1)."""
    drawn = torch.Generator().manual_seed(seed)
    noises = torch.as_tensor(noise).expand(len(scores), 1)

    def choose(allowed: Tensor, rows: Tensor) -> Tensor:
        logits = scores[rows] + noises[rows] * torch.rand(allowed.shape, generator=drawn)
        return torch.where(allowed, logits, -torch.inf).argmax(dim=1)

    return choose


def reluctant(tokens: ContentTokens) -> Tensor:
    """A score that lets texts end after a while, (size,)."""
    scores = torch.zeros(tokens.size)
    scores[tokens.end] = 0.05
    return scores


@pytest.mark.slow
def test_a_thousand_contents_sampled_from_random_logits(grammar: ContentGrammar) -> None:
    check(grammar, write(grammar, preferring(reluctant(grammar.tokens).expand(ROWS, -1), 1.0, seed=7), ROWS))


@pytest.mark.slow
def test_a_thousand_contents_greedy_by_weights_of_their_own(grammar: ContentGrammar) -> None:
    """Most end as soon as they may; the others repeat their favourite token until the field is full."""
    scores = torch.randn(ROWS, grammar.tokens.size, generator=torch.Generator().manual_seed(7))
    scores[50:, grammar.tokens.end] += 5.0
    parts = [token for token, data in enumerate(grammar.tokens.bytes) if data and data[0] >= 0x80 and len(data) == 1]
    scores[:, parts] -= 3.0  # characters byte by byte: the hostile logits below take their time over them
    check(grammar, write(grammar, preferring(scores, 0.0, seed=7), ROWS))


def hostile(tokens: ContentTokens) -> dict[str, Tensor]:
    """Scores that want the worst, by name."""
    of = {name: torch.zeros(tokens.size) for name in ("long", "short", "partial", "block", "separator", "never ends")}
    for token, data in enumerate(tokens.bytes):
        of["long"][token] = len(data)
        of["short"][token] = -len(data)
        of["partial"][token] = float(bool(data) and data[-1] >= 0xC0) + 0.5 * float(bool(data) and data[-1] >= 0x80)
    for token in tokens.block.values():
        of["block"][token] = 9.0
    of["separator"][tokens.separator] = 9.0
    of["never ends"][tokens.end] = -9.0
    for name, letters in {
        "breaks out": b"<>&\"'\\/{}",
        "spaces": b" ",
        "lines": b"\n\r\t\0",
        "marks": b"\xcc\xcd\xe2\x80\x81",
    }.items():
        of[name] = torch.zeros(tokens.size)
        for token, data in enumerate(tokens.bytes):
            of[name][token] = sum(byte in letters for byte in data) - 0.1 * len(data)
    return of


def test_hostile_logits(grammar: ContentGrammar) -> None:
    """Each wish alone, and with noise upon it."""
    wishes = torch.stack(list(hostile(grammar.tokens).values()))
    noise = torch.tensor([[0.0]] * len(wishes) + [[0.6]] * 3 * len(wishes))
    scores = wishes.repeat(4, 1)
    check(grammar, write(grammar, preferring(scores, noise, seed=3), len(scores)))


def allows(grammar: ContentGrammar, encoded: EncodedContent) -> bool:
    state = grammar.begin(1)
    names = {token: place for place, token in enumerate(grammar.tokens.field.values())}
    for token in encoded.tokens[1:]:
        while token in names and int(state.field) < names[token]:  # an absent field: its marker and its end
            state = state if int(state.inside) else grammar.advance(state, torch.tensor([grammar.marker[state.field]]))
            state = grammar.advance(state, torch.tensor([grammar.tokens.end]))
        if not grammar.allowed(state)[0, token]:
            return False
        state = grammar.advance(state, torch.tensor([token]))
    return not int(state.inside)


@given(told=values())
@settings(deadline=None, max_examples=40)
def test_decode_is_the_inverse_of_encode(tokens: ContentTokens, told: dict) -> None:
    encoded = tokens.encode(told)
    assert tokens.decode(encoded.tokens) == {
        each.name: value for each in FIELDS if (value := fit_field(each, told.get(each.name, "")))
    }
    assert len(encoded.is_target) == len(encoded.tokens)
    forced = [tokens.start, *tokens.field.values()]
    assert [token in forced for token in encoded.tokens] == [not target for target in encoded.is_target]


@given(told=values(longest=16, most=4))
@settings(deadline=None, max_examples=25)
def test_what_can_be_published_the_grammar_allows(tokens: ContentTokens, grammar: ContentGrammar, told: dict) -> None:
    assert allows(grammar, tokens.encode(told))


def test_a_full_body_is_allowed(tokens: ContentTokens, grammar: ContentGrammar) -> None:
    limit = FIELDS[-1].limit
    assert allows(grammar, tokens.encode({"body": [("p", "a" * (limit - 1)), ("li", "\u2022")]}))


def test_the_automaton_reads_every_character_but_the_forbidden() -> None:
    step, shows = (table.tolist() for table in build_automaton())
    forbidden = {code for first, last in FORBIDDEN for code in range(first, last + 1)}
    invisible = {code for first, last in INVISIBLE for code in range(first, last + 1)}
    for code in range(0x110000):
        state, shown = FINISHED, False
        for byte in chr(code).encode(errors="surrogatepass"):
            state, shown = (DEAD, False) if state == DEAD else (step[state][byte], shows[state][byte])
        assert (state == FINISHED) == (code not in forbidden), hex(code)
        assert shown == (code not in forbidden and code not in invisible), hex(code)


AUTOMATON, _ = build_automaton()
NEARLY = st.lists(st.sampled_from(b"\xed\xa0\x80\xf4\x90\xe0\xc0\xf0\x9f"), max_size=6).map(bytes)


@given(data=st.one_of(st.binary(max_size=6), NEARLY))
def test_the_automaton_reads_nothing_that_is_no_utf8(data: bytes) -> None:
    step = AUTOMATON
    state = FINISHED
    for byte in data:
        state = DEAD if state == DEAD else int(step[state, byte])
    if state == FINISHED:
        assert data.decode().encode() == data


def test_one_at_a_time_is_as_all_at_once(grammar: ContentGrammar) -> None:
    scores = torch.randn(3, grammar.tokens.size, generator=torch.Generator().manual_seed(1))
    scores[:2, grammar.tokens.end] = 4.0
    together = write(grammar, preferring(scores, 0.0, seed=0), 3)
    for row, tokens in zip(scores, together, strict=True):
        assert tokens == write(grammar, preferring(row[None], 0.0, seed=0), 1)[0]


def test_words_that_look_like_special_tokens_are_words(tokens: ContentTokens) -> None:
    encoded = tokens.encode({"title": "<|pad|> and <|end|>"})
    assert tokens.decode(encoded.tokens) == {"title": "<|pad|> and <|end|>"}
    assert tokens.pad not in encoded.tokens


def test_a_text_that_outgrew_its_limit_loses_its_last_word_alone(tokens: ContentTokens) -> None:
    def title(text: str) -> object:
        ids = tokens.tokenizer.encode(text).ids
        return tokens.decode([tokens.start, tokens.field["title"], *ids, tokens.end])["title"]

    assert title("a" * 30 + " " + "b" * 29) == "a" * 30 + " " + "b" * 29
    assert title("a" * 30 + " " + "b" * 30) == "a" * 30
    assert title("a" * 61) == "a" * 60
    assert title("e\u0301" * 60) == "\u00e9" * 60


def test_unfinished_content_gives_what_is_there(tokens: ContentTokens) -> None:
    ids = tokens.tokenizer.encode("a red caf\u00e9").ids
    assert tokens.decode([tokens.start, tokens.field["alt_text"], *ids]) == {"alt_text": "a red caf\u00e9"}
    begun = tokens.bytes.index(b"\xc3")
    assert tokens.decode([tokens.start, tokens.field["alt_text"], *ids, begun]) == {"alt_text": "a red caf\u00e9"}


@pytest.mark.parametrize("tail", ["end", "block", "separator", "text"])
def test_a_token_out_of_place_is_named(tokens: ContentTokens, tail: str) -> None:
    title, text = tokens.field["title"], tokens.tokenizer.encode("a").ids[0]
    wrong = {
        "end": [title, title],
        "block": [title, tokens.block["p"]],
        "separator": [tokens.separator],
        "text": [tokens.field["body"], text],
    }
    with pytest.raises(ValueError, match=r"token \d is"):
        tokens.decode([tokens.start, *wrong[tail]])


def test_a_tokenizer_that_lacks_bytes_is_refused() -> None:
    with pytest.raises(ValueError, match="not byte-level"):
        ContentTokens(Tokenizer(models.BPE()))


def after(grammar: ContentGrammar, field: str, *tokens: int) -> Tensor:
    """What is allowed in a field after these tokens, (size,)."""
    place = [each.name for each in FIELDS].index(field)
    state = replace(grammar.begin(1), field=torch.tensor([place]))
    for token in (grammar.tokens.field[field], *tokens):
        assert grammar.allowed(state)[0, token]
        state = grammar.advance(state, torch.tensor([token]))
    return grammar.allowed(state)[0]


def test_no_item_and_no_block_beyond_the_most(tokens: ContentTokens, grammar: ContentGrammar) -> None:
    letter, block = tokens.bytes.index(b"a"), tokens.block["p"]
    tags, body = FIELDS[4], FIELDS[-1]
    items = [letter, *[tokens.separator, letter] * (tags.most - 2)]
    assert after(grammar, tags.name, *items)[tokens.separator]
    assert not after(grammar, tags.name, *items, tokens.separator, letter)[tokens.separator]
    blocks = [block, letter] * (body.most - 1)
    assert after(grammar, body.name, *blocks)[block]
    assert not after(grammar, body.name, *blocks, block, letter)[block]


def test_a_full_body_opens_no_block(tokens: ContentTokens, grammar: ContentGrammar) -> None:
    letter, block, limit = tokens.bytes.index(b"a"), tokens.block["p"], FIELDS[-1].limit
    assert after(grammar, "body", block, *[letter] * (limit - 1))[block]
    full = after(grammar, "body", block, *[letter] * limit)
    assert full[letter]
    assert full[tokens.end]
    assert not full[block]
