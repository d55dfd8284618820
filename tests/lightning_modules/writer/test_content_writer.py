from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from heddle.content.content import Content
from heddle.content.schema import problems
from lightning_modules.layers.generation import Pick, Sampler, greedy
from lightning_modules.training.inference import BATCH_SIZE
from lightning_modules.writer.content_fields import FIELDS
from lightning_modules.writer.content_writer import TOKENIZER_FILE, ContentWriter, WriterScores
from lightning_modules.writer.samples import Inputs
from tests.support.tiny_writer import TOKENIZER, TOKENS, tiny_inputs, tiny_writer

FIELD: dict[str, Any] = {
    "alt_text": "a red chair",
    "tags": ["red", "wooden"],
    "body": [("p", "to mend"), ("li", "a jar")],
}


def _writer(seed: int = 0) -> ContentWriter:
    return ContentWriter(tiny_writer(seed), TOKENIZER)


def _hasty(logits: torch.Tensor) -> torch.Tensor:
    """The likeliest token, but the end of a field where one is allowed: who has learned nothing writes long texts."""
    return torch.where(logits[:, TOKENS.end].isfinite(), TOKENS.end, greedy(logits))


def _sampler(seed: int) -> Sampler:
    return Sampler(torch.Generator().manual_seed(seed), temperature=2.0)


@pytest.mark.parametrize("pick", [greedy, _sampler(1)], ids=["greedy", "sampled"])
def test_whatever_the_weights_the_content_can_be_published(pick: Pick) -> None:
    inputs = [tiny_inputs(2, objects=500), *([Inputs(tiny_inputs(1).image)] if pick is not greedy else [])]
    for written in _writer(5).write(inputs, pick):
        assert problems(Content.from_fields(written.fields).as_json()) == []
        assert set(written.fields) <= {field.name for field in FIELDS}
        assert 0 <= written.quality <= 1
        assert all(chance <= 0 for chance in written.log_likelihoods.values())
        assert all(0 <= chance <= 1 for chance in written.error_probabilities.values())
        assert set(written.log_likelihoods) == set(written.error_probabilities) >= set(written.fields)


def test_a_listing_of_a_batch_is_judged_as_it_is_alone() -> None:
    writer = _writer()
    inputs = [tiny_inputs(0), Inputs(tiny_inputs(1).image), tiny_inputs(2, objects=4, context=None)]
    fields: list[dict[str, Any]] = [FIELD, {"alt_text": "a blue jar on top of a box"}, {"title": "green box"}]
    together = writer.score(inputs, fields)
    for row, one in enumerate(together):
        _same(one, writer.score(inputs[row : row + 1], fields[row : row + 1])[0])
    assert set(together[0].error_probabilities) == set(FIELD)


def test_more_than_a_batch_comes_back_in_order() -> None:
    writer = _writer()
    inputs = [tiny_inputs(number % 3, objects=number % 3) for number in range(BATCH_SIZE + 2)]
    fields = [{"alt_text": ("a red jar", "a box")[number % 2]} for number in range(BATCH_SIZE + 2)]
    scores = writer.score(inputs, fields)
    assert len(scores) == BATCH_SIZE + 2
    _same(scores[-1], writer.score(inputs[-1:], fields[-1:])[0])
    assert writer.write([]) == []
    assert writer.score([], []) == []


def test_writing_in_a_batch_is_writing_one_at_a_time() -> None:
    writer = _writer(3)
    inputs = [tiny_inputs(0), Inputs(tiny_inputs(1).image)]
    together = writer.write(inputs, _hasty)
    for row, one in enumerate(together):
        alone = writer.write(inputs[row : row + 1], _hasty)[0]
        assert alone.fields == one.fields
        _same(one, alone)


def test_certainty_is_the_mean_log_likelihood_of_what_was_chosen() -> None:
    writer, inputs = _writer(), [tiny_inputs(0)]
    scores = writer.score(inputs, [FIELD])[0]
    encoded = TOKENS.encode(FIELD)
    tokens = torch.tensor([encoded.tokens])
    with torch.no_grad():
        chances = writer.network(writer.reader(inputs), tokens).log_softmax(dim=-1)[0]
    name, expected = "", {}
    names = {token: name for name, token in TOKENS.field.items()}
    for place in range(1, len(encoded.tokens)):
        token = encoded.tokens[place]
        if token in names:
            name = names[token]
            expected[name] = []
        else:
            assert encoded.is_target[place]
            expected[name].append(float(chances[place - 1, token]))
    assert scores.log_likelihoods == pytest.approx(
        {name: sum(each) / len(each) for name, each in expected.items()}, abs=1e-5
    )


def test_a_text_says_how_likely_it_is_whatever_comes_after_it() -> None:
    writer, inputs = _writer(), [tiny_inputs(0)]
    short, long = (writer.score(inputs, [fields])[0] for fields in ({"alt_text": FIELD["alt_text"]}, FIELD))
    assert long.log_likelihoods["alt_text"] == pytest.approx(short.log_likelihoods["alt_text"], abs=1e-5)
    assert long.error_probabilities["alt_text"] == pytest.approx(short.error_probabilities["alt_text"], abs=1e-5)


def test_nothing_to_judge_is_judged_as_nothing() -> None:
    scores = _writer().score([tiny_inputs(0)] * 2, [{}, {"alt_text": ""}])
    assert [one.log_likelihoods for one in scores] == [{}, {}]


def test_what_is_saved_writes_the_same(tmp_path: Path) -> None:
    writer = _writer(3)
    writer.network.save_pretrained(tmp_path)
    TOKENIZER.save(str(tmp_path / TOKENIZER_FILE))
    inputs = [replace(tiny_inputs(0), facts=None)]
    assert ContentWriter.from_folder(tmp_path, threads=1).write(inputs, _hasty) == writer.write(inputs, _hasty)


def _same(one: WriterScores, other: WriterScores) -> None:
    assert one.log_likelihoods == pytest.approx(other.log_likelihoods, abs=1e-5)
    assert one.error_probabilities == pytest.approx(other.error_probabilities, abs=1e-5)
    assert one.quality == pytest.approx(other.quality, abs=1e-5)


@pytest.mark.parametrize("until", ["alt_text", "caption", "title"])
def test_a_writer_that_stops_behind_a_field_has_written_what_it_would_have_written(until: str) -> None:
    writer, inputs = _writer(3), [tiny_inputs(number) for number in range(3)]
    count = [field.name for field in FIELDS].index(until) + 1
    for whole, part in zip(writer.write(inputs, _hasty), writer.write(inputs, _hasty, until), strict=True):
        expected = {field.name: whole.fields[field.name] for field in FIELDS[:count] if field.name in whole.fields}
        assert part.fields == expected
        assert set(part.log_likelihoods) == {field.name for field in FIELDS[:count]}
        for name, value in part.log_likelihoods.items():
            assert value == pytest.approx(whole.log_likelihoods[name], abs=1e-5)
            assert part.error_probabilities[name] == pytest.approx(whole.error_probabilities[name], abs=1e-5)
