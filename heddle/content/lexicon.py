"""What an alt text states of its image: item, material and colour of what it is about, and what else lies where.

Learned from the train split's own words and labels, so that it knows every catalogue's language: a phrase stands for a
value if nearly all texts that hold it are of listings that bear the value. Rare phrases are learned only where
commoner ones leave texts without a statement (a decision list, after Yarowsky 1995, with exact counts).
"""

import json
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

LEXICON_FILE = "lexicon.json"
PURITY = 0.95
"""Share of the texts with a phrase whose listings must bear the value that it stands for."""
LEAST = 3
"""Texts that a phrase must be needed for."""
LONGEST = 3
"""Words of a phrase."""

Kind = Literal["item", "material", "colour"]
KINDS: tuple[Kind, ...] = get_args(Kind)
_WORD = re.compile(r"[^\W_]+(?:[-'\u2019][^\W_]+)*|[^\w\s]")

Words = tuple[str, ...]
Phrases = Mapping[Words, str]
Match = tuple[int, int, str]
"""First word, word behind the last, value."""


@dataclass(frozen=True)
class ImageFacts:
    """What is said of a listing's image, or what holds of it."""

    item: str | None = None
    material: str | None = None
    colour: str | None = None
    relations: frozenset[tuple[str, str]] = frozenset()
    """What else is there and how it lies to the item: (label, predicate)."""


def listing_facts(row: Mapping[str, Any]) -> ImageFacts:
    """What holds of a listing: its labels, its first object's first attribute (no label), relations to that object."""
    objects = row.get("objects") or []
    attributes = (objects[0]["attributes"] or []) if objects else []
    colour = attributes[0] if attributes and attributes[0] not in (row.get("item"), row.get("material")) else None
    relations = (each for each in row.get("relations") or [] if each["object"] == 0 != each["subject"])
    return ImageFacts(
        item=row.get("item") or None,
        material=row.get("material") or None,
        colour=colour,
        relations=frozenset((objects[each["subject"]]["label"], each["predicate"]) for each in relations),
    )


@dataclass(frozen=True)
class Lexicon:
    """Phrases and what they stand for."""

    phrases: Mapping[Kind, Phrases]
    predicates: Phrases
    labels: Phrases
    """The names of objects, each as its words."""

    @classmethod
    def learn(cls, rows: Iterable[Mapping[str, Any]]) -> "Lexicon":
        """The lexicon of listings (of the train split), with or without labels, objects and alt texts."""
        told = [(split_words(row["alt_text"]), listing_facts(row), row) for row in rows if row.get("alt_text")]
        names = {each["label"] for _, _, row in told for each in row.get("objects") or []}
        labels = {words: name for name in sorted(names) if (words := split_words(name))}
        items = _learned([(words, truth.item) for words, truth, _ in told if truth.item])
        bare = cls({"item": items}, {}, labels)
        others: dict[Kind, Phrases] = {
            kind: _learned([(bare.about(words), value) for words, truth, _ in told if (value := getattr(truth, kind))])
            for kind in KINDS[1:]
        }
        predicates = _learned([pair for words, truth, _ in told for pair in _told_predicates(bare, words, truth)])
        return cls({"item": items, **others}, predicates, labels)

    @classmethod
    def from_folder(cls, folder: Path) -> "Lexicon":
        """The lexicon that :meth:`write` wrote."""
        read = json.loads((folder / LEXICON_FILE).read_text())
        phrases: dict[Kind, Phrases] = {kind: _phrases(read["phrases"][kind]) for kind in KINDS}
        return cls(phrases, _phrases(read["predicates"]), _phrases(read["labels"]))

    def write(self, folder: Path) -> None:
        """Write ``lexicon.json``: phrase -> value for each kind, in the order of the alphabet."""
        made = {
            "phrases": {kind: _texts(phrases) for kind, phrases in self.phrases.items()},
            "predicates": _texts(self.predicates),
            "labels": _texts(self.labels),
        }
        text = json.dumps(made, ensure_ascii=False, indent=1, sort_keys=True)
        (folder / LEXICON_FILE).write_text(text + "\n")

    def read_facts(self, text: str) -> ImageFacts:
        """What the text says; None or nothing where it is silent or speaks in unknown words."""
        words = split_words(text)
        about = self.about(words)
        material, colour = (
            stated[2] if (stated := _first(about, self.phrases[kind])) else None for kind in ("material", "colour")
        )
        item = _first(words, self.phrases["item"])
        relations = (
            (label, found[2])
            for label, following in self.others(words)
            if (found := _first(following, self.predicates))
        )
        return ImageFacts(item[2] if item else None, material, colour, frozenset(relations))

    def about(self, words: Words) -> Words:
        """The words that speak of the item itself: those before another object, or before the clause that names it."""
        start = self._after_item(words)
        for first, _, _ in _matches(words, self.labels, start):
            breaks = [place for place in range(start, first) if _breaks(words[place])]
            return words[: breaks[-1]] if breaks else words[:first]
        return words

    def others(self, words: Words) -> Iterator[tuple[str, Words]]:
        """Each other object that the words name, and the words that follow it up to the next one."""
        found = list(_matches(words, self.labels, self._after_item(words)))
        for place, (_, last, label) in enumerate(found, start=1):
            yield label, words[last : found[place][0] if place < len(found) else len(words)]

    def _after_item(self, words: Words) -> int:
        item = _first(words, self.phrases["item"])
        return item[1] if item else 0


def split_words(text: str) -> Words:
    """The words in lower case, in form NFC, and each mark of punctuation between them."""
    return tuple(_WORD.findall(unicodedata.normalize("NFC", text).lower()))


def _breaks(word: str) -> bool:
    return not word[0].isalnum()


def _told_predicates(lexicon: Lexicon, words: Words, truth: ImageFacts) -> Iterator[tuple[Words, str]]:
    """The words behind each object that lies in one known way to the item, and that way."""
    ways: dict[str, set[str]] = defaultdict(set)
    for label, predicate in truth.relations:
        ways[label].add(predicate)
    for label, following in lexicon.others(words):
        if len(ways[label]) == 1:
            yield following, next(iter(ways[label]))


def _matches(words: Words, phrases: Phrases, start: int = 0) -> Iterator[Match]:
    """The phrases that the words hold from ``start`` on, from left to right, the longest first, none within another."""
    longest = max(map(len, phrases), default=0)
    place = start
    while place < len(words):
        for length in range(longest, 0, -1):
            if value := phrases.get(words[place : place + length]):
                yield place, place + length, value
                place += length - 1
                break
        place += 1


def _first(words: Words, phrases: Phrases) -> Match | None:
    """The first phrase; of several without a word between them the last, which the others describe ("table lamp")."""
    found: Match | None = None
    for match in _matches(words, phrases):
        if found and match[0] > found[1]:
            break
        found = match
    return found


def _learned(told: Sequence[tuple[Words, str]]) -> dict[Words, str]:
    """The phrases that stand for a value, given texts and their values.

    A value's own name first, then single words, again and again while there are new ones, since what stands behind a
    known phrase says nothing more of the value; then longer phrases for texts that are still silent or wrong. What
    later phrases made needless goes.
    """
    chosen: dict[Words, str] = {}
    for length in range(1, LONGEST + 1):
        while new := _needed(told, chosen, length):
            chosen |= new
    for phrase in list(chosen):
        fewer = {each: value for each, value in chosen.items() if each != phrase}
        lost = [pair for pair in told if _holds(pair[0], phrase) and _says(pair, chosen) and not _says(pair, fewer)]
        chosen = fewer if len(lost) < LEAST else chosen
    return chosen


def _needed(told: Sequence[tuple[Words, str]], chosen: Phrases, length: int) -> dict[Words, str]:
    """Pure phrases, of at most ``length`` words or a value's own name, that at least LEAST texts need."""
    texts: dict[Words, set[int]] = defaultdict(set)
    values: dict[Words, Counter[str]] = defaultdict(Counter)
    names = {split_words(value) for _, value in told}
    for place, (words, value) in enumerate(told):
        for phrase in set(_free(words, chosen)):
            if phrase not in chosen and (len(phrase) <= length or phrase in names):
                texts[phrase].add(place)
                values[phrase][value] += 1
    best = {phrase: counts.most_common(1)[0] for phrase, counts in values.items()}
    pure = {
        phrase: value for phrase, (value, count) in best.items() if count >= max(LEAST, PURITY * len(texts[phrase]))
    }
    silent = {place for place, pair in enumerate(told) if not _says(pair, chosen)}
    new: dict[Words, str] = {}
    while pure:
        needs = {each: {at for at in texts[each] & silent if told[at][1] == value} for each, value in pure.items()}
        pure = {each: value for each, value in pure.items() if len(needs[each]) >= LEAST}
        if pure:  # of phrases that as many texts need, the one that stands in the fewest others
            named = [phrase for phrase, value in pure.items() if phrase == split_words(value)]
            one = min(named or pure, key=lambda each: (-len(needs[each]), len(texts[each]), len(each), each))
            new[one] = pure.pop(one)
            silent -= needs[one]
    return new


def _says(pair: tuple[Words, str], phrases: Phrases) -> bool:
    found = _first(pair[0], phrases)
    return bool(found) and found[2] == pair[1]  # type: ignore[index]


def _holds(words: Words, phrase: Words) -> bool:
    return any(words[first : first + len(phrase)] == phrase for first in range(len(words)))


def _free(words: Words, chosen: Phrases) -> Iterator[Words]:
    """The phrases before the one that says something, not right before it, and those that it is a part of."""
    found = _first(words, chosen)
    start, end = found[:2] if found else (len(words), len(words))
    for first in range(start + 1):
        for last in range(first + 1, min(first + LONGEST, len(words)) + 1):
            if _breaks(words[last - 1]):
                break
            if last < start or not found or last >= end:
                yield words[first:last]


def _phrases(texts: Mapping[str, str]) -> dict[Words, str]:
    return {tuple(text.split()): value for text, value in texts.items()}


def _texts(phrases: Phrases) -> dict[str, str]:
    return {" ".join(words): value for words, value in phrases.items()}
