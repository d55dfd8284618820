"""Texts with one attribute swapped for another: training data of the writer's error detection."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

Phrases = Mapping[str, Mapping[str, str]]
"""Kind of attribute to phrase in lower case to its value: colour, scarlet, red."""


@dataclass(frozen=True)
class Corruption:
    """Replaces a phrase by another phrase of the same kind with another value."""

    phrases: Phrases

    def __call__(self, text: str, random: np.random.Generator) -> str | None:
        """``text`` with one phrase replaced, in the same letter case; None if it contains no phrase.

        Of overlapping phrases the longest one counts, so that "dark red" does not become "dark blue".
        """
        found = self._find(text)
        if not found:
            return None
        start, end, kind, value = found[int(random.integers(len(found)))]
        others = sorted(phrase for phrase, stated in self.phrases[kind].items() if stated != value)
        if not others:
            return None
        other = others[int(random.integers(len(others)))]
        cased = other[:1].upper() + other[1:] if text[start].isupper() else other
        return text[:start] + cased + text[end:]

    def _find(self, text: str) -> Sequence[tuple[int, int, str, str]]:
        """Start, end, kind of attribute and value of each phrase in the text."""
        lowered = text.lower()
        if len(lowered) != len(text):  # some letters become two in lower case, which would shift the positions
            return []
        found: list[tuple[int, int, str, str]] = []
        stated = [(phrase, kind, value) for kind, known in self.phrases.items() for phrase, value in known.items()]
        for phrase, kind, value in sorted(stated, key=lambda one: (-len(one[0]), one)):
            for match in re.finditer(rf"\b{re.escape(phrase)}\b", lowered):
                if all(match.end() <= start or match.start() >= end for start, end, _, _ in found):
                    found.append((match.start(), match.end(), kind, value))
        return sorted(found)
