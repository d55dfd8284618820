"""Keep only what the inputs support: written fields without facts that neither the image nor the user gives.

The alt text describes the image, is written first and its certainty is calibrated, so it decides: the other fields must
agree with its item, material, colour and objects. A sentence that states nothing of them (a price, a condition, where
the object came from) is removed, since no input contains it. Words for price, size and condition, and numbers, are
removed with their sentence even beside a supported fact, unless the user gave them. A required field that loses
everything becomes the beginning of the alt text.

Facts are read with the writer's lexicon, which works in the catalogue's language. The words for price, size and
condition are English, German, French and Spanish; in other languages only whole sentences without a supported fact and
numbers are removed. If the lexicon reads no fact in the alt text, the content stays as written.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from heddle.content.lexicon import KINDS, ImageFacts, Lexicon, Words, split_words
from lightning_modules.writer.content_fields import FIELDS, Block, Field, Value, fit_field
from lightning_modules.writer.content_tokens import Fields

UNSEEN: Mapping[str, str] = {
    "price": r"""cheap\w* bargain\w* expensive costs? priced? free günstig\w* billig\w* teuer\w* gratis bon\smarché
        gratuit\w* chère? barat[oa]s? car[oa]s? precio\w*""",
    "size": r"""small medium large tiny little big huge compact oversized? spacious klein\w* mittel\w* groß\w* winzig\w*
        riesig\w* petite?s? grande?s? moyenne?s? minuscule pequeñ[oa]s? median[oa]s?""",
    "condition": r"""broken damaged faulty defective cracked worn mint new used second-hand working works repair\w*
        mend\w* fix\w* upcycl\w* craft ready\sto\suse kaputt\w* defekt\w* beschädigt\w* gebraucht\w* neu neue[nrs]?
        reparatur\w* cassée?s? abîmée?s? neu[fv]e?s? réparer occasion rot[oa]s? dañad[oa]s? nuev[oa]s? usad[oa]s?
        reparar""",
}
"""Facts that an image does not show -> the words that state them: regular expressions, without regard to case."""

_UNSEEN = re.compile(rf"\b(?:{'|'.join(cue for cues in UNSEEN.values() for cue in cues.split())})\b", re.IGNORECASE)
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_SENTENCES = re.compile(r"(?<=[.!?…])\s+")
_SEGMENTS = re.compile(r"((?<=[.!?…])\s+|\s*[|;:,]\s+|\s+[\u2013\u2014|-]\s+)")
_LEAD = re.compile(r"[,;:.!?]\s|[.!?]?$")
SENTENCE_FIELDS = ("description", "seo_description")


def ground(fields: Fields, columns: Mapping[str, Any], lexicon: Lexicon) -> Fields:
    """The fields without unsupported facts; the alt text is unchanged.

    Args:
        fields: as :meth:`ContentTokens.decode` returns them.
        columns: columns `context`, `objects` and `relations` of a listing: what the user gave.
        lexicon: reads facts in texts.
    """
    alt_text = str(fields.get("alt_text", ""))
    support = Support(alt_text, columns, lexicon)
    if not support.is_readable:
        return fields
    lead = alt_text[: cast(re.Match[str], _LEAD.search(alt_text)).start()]
    grounded: Fields = {}
    for field in FIELDS:
        value = fields.get(field.name)
        if value and field.name != "alt_text":
            value = fit_field(field, _ground_field(field, value, support))
        if not value and field.required:
            body: list[Block] = [("p", alt_text)]
            value = fit_field(field, body if field.kind == "blocks" else lead)
        if value:
            grounded[field.name] = value
    return grounded


class Support:
    """What the alt text and the user's inputs support.

    Args:
        alt_text: of the image.
        columns: columns `context` and `objects` of a listing.
        lexicon: reads facts in texts.
    """

    def __init__(self, alt_text: str, columns: Mapping[str, Any], lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self.facts: ImageFacts = lexicon.read_facts(alt_text)
        objects, context = columns.get("objects") or [], columns.get("context") or {}
        values = [each["label"] for each in objects]
        values += [attribute for each in objects for attribute in each["attributes"] or ()]
        self._values = {split_words(value) for value in values}
        wishes = [*(context.get("preferences") or ()), context.get("site") or ""]
        self._told = " ".join([*values, *wishes]).casefold()
        self._labels = self._objects(split_words(alt_text)) | set(values)

    @property
    def is_readable(self) -> bool:
        """Whether the alt text states an item, a material or a colour."""
        return any(getattr(self.facts, kind) for kind in KINDS)

    def covers(self, text: str) -> bool:
        """Whether a text states at least one supported fact and no other fact."""
        return self.agrees(text) and self._is_about(text)

    def agrees(self, text: str) -> bool:
        """Whether every fact in a text is supported."""
        cues = [*_UNSEEN.findall(text), *_NUMBER.findall(text)]
        told = all(re.search(rf"(?<!\w){re.escape(cue.casefold())}(?!\w)", self._told) for cue in cues)
        return told and not self.conflicts(text) and self._objects(split_words(text)) <= self._labels

    def conflicts(self, text: str) -> list[str]:
        """Kinds of the facts in a text that differ from those of the alt text and the user's objects."""
        claimed = self._lexicon.read_facts(text)
        found = [(kind, getattr(claimed, kind), getattr(self.facts, kind)) for kind in KINDS]
        return [
            kind
            for kind, value, known in found
            if value not in (None, known) and split_words(value) not in self._values
        ]

    def _is_about(self, text: str) -> bool:
        words, claimed = split_words(text), self._lexicon.read_facts(text)
        if any(getattr(claimed, kind) for kind in KINDS) or self._objects(words):
            return True
        return any(_contains(words, value) for value in self._values) or bool(_NUMBER.search(text))

    def _objects(self, words: Words) -> set[str]:
        return {name for phrase, name in self._lexicon.labels.items() if _contains(words, phrase)} | {
            name for phrase, name in self._lexicon.phrases["item"].items() if _contains(words, phrase)
        }


def _ground_field(field: Field, value: Value, support: Support) -> Value:
    if field.kind == "blocks":
        return _ground_blocks(cast(list[Block], value), support)
    if field.name == "tags":
        return [_ground_tag(str(tag), support) for tag in value]
    if field.kind == "list":
        return [str(item) for item in value if support.covers(str(item))]
    text = str(value)
    return _keep_sentences(text, support) if field.name in SENTENCE_FIELDS else _keep_segments(text, support)


def _ground_tag(tag: str, support: Support) -> str:
    """The tag; the alt text's value instead of another one of this kind; else nothing."""
    for kind in support.conflicts(tag):
        return getattr(support.facts, kind) or ""
    return tag if support.covers(tag) else ""


def _ground_blocks(blocks: Sequence[Block], support: Support) -> list[Block]:
    """The supported sentences of each block, and the headings above one."""
    kept: list[Block] = []
    for kind, text in blocks:
        if kind == "h2":
            if kept and kept[-1][0] == "h2":
                kept.pop()
            if support.agrees(text):
                kept.append((kind, text))
        elif line := _keep_sentences(text, support):
            kept.append((kind, line))
    if kept and kept[-1][0] == "h2":
        kept.pop()
    return kept


def _keep_sentences(text: str, support: Support) -> str:
    return " ".join(sentence for sentence in _SENTENCES.split(text) if support.covers(sentence))


def _keep_segments(text: str, support: Support) -> str:
    """The supported parts of a line between sentence ends, commas, colons, dashes and bars."""
    pieces = ["", *_SEGMENTS.split(text)]
    kept = [pair for pair in zip(pieces[::2], pieces[1::2], strict=True) if support.covers(pair[1])]
    line = "".join(separator * bool(index) + segment for index, (separator, segment) in enumerate(kept))
    if not line or line == text:
        return line
    end = text[-1] if text[-1] in ".!?" and line[-1].isalnum() else ""
    return line[0].upper() + line[1:] + end


def _contains(words: Words, phrase: Words) -> bool:
    return any(words[index : index + len(phrase)] == phrase for index in range(len(words) - len(phrase) + 1))
