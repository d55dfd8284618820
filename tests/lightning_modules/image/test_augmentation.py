import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_modules.image.augmentation import augment, drop_words
from lightning_modules.training.settings import AugmentationSettings

IMAGE = np.random.default_rng(0).integers(0, 256, (12, 12, 3), dtype=np.uint8)


def _augmented(words: str, seed: int, **settings: float) -> np.ndarray:
    given_settings = AugmentationSettings.model_validate(
        {"translate": 0, "jitter": 0, "horizontal_flip": False} | settings
    )
    return augment(IMAGE, words, given_settings, np.random.default_rng(seed))


@given(seed=st.integers(0, 500))
def test_without_any_change_nothing_changes(seed: int) -> None:
    assert np.array_equal(_augmented("", seed), IMAGE)


@pytest.mark.parametrize("words", ["a jar left of a duck", "To the RIGHT of it", "the leftmost chair"])
def test_words_about_sides_are_never_made_untrue(words: str) -> None:
    assert all(np.array_equal(_augmented(words, seed, horizontal_flip=True), IMAGE) for seed in range(30))


def test_other_images_are_mirrored_half_of_the_time() -> None:
    outcomes = [_augmented("a bright chair", seed, horizontal_flip=True) for seed in range(200)]
    mirrored = sum(np.array_equal(outcome, IMAGE[:, ::-1]) for outcome in outcomes)
    assert mirrored + sum(np.array_equal(outcome, IMAGE) for outcome in outcomes) == 200
    assert 70 < mirrored < 130


def test_a_shift_moves_whole_pixels_and_repeats_the_border() -> None:
    outcomes = {_augmented("", seed, translate=0.1).tobytes() for seed in range(100)}
    padded = np.pad(IMAGE, ((1, 1), (1, 1), (0, 0)), mode="edge")
    allowed = {padded[y : y + 12, x : x + 12].tobytes() for y in range(3) for x in range(3)}
    assert outcomes == allowed


@given(seed=st.integers(0, 500))
def test_light_changes_stay_within_their_share(seed: int) -> None:
    changed = _augmented("", seed, jitter=0.1).astype(float)
    mean = IMAGE.mean()
    bound = np.maximum(np.abs(IMAGE - mean) * 0.1, 0) * 1.1 + IMAGE * 0.1 + mean * 0.02 + 1
    assert (np.abs(changed - IMAGE) <= bound).all()


WORDS = st.lists(st.text("abc", min_size=1), min_size=1, max_size=8)


@given(text=WORDS, share=st.floats(0, 0.99), seed=st.integers(0, 99))
def test_thinned_words_stay_in_order_and_never_run_out(text: list[str], share: float, seed: int) -> None:
    kept = drop_words(" ".join(text), share, np.random.default_rng(seed)).split()
    rest = iter(text)
    assert kept
    assert all(word in rest for word in kept)
    assert share > 0 or kept == text


def test_about_the_share_of_the_words_is_left_out() -> None:
    counts = [len(drop_words("a b c d e f g h i j", 0.3, np.random.default_rng(seed)).split()) for seed in range(200)]
    assert 6.5 < np.mean(counts) < 7.5
