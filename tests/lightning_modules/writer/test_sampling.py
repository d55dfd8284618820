from collections import Counter
from itertools import pairwise
from typing import get_args

import numpy as np
import pytest
import torch

from lightning_modules.training.settings import AugmentationSettings
from lightning_modules.training.shards import ShardSample
from lightning_modules.writer.content_fields import FIELDS
from lightning_modules.writer.sampling import WriterBatch, shift_box
from lightning_modules.writer.settings import FieldName
from tests.support.tiny_writer import TOKENS, tiny_collate, tiny_config, tiny_row, tiny_samples

SAMPLES = tiny_samples(12)
CONFIG = tiny_config()
SHIFTED = AugmentationSettings(translate=0.25, jitter=0, horizontal_flip=False)


def _told(batch: WriterBatch) -> dict[int, dict]:
    """View -> its content."""
    return {
        int(row): TOKENS.decode(tokens.tolist())
        for examples in batch.examples
        for row, tokens in zip(examples.rows, examples.tokens, strict=True)
    }


def test_shares_are_of_the_fields_that_there_are() -> None:
    assert get_args(FieldName) == tuple(field.name for field in FIELDS)


def test_each_listing_is_seen_twice_and_the_second_time_without_objects() -> None:
    batch = tiny_collate(CONFIG)(SAMPLES, epoch=0)
    assert len(batch) == len(batch.inputs.pixels) == 12
    there = batch.inputs.scene.objects_present
    assert there[:12].all()
    assert not there[12:].any()
    assert sorted(_told(batch)) == list(range(24))
    context = (batch.inputs.context != TOKENS.pad).flatten(1).any(dim=1)
    facts = (~batch.inputs.facts.isnan()).any(dim=1)
    for known in (context, facts):
        assert known[:12].all()
        assert 0 < known[12:].sum() < 12
    assert not torch.equal(context[12:], facts[12:])


@pytest.mark.parametrize(("share", "told"), [(0.0, 0), (1.0, 24)])
def test_fields_are_told_by_their_shares(share: float, told: int) -> None:
    batch = tiny_collate(CONFIG, field_shares={"tags": share, "body": 0.0})(SAMPLES, epoch=0)
    named = Counter(name for fields in _told(batch).values() for name in fields)
    assert named["alt_text"] == 24
    assert named["tags"] == told
    assert named["body"] == 0


def test_a_lesson_always_tells_something() -> None:
    shares = dict.fromkeys(("alt_text", "tags", "body"), 0.0)
    assert all(
        set(fields) == {"alt_text"} for fields in _told(tiny_collate(CONFIG, field_shares=shares)(SAMPLES, 0)).values()
    )


def test_lessons_are_in_buckets_of_similar_length() -> None:
    batch = tiny_collate(CONFIG, field_shares={"body": 0.5}, length_buckets=3)(SAMPLES, epoch=0)
    assert [len(examples.rows) for examples in batch.examples] == [8, 8, 8]
    lengths = [(examples.tokens != TOKENS.pad).sum(dim=1) for examples in batch.examples]
    assert all(int(one.max()) <= int(other.min()) for one, other in pairwise(lengths))
    for examples in batch.examples:
        assert torch.equal(examples.ends, examples.tokens == TOKENS.end)
        assert not examples.is_target[examples.tokens == TOKENS.pad].any()
        assert not examples.is_target[:, 0].any()


def test_an_error_is_in_one_field_and_its_end_says_so() -> None:
    collate = tiny_collate(CONFIG, corruption_ratio=1.0, field_shares={})
    right = _told(tiny_collate(CONFIG, field_shares={})(SAMPLES, epoch=0))
    batch = collate(SAMPLES, epoch=0)
    names = {token: name for name, token in TOKENS.field.items()}
    for examples in batch.examples:
        for row, tokens, wrong in zip(
            examples.rows.tolist(), examples.tokens.tolist(), examples.has_error, strict=True
        ):
            place = int(wrong.nonzero().item())  # one end
            spoilt = next(names[token] for token in reversed(tokens[:place]) if token in names)
            told = TOKENS.decode(tokens)
            assert [name for name in told if told[name] != right[row][name]] == [spoilt]
    assert not any(examples.has_error.any() for examples in tiny_collate(CONFIG)(SAMPLES, 0).examples)


def test_where_nothing_can_be_wrong_nothing_is() -> None:
    silent = tiny_samples(4, alt_text="A chair.", tags=[], body=[])
    assert not any(
        examples.has_error.any() for examples in tiny_collate(CONFIG, corruption_ratio=1.0)(silent, 0).examples
    )


def test_the_text_tower_must_guess_a_share() -> None:
    batch = tiny_collate(CONFIG)(SAMPLES, epoch=0)
    assert 0 < batch.masked.sum() < (batch.text != TOKENS.pad).sum()
    assert not batch.masked[batch.text == TOKENS.pad].any()
    assert torch.equal(batch.hidden[~batch.masked], batch.text[~batch.masked])
    assert len(batch.hidden[batch.masked].unique()) == 1
    assert batch.text.shape[1] <= 12


def test_epochs_differ_and_validation_is_always_the_same() -> None:
    collate = tiny_collate(CONFIG, SHIFTED, corruption_ratio=0.5)
    same, again, other = (collate(SAMPLES, epoch) for epoch in (0, 0, 1))
    assert torch.equal(same.inputs.pixels, again.inputs.pixels)
    assert _told(same) == _told(again) != _told(other)
    plain = collate(SAMPLES, None)
    assert _told(plain) == _told(collate(SAMPLES, None))
    assert torch.equal(plain.inputs.pixels[0], torch.from_numpy(SAMPLES[0].image.copy()).permute(2, 0, 1))


def test_boxes_move_with_the_image() -> None:
    image = np.zeros((32, 32, 3), np.uint8)
    image[12:20, 8:20] = 255
    thing = {"label": "jar", "attributes": [], "box": [8 / 32, 12 / 32, 20 / 32, 20 / 32]}
    samples = [ShardSample(f"{number}", image, tiny_row(number, objects=[thing])) for number in range(20)]
    batch = tiny_collate(CONFIG, SHIFTED)(samples, epoch=0)
    seen = set()
    for pixels, box in zip(batch.inputs.pixels, batch.inputs.scene.boxes[:20, 0], strict=True):
        bright = pixels[0] > 0
        rows, columns = bright.any(dim=1).nonzero(), bright.any(dim=0).nonzero()
        found = [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
        assert box.tolist() == pytest.approx([int(value) / 32 for value in found], abs=1e-6)
        seen.add(tuple(box.tolist()))
    assert len(seen) > 10
    assert shift_box((0.1, 0.5, 0.9, 0.8), 0.2, -0.6) == pytest.approx((0.3, 0.0, 1.0, 0.2))


def test_scores_that_are_not_known_are_not_numbers() -> None:
    scored = [
        ShardSample("0", SAMPLES[0].image, tiny_row(0, score=None)),
        ShardSample("1", SAMPLES[1].image, tiny_row(1)),
    ]
    assert tiny_collate(CONFIG)(scored, epoch=0).quality.isnan().tolist() == [True, False]
