"""Content as one sequence of tokens: the tokenizer's vocabulary, and behind it tokens that give content its form."""

import codecs
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from tokenizers import Tokenizer, pre_tokenizers

from lightning_modules.tokenization.vocabulary import PAD, START
from lightning_modules.writer.content_fields import BLOCK_KINDS, FIELDS, Block, BlockKind, Field, Value, fitted

Fields = dict[str, Value]
"""Field -> what it holds; absent ones are left out."""


@dataclass
class EncodedContent:
    """Content as tokens."""

    tokens: list[int] = field(default_factory=list)
    judged: list[bool] = field(default_factory=list)
    """For each token whether it is to be learned: not the start and the fields' markers, which the grammar forces."""

    def add(self, *tokens: int, judged: bool = True) -> None:
        self.tokens += tokens
        self.judged += [judged] * len(tokens)


class ContentTokens:
    """Content to tokens and back.

    Behind the tokenizer's vocabulary stand a marker for each field, a marker for each kind of block, the separator of
    a list's items and the end of a field, in this order.

    Args:
        tokenizer: byte-level, case kept, with the project's special tokens.

    Raises:
        ValueError: the tokenizer lacks a byte or a special token; the message names it.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = Tokenizer.from_str(tokenizer.to_str())
        self.tokenizer.encode_special_tokens = True  # words that look like a special token are words
        self.tokenizer.no_padding()
        self.tokenizer.no_truncation()
        self.texts = self.tokenizer.get_vocab_size()
        """How many tokens the tokenizer has; those behind give the form."""
        self.bytes = _bytes_of_tokens(self.tokenizer)
        """For each of the tokenizer's tokens its bytes; empty for those that stand for no text, (texts,)."""
        self.pad, self.start = (_special(self.tokenizer, token) for token in (PAD, START))
        self.field = {each.name: self.texts + place for place, each in enumerate(FIELDS)}
        self.block: dict[BlockKind, int] = {
            kind: self.texts + len(FIELDS) + place for place, kind in enumerate(BLOCK_KINDS)
        }
        self.separator = self.texts + len(FIELDS) + len(BLOCK_KINDS)
        self.end = self.separator + 1
        self.size = self.end + 1

    def encode(self, fields: Mapping[str, str | Sequence[str] | Sequence[Block]]) -> EncodedContent:
        """Start, then for each field that holds something its marker, its tokens and the end.

        Args:
            fields: field -> line, items or blocks; tidied and cut at a word as :func:`fitted` does.
        """
        lesson = EncodedContent()
        lesson.add(self.start, judged=False)
        for each in FIELDS:
            if value := fitted(each, fields.get(each.name) or ()) if fields.get(each.name) else None:
                lesson.add(self.field[each.name], judged=False)
                self._add(lesson, each, value)
                lesson.add(self.end)
        return lesson

    def decode(self, tokens: Sequence[int]) -> Fields:
        """The fields that the tokens hold; the inverse of :meth:`encode`, and for whatever the grammar allowed.

        A field that outgrew its limit loses its last, broken word; of one without its end stands what is there.

        Raises:
            ValueError: a token stands where none of its kind may; UnicodeDecodeError among them.
        """
        names = {token: each for each, token in zip(FIELDS, self.field.values(), strict=True)}
        fields: Fields = {}
        current: Field | None = None
        parts: list[tuple[int | None, bytes]] = []
        for place, token in enumerate([*tokens, self.end]):
            if current is None:
                if token in names:
                    current, parts = names[token], []
                elif token not in (self.pad, self.start, self.end):
                    raise ValueError(f"token {place} is {token}: a field's marker belongs there")
            elif token == self.end:
                if value := fitted(current, self._value(current, parts)):
                    fields[current.name] = value
                current = None
            elif token < self.texts and self.bytes[token] and (parts or current.kind != "blocks"):
                kind, written = parts.pop() if parts else (None, b"")
                parts.append((kind, written + self.bytes[token]))
            elif (current.kind, token) == ("list", self.separator) or (
                current.kind == "blocks" and token in self.block.values()
            ):
                parts += [] if parts or current.kind == "blocks" else [(None, b"")]
                parts.append((token, b""))
            else:
                raise ValueError(f"token {place} is {token}: none that may stand in {current.name}")
        return fields

    def _add(self, lesson: EncodedContent, each: Field, value: Value) -> None:
        if each.kind == "line":
            lesson.add(*self._ids(cast(str, value)))
        elif each.kind == "list":
            for place, item in enumerate(cast(list[str], value)):
                lesson.add(*([self.separator] if place else []), *self._ids(item))
        else:
            for kind, text in cast(list[Block], value):
                lesson.add(self.block[kind], *self._ids(text))

    def _ids(self, text: str) -> list[int]:
        return self.tokenizer.encode(text, add_special_tokens=False).ids

    def _value(self, each: Field, parts: list[tuple[int | None, bytes]]) -> Value:
        texts = [codecs.getincrementaldecoder("utf-8")().decode(written) for _, written in parts]
        if each.kind == "line":
            return "".join(texts)
        if each.kind == "list":
            return texts
        kinds = {token: kind for kind, token in self.block.items()}
        return [(kinds[cast(int, token)], text) for (token, _), text in zip(parts, texts, strict=True)]


def _special(tokenizer: Tokenizer, token: str) -> int:
    if (found := tokenizer.token_to_id(token)) is None:
        raise ValueError(f"the tokenizer lacks {token}; learn it with the stage tokenizer")
    return found


def _bytes_of_tokens(tokenizer: Tokenizer) -> list[bytes]:
    """The bytes of each token, by the alphabet that GPT-2's byte-level BPE writes bytes in."""
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(0x100) if byte not in plain]
    alphabet = {chr(byte): byte for byte in plain} | {chr(0x100 + place): byte for place, byte in enumerate(others)}
    if missing := [letter for letter in pre_tokenizers.ByteLevel.alphabet() if tokenizer.token_to_id(letter) is None]:
        raise ValueError(f"the tokenizer has no token for the byte {alphabet[min(missing)]:#04x}; it is not byte-level")
    special = tokenizer.get_added_tokens_decoder()
    return [
        b"" if token in special else bytes(alphabet[letter] for letter in cast(str, tokenizer.id_to_token(token)))
        for token in range(tokenizer.get_vocab_size())
    ]
