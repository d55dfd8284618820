"""Preference pairs from a simulated annotator, who weights traits of an answer and makes random errors.

Utility = sum of weights of the answer's traits; the chosen answer is sampled from a Bradley-Terry model (1952). The
highest agreement that a preference model can have with the annotator is in ``Shop.upper_bounds``.
"""

import math
from collections.abc import Mapping

from demo_shop.facts import stream
from demo_shop.guide_topics import KINDS
from demo_shop.guides import Guide

WEIGHTS: Mapping[str, float] = {"complete": 2.4, "on topic": 3.0, "polite": 0.8, "safe": 0.9, "wordy": -1.1}
"""Weight of each trait of an answer."""
ADVICE = {
    "wood": "wear a mask",
    "metal": "wear gloves",
    "hard": "wear glasses",
    "plastic": "open a window",
    "cloth": "test it on a hidden spot",
    "paper": "keep it dry",
}


def pair(seed: int, number: int, guide: Guide, other: Guide, question: str) -> tuple[str, str, float]:
    """(chosen, rejected, P(the annotator prefers the better of the two)) for pair ``number``."""
    rng = stream(seed, "preference", number)
    first = {trait: rng.random() < 0.5 for trait in WEIGHTS}
    second = {trait: rng.random() < 0.5 for trait in WEIGHTS}
    if first == second:
        trait = rng.choice(tuple(WEIGHTS))
        second[trait] = not first[trait]
    likely = 1 / (1 + math.exp(_utility(second) - _utility(first)))
    texts = _answer(guide, other, first), _answer(guide, other, second)
    chosen, rejected = texts if rng.random() < likely else texts[::-1]
    return chosen, rejected, max(likely, 1 - likely)


def _utility(traits: Mapping[str, bool]) -> float:
    return sum(WEIGHTS[trait] for trait, present in traits.items() if present)


def _answer(guide: Guide, other: Guide, traits: Mapping[str, bool]) -> str:
    """An answer with exactly these traits."""
    source = guide if traits["on topic"] else other
    steps = source.steps if traits["complete"] else source.steps[:1]
    parts = [f"{place}. {step}" for place, step in enumerate(steps, 1)]
    if traits["safe"]:
        parts.append(f"And {ADVICE[KINDS[guide.material]]}.")
    if traits["polite"]:
        parts = ["Thank you for asking.", *parts, "Good luck with it!"]
    if traits["wordy"]:
        parts.insert(0, "There are of course many ways to look at this, and opinions differ, as they so often do.")
    return " ".join(parts)
