"""Upper bounds of the metrics, summed from the generator's probabilities.

A Bayes-optimal model predicts the most probable label given its input. "Image" means item, material, colour and
pattern are seen without error; "words" means title and description, before misspellings; "both" means both.
"""

from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from itertools import combinations

from demo_shop import vocabulary as v
from demo_shop.words import PURPOSE_STATED, STATED

World = tuple[float, str, str, str, str]
"""Probability, item, material, colour, pattern."""


def _worlds() -> Iterator[World]:
    for item, materials in v.MATERIALS_OF.items():
        for material in materials:
            for colour in v.COLOURS_OF[material]:
                share = 1 / len(v.ITEMS) / len(materials) / len(v.COLOURS_OF[material])
                if material not in v.PATTERNED:
                    yield share, item, material, colour, "plain"
                    continue
                yield share * v.PLAIN_SHARE, item, material, colour, "plain"
                for pattern in v.PATTERNS[1:]:
                    yield share * (1 - v.PLAIN_SHARE) / (len(v.PATTERNS) - 1), item, material, colour, pattern


@cache
def upper_bounds() -> dict[str, float]:
    """Best possible accuracies; keys are ``<label>_accuracy_from_<input>``."""
    words = _class_from_words()
    return {
        "item_accuracy_from_image": 1.0,
        "item_accuracy_from_words": _item_from_words(),
        "bin_accuracy_from_image": 1.0,
        "bin_accuracy_from_item_and_material": _bin_without_colour(),
        "bin_accuracy_from_material": _bin_from_material(),
        "product_class_accuracy_from_image": _class_from_image(),
        "product_class_accuracy_from_words": words,
        "product_class_accuracy_from_both": PURPOSE_STATED + (1 - PURPOSE_STATED) * _class_from_image(),
    }


def _class_from_image() -> float:
    """The image shows the group; the best prediction is the most probable purpose of the group."""
    return sum(len(items) / len(v.ITEMS) * max(v.PURPOSE_ODDS[group]) for group, items in v.GROUPS.items())


def _stated_sets() -> Iterator[tuple[float, tuple[str, ...]]]:
    """Each subset of item, material and colour, with P(title or description state exactly this subset)."""
    either = {name: _either(name) for name in ("item", "material", "colour")}
    for count in range(len(either) + 1):
        for stated in combinations(either, count):
            probability = 1.0
            for name, share in either.items():
                probability *= share if name in stated else 1 - share
            yield probability, stated


def _either(name: str) -> float:
    """P(the title, the description or both state the fact)."""
    return 1 - (1 - STATED[name]) ** 2


def _from_words(labels_of: dict[str, dict[str, float]]) -> float:
    """Accuracy of the most probable label given the stated facts; ``labels_of``: item -> label -> probability."""
    total = 0.0
    for probability, stated in _stated_sets():
        mass: dict[tuple[str, ...], dict[str, float]] = defaultdict(lambda: defaultdict(float))
        for share, item, material, colour, pattern in _worlds():
            facts = {"item": item, "material": material, "colour": colour}
            said = tuple(facts[name] for name in stated)
            # Texts never state a plain pattern, so a text without a pattern may describe a plain or a patterned item.
            told = 0.0 if pattern == "plain" else _either("pattern")
            for label, odds in labels_of[item].items():
                mass[*said, pattern][label] += share * odds * told
                mass[*said, ""][label] += share * odds * (1 - told)
        total += probability * sum(max(labels.values()) for labels in mass.values())
    return total


def _item_from_words() -> float:
    return _from_words({item: {item: 1.0} for item in v.ITEMS})


def _class_from_words() -> float:
    """If the purpose is stated, only the group is predicted; otherwise both are."""
    groups: dict[str, dict[str, float]] = {}
    classes: dict[str, dict[str, float]] = {}
    for item, group in v.GROUP_OF.items():
        groups[item] = {group: 1.0}
        classes[item] = {
            v.product_class_of(item, purpose): odds
            for purpose, odds in zip(v.PURPOSES, v.PURPOSE_ODDS[group], strict=True)
        }
    stated = sum(_from_words_given_purpose(position) for position in range(len(v.PURPOSES)))
    return PURPOSE_STATED * stated + (1 - PURPOSE_STATED) * _from_words(classes)


def _from_words_given_purpose(position: int) -> float:
    """Joint probability of this purpose and a correct prediction of the group."""
    return _from_words({item: {group: v.PURPOSE_ODDS[group][position]} for item, group in v.GROUP_OF.items()})


def _bin_without_colour() -> float:
    return _bin_from(lambda item, material: (item, material))


def _bin_from_material() -> float:
    return _bin_from(lambda item, material: (material,))


def _bin_from(key) -> float:  # type: ignore[no-untyped-def]
    mass: dict[tuple[str, ...], dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for share, item, material, colour, _ in _worlds():
        mass[key(item, material)][v.bin_of(item, material, colour)] += share
    return sum(max(labels.values()) for labels in mass.values())
