"""Content as one sequence of tokens: the tokenizer's vocabulary, followed by control tokens for the structure."""

import codecs
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from tokenizers import Tokenizer, pre_tokenizers

from lightning_modules.tokenization.vocabulary import PAD, START
from lightning_modules.writer.content_fields import BLOCK_KINDS, FIELDS, Block, BlockKind, Field, Value, fit_field

Fields = dict[str, Value]
"""Field to its value; empty fields are missing."""


@dataclass
class EncodedContent:
    """Content as tokens."""

    tokens: list[int] = field(default_factory=list)
    is_target: list[bool] = field(default_factory=list)
    """For each token whether it has a loss. The start and the fields' markers have none: the grammar forces them."""

    def add(self, *tokens: int, is_target: bool = True) -> None:
        """Append tokens."""
        self.tokens += tokens
        self.is_target += [is_target] * len(tokens)


class ContentTokens:
    """Encodes content as tokens and decodes it.

    The control tokens follow the tokenizer's vocabulary: a marker for each field, a marker for each kind of block, the
    separator of a list's items and the end of a field, in this order.

    Args:
        tokenizer: a byte-level, case-sensitive tokenizer with the project's special tokens.

    Raises:
        ValueError: the tokenizer lacks a byte or a special token.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = Tokenizer.from_str(tokenizer.to_str())
        self.tokenizer.encode_special_tokens = True  # encode words that look like a special token as words
        self.tokenizer.no_padding()
        self.tokenizer.no_truncation()
        self.texts = self.tokenizer.get_vocab_size()
        """Number of the tokenizer's tokens; the control tokens follow."""
        self.bytes = _bytes_of_tokens(self.tokenizer)
        """Bytes of each of the tokenizer's tokens, (texts,); empty for special tokens."""
        self.pad, self.start = (_special(self.tokenizer, token) for token in (PAD, START))
        self.field = {each.name: self.texts + index for index, each in enumerate(FIELDS)}
        self.block: dict[BlockKind, int] = {
            kind: self.texts + len(FIELDS) + index for index, kind in enumerate(BLOCK_KINDS)
        }
        self.separator = self.texts + len(FIELDS) + len(BLOCK_KINDS)
        self.end = self.separator + 1
        self.size = self.end + 1

    def encode(self, fields: Mapping[str, str | Sequence[str] | Sequence[Block]]) -> EncodedContent:
        """The start, then for each field that is not empty its marker, its tokens and the end.

        Args:
            fields: field to its line, items or blocks. :func:`fit_field` normalises them and cuts them to the limits.
        """
        encoded = EncodedContent()
        encoded.add(self.start, is_target=False)
        for each in FIELDS:
            if not fields.get(each.name):
                continue
            if value := fit_field(each, fields[each.name]):
                encoded.add(self.field[each.name], is_target=False)
                self._add(encoded, each, value)
                encoded.add(self.end)
        return encoded

    def decode(self, tokens: Sequence[int]) -> Fields:
        """The fields in a sequence of tokens that the grammar allows; the inverse of :meth:`encode`.

        A field beyond its limit loses its last, incomplete word. A field without its end is decoded as far as it goes.

        Raises:
            ValueError: a token is not allowed at its position, or the bytes are not UTF-8.
        """
        names = {token: each for each, token in zip(FIELDS, self.field.values(), strict=True)}
        fields: Fields = {}
        current: Field | None = None
        parts: list[tuple[int | None, bytes]] = []
        for position, token in enumerate([*tokens, self.end]):
            if current is None:
                if token in names:
                    current, parts = names[token], []
                elif token not in (self.pad, self.start, self.end):
                    raise ValueError(f"token {position} is {token}, but a field's marker is expected")
            elif token == self.end:
                if value := fit_field(current, self._value(current, parts)):
                    fields[current.name] = value
                current = None
            elif token < self.texts and self.bytes[token] and (parts or current.kind != "blocks"):
                kind, written = parts.pop() if parts else (None, b"")
                parts.append((kind, written + self.bytes[token]))
            elif (current.kind, token) == ("list", self.separator) or (
                current.kind == "blocks" and token in self.block.values()
            ):
                if not parts and current.kind != "blocks":
                    parts.append((None, b""))
                parts.append((token, b""))
            else:
                raise ValueError(f"token {position} is {token}, which is not allowed in {current.name}")
        return fields

    def _add(self, encoded: EncodedContent, each: Field, value: Value) -> None:
        if each.kind == "line":
            encoded.add(*self._ids(cast(str, value)))
        elif each.kind == "list":
            for index, item in enumerate(cast(list[str], value)):
                if index:
                    encoded.add(self.separator)
                encoded.add(*self._ids(item))
        else:
            for kind, text in cast(list[Block], value):
                encoded.add(self.block[kind], *self._ids(text))

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
        raise ValueError(f"the tokenizer lacks {token}; train it with the stage tokenizer")
    return found


def _bytes_of_tokens(tokenizer: Tokenizer) -> list[bytes]:
    """The bytes of each token, by the alphabet of GPT-2's byte-level BPE."""
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(0x100) if byte not in plain]
    alphabet = {chr(byte): byte for byte in plain} | {chr(0x100 + index): byte for index, byte in enumerate(others)}
    if missing := [letter for letter in pre_tokenizers.ByteLevel.alphabet() if tokenizer.token_to_id(letter) is None]:
        raise ValueError(f"the tokenizer is not byte-level: no token for the byte {alphabet[min(missing)]:#04x}")
    special = tokenizer.get_added_tokens_decoder()
    return [
        b"" if token in special else bytes(alphabet[letter] for letter in cast(str, tokenizer.id_to_token(token)))
        for token in range(tokenizer.get_vocab_size())
    ]
