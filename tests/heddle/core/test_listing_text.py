from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from heddle.core.listing_text import all_texts, caption, captions, drawn_caption, has_caption, without_markup

LISTING = {
    "id": "a:1",
    "alt_text": " A red  chair ",
    "caption": "Our chair",
    "title": "A red chair",
    "description": None,
    "tags": ["red", "old"],
    "categories": [],
    "body": "<p>Fine &amp; dandy</p><ul><li>old</li></ul>",
    "seo_title": "Chair",
    "seo_description": "",
    "item": "chair",
    "material": "oak",
}


def test_captions_are_the_different_texts_plainest_first() -> None:
    assert captions(LISTING) == {"alt_text": "A red chair", "caption": "Our chair"}
    assert caption(LISTING) == "A red chair"


def test_without_prose_tags_categories_and_labels_speak() -> None:
    bare = dict.fromkeys(LISTING) | {"id": "a:2"}
    assert captions(bare) == {}
    assert not has_caption(bare)
    assert captions(bare | {"tags": ["red", "old"], "categories": ["Seats"]}) == {
        "tags": "red, old",
        "categories": "Seats",
    }
    assert captions(bare | {"item": "chair", "material": "oak"}) == {"item": "oak chair"}
    assert captions(bare | {"product_class": "seats for repair"}) == {"product_class": "seats for repair"}


def test_draws_follow_the_shares_and_nothing_else() -> None:
    shares = {"alt_text": 3.0}
    drawn = Counter(drawn_caption(LISTING, shares, 7, epoch) for epoch in range(2000))
    assert set(drawn) == {"A red chair", "Our chair"}
    assert 0.7 < drawn["A red chair"] / 2000 < 0.8
    assert [drawn_caption(LISTING, shares, 7, epoch) for epoch in range(20)] == [
        drawn_caption(LISTING | {"title": "A  red chair"}, shares, 7, epoch) for epoch in range(20)
    ]


@given(seed=st.integers(0, 99), epoch=st.integers(0, 99), share=st.floats(0.01, 100))
def test_a_draw_is_always_one_of_the_captions(seed: int, epoch: int, share: float) -> None:
    assert drawn_caption(LISTING, {"caption": share}, seed, epoch) in captions(LISTING).values()


def test_all_texts_leave_the_markup_out() -> None:
    assert without_markup(LISTING["body"]) == "Fine & dandy old"  # type: ignore[arg-type]
    texts = list(all_texts(LISTING))
    assert texts == ["A red chair", "Our chair", "A red chair", "Chair", "Fine & dandy old", "red, old"]
