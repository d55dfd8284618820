import math
from typing import Literal

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from heddle.images.resize import fit as fitted
from lightning_modules.training.shards import ShardSample
from lightning_modules.writer.samples import (
    FACTS,
    WHOLE,
    ImageObject,
    Inputs,
    WriterReader,
    compute_facts,
    format_context,
    read_inputs,
    split_clauses,
    to_square,
    truncate_scene,
)
from tests.support.tiny_writer import SIZE, TOKENIZER, TOKENS, tiny_inputs, tiny_row, tiny_samples

GREY = np.full((SIZE, SIZE, 3), 128, np.uint8)


@pytest.mark.parametrize("fit", ["pad", "crop"])
@pytest.mark.parametrize("size", [(120, 60), (60, 120), (90, 90)])
def test_a_box_lies_where_the_image_shows_it(size: tuple[int, int], fit: Literal["pad", "crop"]) -> None:
    box = (0.4, 0.3, 0.6, 0.7)
    image = Image.new("RGB", size, (0, 0, 255))
    image.paste((255, 0, 0), tuple(round(share * size[place % 2]) for place, share in enumerate(box)))
    red = np.asarray(fitted(image, 200, fit))[..., 2] < 128
    red &= np.asarray(fitted(image, 200, fit))[..., 0] > 128
    rows, columns = np.flatnonzero(red.any(axis=1)), np.flatnonzero(red.any(axis=0))
    seen = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]) / 200
    np.testing.assert_allclose(to_square(box, size[0] / size[1], fit), seen, atol=0.02)


def test_what_a_crop_cuts_off_is_cut_off_the_box() -> None:
    assert to_square((0.0, 0.2, 0.5, 0.4), 2.0, "crop") == (0.0, 0.2, 0.5, 0.4)
    assert to_square((0.0, 0.2, 0.1, 0.4), 2.0, "crop") == (0.0, 0.2, 0.0, 0.4)


@pytest.mark.parametrize("box", [None, [], [0.1, 0.2], [math.nan, 0, 1, 1], [0, 0, math.inf, 1], [None, 0, 1, 1]])
def test_a_box_that_is_none_is_the_whole_image(box: list[float] | None) -> None:
    assert to_square(box, 1.5, "pad") == WHOLE


@given(st.tuples(*[st.floats(-1e300, 1e300)] * 4), st.floats(0.01, 100), st.sampled_from(["pad", "crop"]))
def test_any_box_ends_within_the_square(box: tuple[float, ...], ratio: float, fit: Literal["pad", "crop"]) -> None:
    x0, y0, x1, y1 = to_square(box, ratio, fit)
    assert 0 <= x0 <= x1 <= 1
    assert 0 <= y0 <= y1 <= 1


def test_the_largest_objects_stay_in_their_order_with_the_relations_among_them() -> None:
    side = [0.1, 0.5, 0.3, 0.4]
    objects = [ImageObject(str(place), (), (0, 0, length, length)) for place, length in enumerate(side)]
    relations = [(0, "on", 1), (1, "left of", 2), (3, "above", 1), (2, "on", 3)]
    seen = truncate_scene(objects, relations, 2)
    assert [thing.label for thing in seen.objects] == ["1", "3"]
    assert seen.relations == [(1, "above", 0)]
    assert (seen.objects_dropped, seen.relations_dropped) == (2, 3)


def test_relations_that_make_no_sense_are_left_out_and_counted() -> None:
    objects = [ImageObject("jar", (), WHOLE), ImageObject(" ", (), WHOLE), ImageObject("box", (), WHOLE)]
    relations = [(0, "on", 0), (0, "on", 9), (-1, "on", 0), (0, " ", 2), (1, "on", 2), (2, "on", 0), (2, "on", 0)]
    seen = truncate_scene(objects, relations, 100)
    assert [thing.label for thing in seen.objects] == ["jar", "box"]
    assert seen.relations == [(1, "on", 0), (1, "on", 0)]
    assert (seen.objects_dropped, seen.relations_dropped) == (1, 5)


def test_five_hundred_objects_become_as_many_as_are_read() -> None:
    many = tiny_inputs(objects=500, relations=[(place, "on", place - 1) for place in range(1, 500)])
    read = WriterReader(TOKENIZER, TOKENS.pad, 32, 8)([many, tiny_inputs(objects=0), tiny_inputs(objects=1)])
    assert read.scene.boxes.shape == (3, 32, 4)
    assert read.scene.objects_present.sum(dim=1).tolist() == [32, 0, 1]
    assert int(read.scene.ends.max()) < 32


def test_nothing_but_images_makes_empty_parts() -> None:
    read = WriterReader(TOKENIZER, TOKENS.pad, 8, 8)([Inputs(GREY), Inputs(GREY)])
    assert read.scene.boxes.shape == (2, 0, 4)
    assert read.scene.ends.shape == (2, 0, 2)
    assert read.scene.labels.shape[:2] == (2, 0)
    assert read.context.shape[:2] == (2, 0)
    assert read.facts.shape == (2, len(FACTS))
    assert read.facts.isnan().all()


def test_the_reader_fills_up_and_says_what_there_is() -> None:
    one = Inputs(GREY, [ImageObject("jar", ("blue", "wooden"), (0, 0.5, 1, 1))], context="locale en-GB")
    two = tiny_inputs(1, objects=3)
    read = WriterReader(TOKENIZER, TOKENS.pad, 8, 8)([one, two])
    assert read.scene.objects_present.tolist() == [[True, False, False], [True, True, True]]
    assert read.scene.relations_present.tolist() == [[False, False], [True, True]]
    assert read.scene.boxes[0, 0].tolist() == [0, 0.5, 1, 1]
    assert read.scene.ends[1].tolist() == [[1, 0], [2, 0]]
    told = [token for token in read.scene.attributes[0, 0].tolist() if token != TOKENS.pad]
    assert TOKENIZER.decode(told) == " blue wooden"
    assert (read.context[0, 1:] == TOKENS.pad).all()
    assert (read.context[1, :3] != TOKENS.pad).any(dim=-1).tolist() == [True, True, True]


def test_a_listing_tells_its_context() -> None:
    context = {"site": "shop.example", "locale": "en-GB", "preferences": ["short sentences", "friendly"]}
    told = format_context(tiny_row(context=context))
    assert told == "site shop.example. locale en-GB. wishes: short sentences, friendly"
    assert split_clauses(told) == ["site shop.example", "locale en-GB", "wishes", "short sentences", "friendly"]
    for nothing in (None, {}, {"site": None, "locale": "", "preferences": None}):
        assert format_context(tiny_row(context=nothing)) is None
    assert split_clauses(" ,. \n:") == []


def test_facts_are_small_numbers_and_what_is_unknown_says_so() -> None:
    image = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    exif = {"ExposureTime": "1/125", "FNumber": "2.8", "FocalLength": "50", "Make": "Loomtech"}
    facts = dict(zip(FACTS, compute_facts(image, 1.5, exif), strict=True))
    assert math.isnan(facts["ISOSpeedRatings"])
    assert facts["ratio"] == pytest.approx(2 * math.log(1.5))
    assert facts["ExposureTime"] == pytest.approx((math.log(1 / 125) + 5) / 2)
    assert all(abs(value) <= 4 for name, value in facts.items() if name != "ISOSpeedRatings")


@given(st.dictionaries(st.sampled_from(FACTS[4:]), st.one_of(st.text(), st.integers(), st.floats(), st.none())))
def test_hostile_exif_makes_no_facts(exif: dict[str, object]) -> None:
    facts = compute_facts(GREY, 1.0, exif)
    assert all(math.isnan(fact) or abs(fact) <= 4 for fact in facts)
    assert not any(math.isnan(fact) for fact in facts[:4])


@pytest.mark.parametrize("value", ["1/0", "0", "-3", "nan", "inf", "1/1/1", "12 mm", "9" * 999, b"\xff", [1]])
def test_exif_that_is_no_positive_number_is_unknown(value: object) -> None:
    assert math.isnan(dict(zip(FACTS, compute_facts(GREY, 1.0, {"FNumber": value}), strict=True))["FNumber"])


def test_a_listing_with_everything_and_one_with_nothing() -> None:
    sample = tiny_samples(1)[0]
    known = read_inputs(sample, 2.0, "pad")
    assert known.objects[0].box == pytest.approx((0.2, 0.35, 0.8, 0.65))
    empty = {"objects": None, "relations": None, "context": None, "exif": None}
    bare = read_inputs(ShardSample("0", GREY, sample.row | empty), 1.0, "pad")
    assert (list(bare.objects), list(bare.relations), bare.context) == ([], [], None)
    holes = {
        "objects": [{"label": None, "attributes": None, "box": None}],
        "relations": [{"subject": 0, "predicate": None, "object": 0}],
    }
    read = WriterReader(TOKENIZER, TOKENS.pad, 8, 8)(
        [read_inputs(ShardSample("0", GREY, sample.row | holes), 1.0, "pad")]
    )
    assert read.scene.boxes.shape[1] == 0
    assert torch.isfinite(read.facts[0, :4]).all()
