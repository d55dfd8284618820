"""SEO score of content: the weighted mean of a rubric of rules, each scored from 0 to 1.

- title_length, 30 to 60 characters, and seo_title_length, 50 to 60: search engines cut titles at about 600 pixels,
  which is 50 to 60 characters (Moz, Title Tag); the post's own title may be shorter.
- seo_description_length, 120 to 155 characters: Google cuts snippets to fit the device (Search Central, Snippets);
  Yoast SEO's assessment asks for 120 to 156.
- alt_text_length, 20 to 125 characters: concise (WebAIM, Alternative Text); some screen readers split longer ones.
- keywords_in_title, _seo_title, _seo_description, _alt_text, _introduction, all keywords: Yoast SEO's keyphrase
  assessments of the same places.
- unique_title, no pair of words shared with another title: no repeated or boilerplate titles (Search Central, Title
  links).

A length outside its range counts in proportion: 25 characters of 50 count 0.5, as does twice the allowed length.
Keywords are search terms, here item and material. Rules about keywords are skipped where none are known.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from heddle.content.content import Content
from heddle.content.html import parse_blocks

PASSED = 0.5
"""A rule with a lower score has failed."""
INTRODUCTION = 30
"""Number of the body's first words that form its introduction."""
_WORD = re.compile(r"\w+")

Pair = tuple[str, str]


class Titles:
    """Titles of other listings by id, with which a title is compared for repetition."""

    def __init__(self, titles: Mapping[str, str]) -> None:
        self._pairs = {id_: _pairs(title) for id_, title in titles.items()}
        self._holders: dict[Pair, set[str]] = defaultdict(set)
        for id_, pairs in self._pairs.items():
            for pair in pairs:
                self._holders[pair].add(id_)

    def similarity(self, title: str, own: str | None = None) -> float:
        """The largest Jaccard similarity with another title, over pairs of adjacent words, in [0, 1].

        A title's start and end count as words, so titles of one word can be compared too.

        Args:
            title: the title.
            own: id of its own listing, which is excluded.
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
    """Input of a rule."""

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
    """Returns a score from 0 to 1; None where the rule does not apply."""
    remedy: str
    """What to do where the rule failed."""


@dataclass(frozen=True)
class Score:
    """Result of the rubric."""

    value: float
    """Weighted mean of the rules that apply, in [0, 1]."""
    rules: Mapping[str, float]
    """Name to score of the rules that apply."""
    failed: tuple[Rule, ...]
    """Rules below PASSED, those with the largest weight first."""


def seo_score(content: Content, others: Titles, keywords: Collection[str] = (), own: str | None = None) -> Score:
    """Score content by :data:`RULES`.

    Args:
        content: the content.
        others: titles of other listings, such as those of the train split.
        keywords: item and material, if known.
        own: id of the content's own listing, if it may be among the others.
    """
    rule_input = RuleInput(content, others, keywords, own)
    scores = [(rule, score) for rule in RULES if (score := rule.check(rule_input)) is not None]
    value = sum(rule.weight * score for rule, score in scores) / sum(rule.weight for rule, _ in scores)
    failed = sorted((rule for rule, score in scores if score < PASSED), key=lambda rule: (-rule.weight, rule.name))
    return Score(value, {rule.name: score for rule, score in scores}, tuple(failed))


def within(length: int, least: int, most: int) -> float:
    """Score of a length: 1 within the range, length / least below it, most / length above it."""
    if length < least:
        return length / least
    return most / length if length > most else 1.0


def share_named(text: str, keywords: Collection[str]) -> float | None:
    """Share of keywords in the text, as adjacent words of which the last may have an ending ("chairs")."""
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


def _title_length(given: RuleInput) -> float:
    return within(len(given.content.title), 30, 60)


def _seo_title_length(given: RuleInput) -> float:
    return within(len(given.content.seo_title), 50, 60)


def _seo_description_length(given: RuleInput) -> float:
    return within(len(given.content.seo_description), 120, 155)


def _alt_text_length(given: RuleInput) -> float:
    return within(len(given.content.alt_text), 20, 125)


def _unique_title(given: RuleInput) -> float:
    return 1 - given.others.similarity(given.content.title, given.own) if given.content.title else 0.0


def _keywords_in_title(given: RuleInput) -> float | None:
    return share_named(given.content.title, given.keywords)


def _keywords_in_seo_title(given: RuleInput) -> float | None:
    return share_named(given.content.seo_title, given.keywords)


def _keywords_in_seo_description(given: RuleInput) -> float | None:
    return share_named(given.content.seo_description, given.keywords)


def _keywords_in_alt_text(given: RuleInput) -> float | None:
    return share_named(given.content.alt_text, given.keywords)


def _keywords_in_introduction(given: RuleInput) -> float | None:
    words = " ".join(text for _, text in parse_blocks(given.content.body)).split()
    return share_named(" ".join(words[:INTRODUCTION]), given.keywords)


RULES: tuple[Rule, ...] = (
    Rule("title_length", 1, _title_length, "write a title of 30 to 60 characters"),
    Rule("seo_title_length", 1, _seo_title_length, "write an SEO title of 50 to 60 characters"),
    Rule("seo_description_length", 1, _seo_description_length, "write an SEO description of 120 to 155 characters"),
    Rule("alt_text_length", 1, _alt_text_length, "describe the image in 20 to 125 characters"),
    Rule("unique_title", 2, _unique_title, "write a title that differs from the titles of other listings"),
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
