"""Find the encoding of a text file: by its byte order mark, UTF-8, or a guess among encodings of spreadsheets."""

import codecs
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

GUESSES = ("cp1252", "cp1250", "iso8859_2")
"""Encodings of western and central Europe, in which spreadsheets save CSV. Latin-1 is a part of cp1252."""
_BOMS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_MAX_SAMPLE = 64_000  # bytes of lines with other characters than ASCII
_LETTERS = (
    "äöüß",  # German
    "àâæçéèêëîïôœùûüÿ",  # French
    "áéíñóúü¡¿ªº",  # Spanish
    "áâãàçéêíóôõúü",  # Portuguese
    "àèéìíîòóùú",  # Italian
    "áéëèêïíóöüú",  # Dutch
    "åäæöøéü",  # Danish, Norwegian, Swedish
    "ąćęłńóśźż",  # Polish
    "áčďéěíňóřšťúůýž",  # Czech
    "áäčďéíľňóôšťúýž",  # Slovak
    "áéíóöőúüű",  # Hungarian
    "ăâîşţ",  # Romanian
    "čćđšž",  # Croatian, Slovene
)
"""Letters of languages outside of ASCII, without rare ones."""
_SIGNS = frozenset("“”„‘’‚«»–—…€£§°×½®©™•·´\N{NO-BREAK SPACE}")  # noqa: RUF001
_MAX_FOREIGN = 0.05  # share of the characters outside of ASCII that may be of another language


class EncodingError(Exception):
    """The encoding cannot be found; the message contains byte offset, line and remedy."""


@dataclass(frozen=True)
class FoundEncoding:
    """Name of an encoding, as Python knows it, and whether it was guessed from the letters of the text."""

    name: str
    guessed: bool = False


def detect_encoding(path: Path) -> FoundEncoding:
    """Find the encoding of a file.

    Raises:
        EncodingError: the file is damaged UTF-8, or no encoding fits best.
    """
    with path.open("rb") as file:
        start = file.read(4)
    marked = next((encoding for mark, encoding in _BOMS.items() if start.startswith(mark)), None)
    if marked:
        return FoundEncoding(marked)
    place = find_undecodable(path, "utf-8")
    if place is None:
        return FoundEncoding("utf-8")
    sample = _sample(path)
    if _is_damaged_utf8(sample):
        raise EncodingError(f"{place}; most other characters are UTF-8: correct this place, or set `encoding`")
    counts = {encoding: _count_foreign(sample, encoding) for encoding in GUESSES}
    fewest = min(counts.values())
    likely = [encoding for encoding in GUESSES if counts[encoding] == fewest]
    if fewest > _MAX_FOREIGN * sum(not chr(byte).isascii() for byte in sample):
        raise EncodingError(f"{place}, and none of {', '.join(GUESSES)} fits; set `encoding`: cp1251, shift_jis, …")
    if len({sample.decode(encoding, "replace") for encoding in likely}) > 1:
        raise EncodingError(f"{place}, and {' and '.join(likely)} are equally likely; set `encoding` to the right one")
    return FoundEncoding(likely[0], guessed=True)


def find_undecodable(path: Path, encoding: str) -> str | None:
    """Describe the first byte of a file that an encoding does not contain; None if the whole file can be decoded.

    Raises:
        LookupError: there is no such encoding.
    """
    decoder = codecs.getincrementaldecoder(encoding)()
    offset = lines = 0
    with path.open("rb") as file:
        while True:
            block = file.read(1 << 20)
            waiting = len(decoder.getstate()[0])  # bytes of an incomplete character before this block
            try:
                lines += decoder.decode(block, final=not block).count("\n")
            except UnicodeDecodeError as error:
                lines += error.object[: error.start].decode(encoding, "replace").count("\n")
                byte, start = error.object[error.start], offset - waiting + error.start
                return f"line {lines + 1}: byte 0x{byte:02x} at offset {start:,} is not {encoding}"
            if not block:
                return None
            offset += len(block)


def _sample(path: Path) -> bytes:
    """The first lines that contain other characters than ASCII; the others say nothing about the encoding."""
    sample = bytearray()
    with path.open("rb") as file:
        while len(sample) < _MAX_SAMPLE and (line := file.readline(_MAX_SAMPLE)):
            if not line.isascii():
                sample += line
    return bytes(sample)


def _is_damaged_utf8(sample: bytes) -> bool:
    """Whether most bytes outside of ASCII form characters of UTF-8. A few do by chance, as `ÓŁ` of cp1250."""
    characters = sample.decode("utf-8", "replace")
    broken = characters.count("\N{REPLACEMENT CHARACTER}")
    return sum(not character.isascii() for character in characters) - broken > broken


def _count_foreign(sample: bytes, encoding: str) -> int:
    """Count the characters that the most suitable language does not have, if the sample is in an encoding.

    A wrong encoding mixes letters of several languages, or puts signs and control characters into words.
    """
    characters = Counter(sample.decode(encoding, "replace").lower())
    unusual = {each: times for each, times in characters.items() if not each.isascii() and each not in _SIGNS}
    return min(sum(times for each, times in unusual.items() if each not in letters) for letters in _LETTERS)
