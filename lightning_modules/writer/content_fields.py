"""The fields of content in the order of writing, and the normal form of their texts.

Fields that describe the image come first, since later fields repeat it. A text is one line in Unicode form NFC without
the characters in :data:`FORBIDDEN`, within its field's limit.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

BlockKind = Literal["p", "h2", "li"]
BLOCK_KINDS: tuple[BlockKind, ...] = get_args(BlockKind)
Block = tuple[BlockKind, str]
"""Kind of a block (paragraph, heading or list item) and its text."""
Value = str | list[str] | list[Block]
"""Value of a field: a line, a list's items or blocks."""


@dataclass(frozen=True)
class Field:
    """A field of content."""

    name: str
    """Name of the listings' column."""
    kind: Literal["line", "list", "blocks"]
    limit: int
    """Most Unicode code points, in form NFC, of a line, of each list item, or of all blocks together."""
    most: int = 1
    """Most list items or blocks."""
    required: bool = False
    """Whether content must contain this field."""


FIELDS: tuple[Field, ...] = (
    Field("alt_text", "line", 125, required=True),
    Field("caption", "line", 200),
    Field("title", "line", 60, required=True),
    Field("description", "line", 300),
    Field("tags", "list", 40, most=10),
    Field("categories", "list", 60, most=5),
    Field("seo_title", "line", 60, required=True),
    Field("seo_description", "line", 155, required=True),
    Field("body", "blocks", 1500, most=40, required=True),
)

SPACES: tuple[tuple[int, int], ...] = (
    *((0x09, 0x0D), (0x1C, 0x1F), (0x85, 0x85), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A)),
    *((0x2028, 0x2029), (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000)),
)
"""White space other than the plain space, as defined by ``str.split``: inclusive ranges of code points."""
FORBIDDEN: tuple[tuple[int, int], ...] = (
    *((0x00, 0x1F), (0x7F, 0x9F)),  # controls
    *SPACES,
    *((0x061C, 0x061C), (0x200E, 0x200F), (0x202A, 0x202E), (0x2066, 0x2069)),  # direction overrides
    *((0xFEFF, 0xFEFF), (0xFFF9, 0xFFFB), (0xD800, 0xDFFF), (0xFDD0, 0xFDEF)),  # byte order marks, surrogates, not text
    *((plane + 0xFFFE, plane + 0xFFFF) for plane in range(0, 0x110000, 0x10000)),  # noncharacters
)
"""Characters that no text may contain: inclusive ranges of code points."""
INVISIBLE: tuple[tuple[int, int], ...] = (
    *((0x20, 0x20), (0xAD, 0xAD), (0x0300, 0x036F), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F)),
    *((0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF), (0x200B, 0x200D), (0x2060, 0x2065), (0x206A, 0x206F), (0x20D0, 0x20FF)),
    *((0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFE20, 0xFE2F), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8)),
    *((0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF)),
)
"""Characters that may not start a text: the space, Unicode's Default_Ignorable_Code_Point, and combining diacritical
marks, which would combine with the tag before the text (U+0338 after ``>``)."""


def _character_class(ranges: Iterable[tuple[int, int]]) -> str:
    return "[" + "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in ranges) + "]"


_FORBIDDEN = re.compile(_character_class(FORBIDDEN))
_INVISIBLE_START = re.compile(_character_class(INVISIBLE) + "+")


def one_line(text: str) -> str:
    """Normalise a text: form NFC, single spaces, no forbidden character, no invisible character at the start.

    Idempotent.
    """
    text = unicodedata.normalize("NFC", _FORBIDDEN.sub("", " ".join(text.split())))
    text = " ".join(text.split())
    start = _INVISIBLE_START.match(text)
    return text[start.end() :] if start else text


def cut_at_word(text: str, limit: int) -> str:
    """Cut a line after the last whole word within ``limit`` code points; a longer first word is cut within."""
    if len(text) <= limit:
        return text
    end = text.rfind(" ", 0, limit + 1)
    return text[:end] if end > 0 else text[:limit]


def fit_field(field: Field, value: str | Sequence[str] | Sequence[Block]) -> Value:
    """Normalise a field's value: normal lines, without duplicate and empty items, within the limits. Idempotent."""
    if field.kind == "line":
        return cut_at_word(one_line(str(value)), field.limit)
    if field.kind == "list":
        items = (cut_at_word(one_line(str(item)), field.limit) for item in value)
        return list(dict.fromkeys(item for item in items if item))[: field.most]
    return _fit_blocks(field, value)  # type: ignore[arg-type]


def _fit_blocks(field: Field, blocks: Sequence[Block]) -> list[Block]:
    kept: list[Block] = []
    room = field.limit
    for kind, text in blocks:
        line = one_line(text)
        if len(kept) == field.most or (kept and len(line) > room and " " not in line[: room + 1]):
            break  # its first word does not fit
        line = cut_at_word(line, room)
        room -= len(line)
        if line:
            kept.append((kind, line))
    return kept
