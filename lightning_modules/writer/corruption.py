"""Texts in which one stated attribute is swapped for another: what a writer learns to find its errors from."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

Phrases = Mapping[str, Mapping[str, str]]
"""Kind of attribute -> phrase in lower case -> the value that it states: colour -> scarlet -> red."""


@dataclass(frozen=True)
class Corruption:
    """Swaps a phrase for another one of the same kind that states another value."""

    phrases: Phrases

    def __call__(self, text: str, random: np.random.Generator) -> str | None:
        """``text`` with one phrase swapped, in the case of what stood there; None if it states nothing.

        Where phrases overlap the longest one counts, so that "dark red" does not become "dark blue".
        """
        found = self._found(text)
        if not found:
            return None
        start, end, kind, value = found[int(random.integers(len(found)))]
        others = sorted(phrase for phrase, stated in self.phrases[kind].items() if stated != value)
        if not others:
            return None
        other = others[int(random.integers(len(others)))]
        cased = other[:1].upper() + other[1:] if text[start].isupper() else other
        return text[:start] + cased + text[end:]

    def _found(self, text: str) -> Sequence[tuple[int, int, str, str]]:
        """Where which kind of attribute is stated, and its value."""
        lowered = text.lower()
        if len(lowered) != len(text):  # a few letters grow when lowered; places would no longer fit
            return []
        found: list[tuple[int, int, str, str]] = []
        stated = [(phrase, kind, value) for kind, known in self.phrases.items() for phrase, value in known.items()]
        for phrase, kind, value in sorted(stated, key=lambda one: (-len(one[0]), one)):
            for match in re.finditer(rf"\b{re.escape(phrase)}\b", lowered):
                if all(match.end() <= start or match.start() >= end for start, end, _, _ in found):
                    found.append((match.start(), match.end(), kind, value))
        return sorted(found)
