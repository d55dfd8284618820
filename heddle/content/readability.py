"""Readability: Flesch's reading ease as textstat computes it, scaled to [0, 1].

textstat counts the syllables of English words with a dictionary that it downloads (nltk's cmudict), and those of other
words with pyphen's hyphenation patterns. Here all words use the patterns, so nothing is downloaded. The formula and
the coefficients of each language are textstat's.
"""

from functools import cache

from pyphen import Pyphen, language_fallback
from textstat.backend.metrics import words_per_sentence
from textstat.backend.selections import list_words
from textstat.backend.utils import get_lang_cfg

EASY = 100.0
"""Flesch's reading ease of "very easy"; at 0 a text is "very difficult" (Flesch 1948, A New Readability Yardstick)."""
DEFAULT_LANGUAGE = "en_US"
"""Patterns for languages without patterns in pyphen."""


def readability(text: str, locale: str | None = None) -> float:
    """Flesch's reading ease of a plain text, scaled so that "very easy" is 1, clipped to [0, 1]; 0 without words.

    Args:
        text: plain text, such as :meth:`heddle.content.content.Content.prose`.
        locale: BCP 47, "en-GB"; None or an unknown locale means English.
    """
    return min(max(reading_ease(text, locale) / EASY, 0.0), 1.0)


def reading_ease(text: str, locale: str | None = None) -> float:
    """Flesch's reading ease with the coefficients of the locale's language, unbounded; 0 without words."""
    words = list_words(text, lowercase=True)
    if not words:
        return 0.0
    language = _language(locale)
    syllables = sum(len(_hyphens(language).positions(word)) + 1 for word in words) / len(words)
    root = language.split("_")[0]
    base, long_sentences, long_words = (
        get_lang_cfg(root, key) for key in ("fre_base", "fre_sentence_length", "fre_syll_per_word")
    )
    return float(base - long_sentences * words_per_sentence(text) - long_words * syllables)


def _language(locale: str | None) -> str:
    return language_fallback(locale or DEFAULT_LANGUAGE) or DEFAULT_LANGUAGE


@cache
def _hyphens(language: str) -> Pyphen:
    return Pyphen(lang=language)
