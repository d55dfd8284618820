"""Read the facts in an alt text: item, material and colour of the main object, and its relations to other objects.

The phrases are induced from the train split's texts and labels, so the lexicon works in the catalogue's language: a
phrase means a value if nearly all texts with the phrase belong to listings with the value. Rare phrases are added only
where frequent ones leave texts without a value (a decision list, after Yarowsky 1995, with exact counts).
"""

import json
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from heddle.core.errors import naming

LEXICON_FILE = "lexicon.json"
PURITY = 0.95
"""Smallest share of the texts with a phrase whose listings have the phrase's value."""
MIN_TEXTS = 3
"""Fewest texts that need a phrase."""
MAX_WORDS = 3
"""Most words of a phrase."""

Kind = Literal["item", "material", "colour"]
KINDS: tuple[Kind, ...] = get_args(Kind)
_WORD = re.compile(r"[^\W_]+(?:[-'\u2019][^\W_]+)*|[^\w\s]")

Words = tuple[str, ...]
Phrases = Mapping[Words, str]
Match = tuple[int, int, str]
"""Index of the first word, index after the last word, value."""


@dataclass(frozen=True)
class ImageFacts:
    """Facts about a listing's image: those that a text claims, or those in the listing's labels."""

    item: str | None = None
    material: str | None = None
    colour: str | None = None
    relations: frozenset[tuple[str, str]] = frozenset()
    """Other objects and their relation to the item: (label, predicate)."""


def listing_facts(row: Mapping[str, Any]) -> ImageFacts:
    """The facts in a listing's labels: item, material, the first object's first attribute, and relations to it."""
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
    """Phrases and their values."""

    phrases: Mapping[Kind, Phrases]
    predicates: Phrases
    labels: Phrases
    """Names of objects, each as its words."""

    @classmethod
    def fit(cls, rows: Iterable[Mapping[str, Any]]) -> "Lexicon":
        """Induce the lexicon from listings of the train split; labels, objects and alt texts may be missing."""
        known = [(split_words(row["alt_text"]), listing_facts(row), row) for row in rows if row.get("alt_text")]
        names = {each["label"] for _, _, row in known for each in row.get("objects") or []}
        labels = {words: name for name in sorted(names) if (words := split_words(name))}
        items = _induce([(words, facts.item) for words, facts, _ in known if facts.item])
        items_only = cls({"item": items}, {}, labels)
        others: dict[Kind, Phrases] = {
            kind: _induce(
                [(items_only.about(words), value) for words, facts, _ in known if (value := getattr(facts, kind))]
            )
            for kind in KINDS[1:]
        }
        predicates = _induce(
            [pair for words, facts, _ in known for pair in _predicate_examples(items_only, words, facts)]
        )
        return cls({"item": items, **others}, predicates, labels)

    @classmethod
    def from_folder(cls, folder: Path) -> "Lexicon":
        """Read ``lexicon.json``."""
        file = folder / LEXICON_FILE
        with naming(file):
            read = json.loads(file.read_text())
        phrases: dict[Kind, Phrases] = {kind: _parse_phrases(read["phrases"][kind]) for kind in KINDS}
        return cls(phrases, _parse_phrases(read["predicates"]), _parse_phrases(read["labels"]))

    def write(self, folder: Path) -> None:
        """Write ``lexicon.json``: phrase to value for each kind, in alphabetical order."""
        content = {
            "phrases": {kind: _join_words(phrases) for kind, phrases in self.phrases.items()},
            "predicates": _join_words(self.predicates),
            "labels": _join_words(self.labels),
        }
        text = json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True)
        (folder / LEXICON_FILE).write_text(text + "\n")

    def read_facts(self, text: str) -> ImageFacts:
        """The facts that a text claims. Facts without a known phrase are None or missing."""
        words = split_words(text)
        about = self.about(words)
        relations = set()
        for label, following in self.others(words):
            if predicate := _first_value(following, self.predicates):
                relations.add((label, predicate))
        return ImageFacts(
            item=_first_value(words, self.phrases["item"]),
            material=_first_value(about, self.phrases["material"]),
            colour=_first_value(about, self.phrases["colour"]),
            relations=frozenset(relations),
        )

    def about(self, words: Words) -> Words:
        """The words about the item itself: those before another object, or before the clause that names it."""
        start = self._after_item(words)
        for first, _, _ in _matches(words, self.labels, start):
            breaks = [index for index in range(start, first) if _is_punctuation(words[index])]
            return words[: breaks[-1]] if breaks else words[:first]
        return words

    def others(self, words: Words) -> Iterator[tuple[str, Words]]:
        """Each other object in the words, and the words between it and the next object."""
        found = list(_matches(words, self.labels, self._after_item(words)))
        ends = [*(first for first, _, _ in found[1:]), len(words)]
        for (_, last, label), end in zip(found, ends, strict=False):
            yield label, words[last:end]

    def _after_item(self, words: Words) -> int:
        item = _first(words, self.phrases["item"])
        return item[1] if item else 0


def split_words(text: str) -> Words:
    """Split a text into lower-case words in form NFC and punctuation marks."""
    return tuple(_WORD.findall(unicodedata.normalize("NFC", text).lower()))


def _is_punctuation(word: str) -> bool:
    return not word[0].isalnum()


def _predicate_examples(lexicon: Lexicon, words: Words, facts: ImageFacts) -> Iterator[tuple[Words, str]]:
    """The words after each object that has exactly one relation to the item, and its predicate."""
    predicates: dict[str, set[str]] = defaultdict(set)
    for label, predicate in facts.relations:
        predicates[label].add(predicate)
    for label, following in lexicon.others(words):
        if len(predicates[label]) == 1:
            yield following, next(iter(predicates[label]))


def _matches(words: Words, phrases: Phrases, start: int = 0) -> Iterator[Match]:
    """The phrases in the words from ``start`` on, left to right, longest match first, without overlaps."""
    longest = max(map(len, phrases), default=0)
    index = start
    while index < len(words):
        for length in range(longest, 0, -1):
            if value := phrases.get(words[index : index + length]):
                yield index, index + length, value
                index += length - 1
                break
        index += 1


def _first(words: Words, phrases: Phrases) -> Match | None:
    """The first phrase; of adjacent phrases the last, which the others modify ("table lamp")."""
    found: Match | None = None
    for match in _matches(words, phrases):
        if found and match[0] > found[1]:
            break
        found = match
    return found


def _first_value(words: Words, phrases: Phrases) -> str | None:
    match = _first(words, phrases)
    return match[2] if match else None


def _induce(examples: Sequence[tuple[Words, str]]) -> dict[Words, str]:
    """Induce the phrases that mean a value from texts and their values.

    A value's own name comes first, then single words, repeatedly while there are new ones, since words after a known
    phrase do not describe the value; then longer phrases for texts that are still without a value or have a wrong one.
    At the end, phrases that later ones made unnecessary are removed.
    """
    chosen: dict[Words, str] = {}
    for length in range(1, MAX_WORDS + 1):
        while new := _find_needed(examples, chosen, length):
            chosen |= new
    for phrase in list(chosen):
        fewer = {each: value for each, value in chosen.items() if each != phrase}
        lost = [
            pair
            for pair in examples
            if _contains(pair[0], phrase) and _is_explained(pair, chosen) and not _is_explained(pair, fewer)
        ]
        chosen = fewer if len(lost) < MIN_TEXTS else chosen
    return chosen


def _find_needed(examples: Sequence[tuple[Words, str]], chosen: Phrases, length: int) -> dict[Words, str]:
    """Pure phrases, of at most ``length`` words or a value's own name, that at least MIN_TEXTS texts need.

    Greedy: the phrase that explains the most unexplained texts is taken first.
    """
    texts: dict[Words, set[int]] = defaultdict(set)
    values: dict[Words, Counter[str]] = defaultdict(Counter)
    names = {split_words(value) for _, value in examples}
    for index, (words, value) in enumerate(examples):
        for phrase in set(_candidates(words, chosen)):
            if phrase not in chosen and (len(phrase) <= length or phrase in names):
                texts[phrase].add(index)
                values[phrase][value] += 1
    best = {phrase: counts.most_common(1)[0] for phrase, counts in values.items()}
    pure = {
        phrase: value for phrase, (value, count) in best.items() if count >= max(MIN_TEXTS, PURITY * len(texts[phrase]))
    }
    unexplained = {index for index, pair in enumerate(examples) if not _is_explained(pair, chosen)}
    new: dict[Words, str] = {}
    while pure:
        needs = {
            each: {index for index in texts[each] & unexplained if examples[index][1] == value}
            for each, value in pure.items()
        }
        pure = {each: value for each, value in pure.items() if len(needs[each]) >= MIN_TEXTS}
        if pure:  # of phrases that equally many texts need, the one in the fewest other texts
            named = [phrase for phrase, value in pure.items() if phrase == split_words(value)]
            one = min(named or pure, key=lambda each: (-len(needs[each]), len(texts[each]), len(each), each))
            new[one] = pure.pop(one)
            unexplained -= needs[one]
    return new


def _is_explained(pair: tuple[Words, str], phrases: Phrases) -> bool:
    found = _first(pair[0], phrases)
    return bool(found) and found[2] == pair[1]  # type: ignore[index]


def _contains(words: Words, phrase: Words) -> bool:
    return any(words[first : first + len(phrase)] == phrase for first in range(len(words)))


def _candidates(words: Words, chosen: Phrases) -> Iterator[Words]:
    """The phrases before the first known phrase that do not touch it, and the longer phrases that contain it."""
    found = _first(words, chosen)
    start, end = found[:2] if found else (len(words), len(words))
    for first in range(start + 1):
        for last in range(first + 1, min(first + MAX_WORDS, len(words)) + 1):
            if _is_punctuation(words[last - 1]):
                break
            if last < start or not found or last >= end:
                yield words[first:last]


def _parse_phrases(texts: Mapping[str, str]) -> dict[Words, str]:
    return {tuple(text.split()): value for text, value in texts.items()}


def _join_words(phrases: Phrases) -> dict[str, str]:
    return {" ".join(words): value for words, value in phrases.items()}
