"""Duplicates against an oracle that compares every pair, and against images that a person would call copies."""

import io
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageEnhance

from assets.catalog.duplicates import Duplicate, find_copies, find_duplicates, natural_order
from assets.catalog.images import ImageInfo, examine_image
from assets.catalog.listing_drafts import Draft
from heddle.core.schemas import LISTINGS
from heddle.images.originals import Original
from heddle.sources.parameters import DuplicateRule

BITS, COLOUR = 12, 24
NOWHERE = Original("", 0, 9)


def describe_image(sha256: str, flipped: frozenset[int], colour: int) -> ImageInfo:
    """An image whose hash differs from zero in the given bits."""
    bits = np.zeros(256, dtype=np.uint8)
    bits[list(flipped)] = 1
    colours = np.full(192, colour, dtype=np.uint8)
    return ImageInfo(sha256, NOWHERE, "PNG", 9, 9, np.packbits(bits).tobytes(), colours.tobytes(), ())


images = st.lists(
    st.tuples(st.integers(0, 6), st.frozensets(st.integers(0, 30), max_size=20), st.sampled_from([0, 20, 40, 200])),
    max_size=25,
).map(
    lambda drawn: [
        (f"s:{number}", describe_image(f"{sha}-{sorted(bits)}-{c}", bits, c))
        for number, (sha, bits, c) in enumerate(drawn)
    ]
)


def distance(one: ImageInfo, other: ImageInfo) -> int:
    return sum((a ^ b).bit_count() for a, b in zip(one.perceptual_hash, other.perceptual_hash, strict=True))


def alike(one: ImageInfo, other: ImageInfo, bits: int = BITS) -> bool:
    apart = int(abs(int(one.colours[0]) - int(other.colours[0])))
    return one.sha256 == other.sha256 or (distance(one, other) <= bits and apart <= COLOUR)


@given(shown=images, bits=st.sampled_from([0, 1, 5, BITS, 31, 32, 64]))
def test_what_stays_is_what_comparing_every_pair_in_order_leaves(shown: list[tuple[str, ImageInfo]], bits: int) -> None:
    kept: list[tuple[str, ImageInfo]] = []
    for listing, image in shown:  # ids are in natural order already
        if not any(alike(image, other, bits) for _, other in kept):
            kept.append((listing, image))
    copies = find_copies(shown, bits, COLOUR)
    assert [listing for listing, _ in shown if listing not in copies] == [listing for listing, _ in kept]


@given(shown=images)
def test_copies_point_at_a_similar_listing_that_is_none(shown: list[tuple[str, ImageInfo]]) -> None:
    copies = find_copies(shown, BITS, COLOUR)
    by_id = dict(shown)
    for copy, original in copies.items():
        assert original not in copies
        assert alike(by_id[copy], by_id[original]) or any(
            by_id[copy].sha256 == by_id[other].sha256 and alike(by_id[other], by_id[original]) for other in by_id
        )


@given(data=st.data(), shown=images)
def test_order_of_arrival_changes_nothing(data: st.DataObject, shown: list[tuple[str, ImageInfo]]) -> None:
    shuffled = data.draw(st.permutations(shown))
    assert find_copies(shuffled, BITS, COLOUR) == find_copies(shown, BITS, COLOUR)


@given(shown=images, number=st.integers(0, 30))
def test_new_listing_changes_no_older_one(shown: list[tuple[str, ImageInfo]], number: int) -> None:
    older = find_copies(shown[:number], BITS, COLOUR)
    assert {copy: original for copy, original in find_copies(shown, BITS, COLOUR).items() if copy in older} == older


def drafts(images: Sequence[tuple[str, ImageInfo]], titles: Sequence[str]) -> list[tuple[Draft, ImageInfo]]:
    """Drafts that have no other text than a title; only the row is read."""
    blank = dict.fromkeys(LISTINGS.names)
    return [
        (cast(Draft, SimpleNamespace(id=listing, row=blank | {"id": listing, "title": title})), image)
        for (listing, image), title in zip(images, titles, strict=True)
    ]


@given(shown=images, data=st.data(), rule=st.sampled_from(["same_image_and_text", "same_image", "none"]))
def test_dropped_listings_repeat_a_kept_one(
    shown: list[tuple[str, ImageInfo]], data: st.DataObject, rule: DuplicateRule
) -> None:
    titles = data.draw(
        st.lists(st.sampled_from(["Oak chair", "oak  CHAIR", "Stool"]), min_size=len(shown), max_size=len(shown))
    )
    copies = find_copies(shown, BITS, COLOUR)
    found = find_duplicates(drafts(shown, titles), copies, rule)
    by_id, words = (
        dict(shown),
        {listing: title.casefold().split() for (listing, _), title in zip(shown, titles, strict=True)},
    )
    group = {listing: copies.get(listing, listing) for listing in by_id}
    dropped = {each.id for each in found}
    for each in found:
        assert each.original not in dropped
        assert group[each.id] == group[each.original]
        assert rule == "same_image" or words[each.id] == words[each.original]
        assert each.distance == distance(by_id[each.id], by_id[each.original])
        assert (each.kind == "exact") == (by_id[each.id].sha256 == by_id[each.original].sha256)
    kept = [listing for listing in by_id if listing not in dropped]
    different = {
        (group[listing], *words[listing]) if rule == "same_image_and_text" else group[listing] for listing in by_id
    }
    assert len(kept) == (len(by_id) if rule == "none" else len(different))


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 999))
def test_planted_copies_are_found_wherever_they_lie(seed: int) -> None:
    random = np.random.default_rng(seed)
    hashes = random.integers(0, 256, (700, 32), dtype=np.uint8)
    copies = {
        int(place): int(random.integers(0, 350)) for place in random.choice(np.arange(350, 700), 20, replace=False)
    }
    for place, original in copies.items():
        hashes[place] = hashes[original]
    flat = np.zeros(192, dtype=np.uint8)
    shown = [
        (f"s:{n}", ImageInfo(str(n), NOWHERE, "PNG", 9, 9, hashes[n].tobytes(), flat.tobytes(), ())) for n in range(700)
    ]
    found = find_copies(shown, BITS, COLOUR)
    assert found.keys() == {f"s:{place}" for place in copies}


def test_older_listing_stays() -> None:
    same = describe_image("a", frozenset(), 0)
    two = [("s:10", same), ("s:9", same)]
    found = find_duplicates(drafts(two, ["", ""]), find_copies(two, BITS, COLOUR), "same_image_and_text")
    assert found == [Duplicate("s:10", "s:9", "exact", 0)]
    assert sorted(["s:10", "s:9", "s:1"], key=natural_order) == ["s:1", "s:9", "s:10"]


def drawn(colour: str) -> Image.Image:
    image = Image.radial_gradient("L").resize((200, 160)).convert("RGB")
    draw = ImageDraw.Draw(image)
    draw.rectangle((50, 60, 140, 90), fill=colour)
    draw.rectangle((55, 90, 65, 150), fill=colour)
    draw.rectangle((125, 90, 135, 150), fill=colour)
    return image


def shown(tmp_path: Path, images: dict[str, tuple[Image.Image, str, dict[str, int]]]) -> list[tuple[str, ImageInfo]]:
    found = []
    for name, (image, form, options) in images.items():
        file = io.BytesIO()
        image.save(file, form, **options)
        (tmp_path / name).write_bytes(file.getvalue())
        found.append((f"s:{name}", examine_image(Original.whole(tmp_path / name), 1e6)))
    return found


@pytest.mark.parametrize(
    ("image", "form", "options"),
    [
        (drawn("red"), "JPEG", {"quality": 40}),
        (drawn("red"), "WEBP", {}),
        (drawn("red").resize((100, 80)), "PNG", {}),
        (ImageEnhance.Brightness(drawn("red")).enhance(1.05), "PNG", {}),
    ],
)
def test_same_image_in_another_file_is_a_near_duplicate(
    tmp_path: Path, image: Image.Image, form: str, options: dict[str, int]
) -> None:
    two = shown(tmp_path, {"1": (drawn("red"), "PNG", {}), "2": (image, form, options)})
    found = find_duplicates(drafts(two, ["Chair", "Chair"]), find_copies(two, BITS, COLOUR), "same_image_and_text")
    assert [(each.id, each.kind) for each in found] == [("s:2", "near")]


def test_same_thing_in_another_colour_is_no_duplicate(tmp_path: Path) -> None:
    """Red and blue of one lightness: the perceptual hash alone would call them copies."""
    two = shown(tmp_path, {"1": (drawn("#d02020"), "PNG", {}), "2": (drawn("#2060d0"), "PNG", {})})
    assert distance(two[0][1], two[1][1]) <= BITS
    assert find_copies(two, BITS, COLOUR) == {}
