"""How well content is set up to be found: a rubric of small rules, each from 0 to 1, and their weighted mean.

- title_length, 30 to 60 characters, and seo_title_length, 50 to 60: search engines cut titles at about 600 pixels,
  which 50 to 60 characters fill (Moz, Title Tag); the post's own title may be shorter.
- seo_description_length, 120 to 155 characters: Google cuts snippets to fit the device (Search Central, Snippets);
  Yoast SEO's assessment asks for 120 to 156.
- alt_text_length, 20 to 125 characters: short and to the point (WebAIM, Alternative Text); some screen readers read
  longer ones in pieces.
- keywords_in_title, _seo_title, _seo_description, _alt_text, _introduction, all keywords: Yoast SEO's keyphrase
  assessments of the same places.
- unique_title, no pair of words shared with another title: no repeated or boilerplate titles (Search Central, Title
  links).

A length outside its range counts in proportion: 25 characters of 50 are half, and so are twice as many as allowed.
Keywords are what people search by, here item and material; rules about them do not count where none are known.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from heddle.content.content import Content
from heddle.content.html import blocks_of

PASSED = 0.5
"""A rule below it has failed."""
INTRODUCTION = 30
"""Words of the body that count as its first ones."""
_WORD = re.compile(r"\w+")

Pair = tuple[str, str]


class Titles:
    """The titles of other listings, by id; how much a title repeats one of them."""

    def __init__(self, titles: Mapping[str, str]) -> None:
        self._pairs = {id_: _pairs(title) for id_, title in titles.items()}
        self._holders: dict[Pair, set[str]] = defaultdict(set)
        for id_, pairs in self._pairs.items():
            for pair in pairs:
                self._holders[pair].add(id_)

    def similarity(self, title: str, own: str | None = None) -> float:
        """The most that the title shares with another one: pairs of neighbouring words in both of those in either.

        A title's begin and end count as words, so that single words compare as well.

        Args:
            title: that is judged.
            own: id of the listing that it belongs to, which is no other one.
        """
        pairs = _pairs(title)
        shared: dict[str, int] = defaultdict(int)
        for pair in pairs:
            for id_ in self._holders.get(pair, ()):
                shared[id_] += 1
        shared.pop(own or "", None)
        return max((count / len(pairs | self._pairs[id_]) for id_, count in shared.items()), default=0.0)


@dataclass(frozen=True)
class RuleInput:
    """What a rule looks at."""

    content: Content
    others: Titles
    keywords: Collection[str]
    own: str | None


@dataclass(frozen=True)
class Rule:
    """One line of the rubric."""

    name: str
    weight: float
    check: Callable[[RuleInput], float | None]
    """From 0 to 1; None where it does not apply."""
    remedy: str
    """What a person can do where it failed."""


@dataclass(frozen=True)
class Score:
    """What the rubric says."""

    value: float
    """The weighted mean of the rules that apply, in [0, 1]."""
    rules: Mapping[str, float]
    """By name, those that apply."""
    failed: tuple[Rule, ...]
    """Those below PASSED, the heaviest first."""


def seo_score(content: Content, others: Titles, keywords: Collection[str] = (), own: str | None = None) -> Score:
    """Judge content by :data:`RULES`.

    Args:
        content: that is judged.
        others: the titles that it competes with, such as the train split's.
        keywords: item and material as far as they are known.
        own: the content's own id, if it may be among the others.
    """
    case = RuleInput(content, others, keywords, own)
    marks = [(rule, mark) for rule in RULES if (mark := rule.check(case)) is not None]
    value = sum(rule.weight * mark for rule, mark in marks) / sum(rule.weight for rule, _ in marks)
    failed = sorted((rule for rule, mark in marks if mark < PASSED), key=lambda rule: (-rule.weight, rule.name))
    return Score(value, {rule.name: mark for rule, mark in marks}, tuple(failed))


def within(length: int, least: int, most: int) -> float:
    """1 for a length in the range; of a shorter one the share that is there, of a longer one the share allowed."""
    if length < least:
        return length / least
    return most / length if length > most else 1.0


def share_named(text: str, keywords: Collection[str]) -> float | None:
    """The share of keywords that the text names: their words in a row, the last one possibly longer ("chairs")."""
    if not keywords:
        return None
    words = _words(text)
    return sum(_names(words, _words(keyword)) for keyword in keywords) / len(keywords)


def _names(words: Sequence[str], keyword: Sequence[str]) -> bool:
    size = len(keyword)
    return any(
        words[first : first + size - 1] == keyword[:-1] and words[first + size - 1].startswith(keyword[-1])
        for first in range(len(words) - size + 1)
    )


def _title_length(case: RuleInput) -> float:
    return within(len(case.content.title), 30, 60)


def _seo_title_length(case: RuleInput) -> float:
    return within(len(case.content.seo_title), 50, 60)


def _seo_description_length(case: RuleInput) -> float:
    return within(len(case.content.seo_description), 120, 155)


def _alt_text_length(case: RuleInput) -> float:
    return within(len(case.content.alt_text), 20, 125)


def _unique_title(case: RuleInput) -> float:
    return 1 - case.others.similarity(case.content.title, case.own) if case.content.title else 0.0


def _keywords_in_title(case: RuleInput) -> float | None:
    return share_named(case.content.title, case.keywords)


def _keywords_in_seo_title(case: RuleInput) -> float | None:
    return share_named(case.content.seo_title, case.keywords)


def _keywords_in_seo_description(case: RuleInput) -> float | None:
    return share_named(case.content.seo_description, case.keywords)


def _keywords_in_alt_text(case: RuleInput) -> float | None:
    return share_named(case.content.alt_text, case.keywords)


def _keywords_in_introduction(case: RuleInput) -> float | None:
    words = " ".join(text for _, text in blocks_of(case.content.body)).split()
    return share_named(" ".join(words[:INTRODUCTION]), case.keywords)


RULES: tuple[Rule, ...] = (
    Rule("title_length", 1, _title_length, "write a title of 30 to 60 characters"),
    Rule("seo_title_length", 1, _seo_title_length, "write an SEO title of 50 to 60 characters"),
    Rule("seo_description_length", 1, _seo_description_length, "write an SEO description of 120 to 155 characters"),
    Rule("alt_text_length", 1, _alt_text_length, "say what the image shows in 20 to 125 characters"),
    Rule("unique_title", 2, _unique_title, "say in the title what other listings' titles do not say"),
    Rule("keywords_in_title", 1, _keywords_in_title, "name item and material in the title"),
    Rule("keywords_in_seo_title", 2, _keywords_in_seo_title, "name item and material in the SEO title"),
    Rule("keywords_in_seo_description", 1, _keywords_in_seo_description, "name both in the SEO description"),
    Rule("keywords_in_alt_text", 1, _keywords_in_alt_text, "name item and material in the alt text"),
    Rule("keywords_in_introduction", 1, _keywords_in_introduction, "name both in the body's first words"),
)


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _pairs(title: str) -> frozenset[Pair]:
    words = ["", *_words(title), ""]
    return frozenset(pairwise(words))
