"""Content of every kind, hostile content too, for tests by properties."""

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from lightning_modules.writer.content_fields import FIELDS

LETTERS = "ab <>&\"'\\/\n\t\0\u2028\u202e\u200d\u0301\u0338\u0958\u212b\u00a0\U0001f600"


def texts(longest: int) -> SearchStrategy[str]:
    """Texts of any characters, and of those that break things."""
    return st.one_of(st.text(max_size=longest), st.text(st.sampled_from(LETTERS), max_size=longest))


def blocks(longest: int, most: int) -> SearchStrategy[list[tuple[str, str]]]:
    """Blocks of such texts."""
    return st.lists(st.tuples(st.sampled_from(["p", "h2", "li"]), texts(longest)), max_size=most)


def values(longest: int = 90, most: int = 45) -> SearchStrategy[dict]:
    """Fields, some of them absent, many of them beyond their limits."""
    kinds = {
        "line": texts(longest).map(lambda text: text * 5),
        "list": st.lists(texts(longest), max_size=most),
        "blocks": blocks(longest, most),
    }
    return st.fixed_dictionaries({}, optional={field.name: kinds[field.kind] for field in FIELDS})


def within(code: int, ranges: tuple[tuple[int, int], ...]) -> bool:
    """Whether a code point lies in one of the ranges."""
    return any(first <= code <= last for first, last in ranges)
