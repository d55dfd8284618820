"""A model has exactly one start."""

import pytest

from heddle.core.parameters.initialization import check_single_init


@pytest.mark.parametrize(
    ("pretrained", "scratch"), [("clip", {"image": None}), (None, {"image": 1}), (None, {"image": 1, "text": 0})]
)
def test_check_single_init_one_start_passes(pretrained: str | None, scratch: dict[str, object]) -> None:
    check_single_init(pretrained, scratch)


@pytest.mark.parametrize(
    ("pretrained", "scratch", "message"),
    [
        (None, {"image": None}, "give either pretrained or image$"),
        (None, {"image": 1, "text": None, "dim": 2}, "give either pretrained or image, text and dim$"),
        ("clip", {"image": 1, "text": None}, "found pretrained and image; .* remove one of the two"),
    ],
)
def test_check_single_init_none_or_two_is_refused(
    pretrained: str | None, scratch: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        check_single_init(pretrained, scratch)
