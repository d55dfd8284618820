"""How easily a text is read: Flesch's reading ease, as textstat computes it, from 0 to 1.

textstat takes the syllables of English words from a dictionary that it would have to download (nltk's cmudict), and
those of every other word from the hyphenation patterns that come with pyphen. Here all words take the second way, so
that nothing is downloaded; the formula and each language's coefficients are textstat's.
"""

from functools import cache

from pyphen import Pyphen, language_fallback
from textstat.backend.metrics import words_per_sentence
from textstat.backend.selections import list_words
from textstat.backend.utils import get_lang_cfg

EASY = 100.0
"""Flesch's reading ease of "very easy"; at 0 a text is "very difficult" (Flesch 1948, A New Readability Yardstick)."""
OTHERWISE = "en_US"
"""The patterns for languages that pyphen does not know."""


def readability(text: str, locale: str | None = None) -> float:
    """Flesch's reading ease of a plain text as a share of "very easy", cut to [0, 1]; 0 for a text without words.

    Args:
        text: plain text, such as :meth:`heddle.content.content.Content.prose`.
        locale: BCP 47, "en-GB"; English where it is not known.
    """
    return min(max(reading_ease(text, locale) / EASY, 0.0), 1.0)


def reading_ease(text: str, locale: str | None = None) -> float:
    """Flesch's reading ease, with the coefficients of the locale's language, unbounded; 0 for a text without words."""
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
    return language_fallback(locale or OTHERWISE) or OTHERWISE


@cache
def _hyphens(language: str) -> Pyphen:
    return Pyphen(lang=language)
