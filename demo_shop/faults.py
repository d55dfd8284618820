"""Planted faults: their kind, their place and the expected result of crawl and validation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from demo_shop.facts import stream

Outcome = Literal["quarantine", "duplicate", "accepted"]

FIRST_LISTING_ID = 100_001
FIRST_GUIDE_ID = 900_001

LISTING_FAULTS: Mapping[str, tuple[Outcome, str]] = {
    "image missing": ("quarantine", "image_missing"),  # 404
    "image truncated": ("quarantine", "image_truncated"),
    "image is a web page": ("quarantine", "image_type"),  # HTML served as image/jpeg
    "image too large": ("quarantine", "image_too_large"),  # more than 10 MB
    "no image": ("quarantine", "no_image"),
    "objects is a string": ("quarantine", "malformed_record"),
    "empty title": ("quarantine", "title_present"),
    "box outside the image": ("quarantine", "boxes_inside_image"),
    "relation to no object": ("quarantine", "relations_point_at_objects"),
    "exact duplicate": ("duplicate", "exact"),
    "near duplicate": ("duplicate", "near"),
    "hostile HTML": ("accepted", "sanitised"),
    "image answers 503 first": ("accepted", "retried"),
    "image moved": ("accepted", "redirected"),  # 301 to the image
}
"""Kind -> outcome and reason: the quarantine's or duplicates' code, or why the record is accepted."""

FIRST_BLOCK = (8, 48)
"""Range of listings with the first set of faults, so a shop of 48 listings has one fault of each kind."""
BLOCK = 800
"""Size of the following blocks; each full block has one more set of faults."""


@dataclass(frozen=True)
class Fault:
    """One planted fault.

    Attributes:
        id: the record's id at the shop, without the name of a source: a listing's or guide's WordPress id, or
            ``"source relation target"`` for an edge.
        table: the table that the record is meant for.
        kind: description of the fault.
        outcome: expected result.
        reason: quarantine reason or expectation's name; ``exact`` or ``near`` for duplicates.
        original: id of the listing whose image and texts a duplicate repeats.
    """

    id: str
    table: str
    kind: str
    outcome: Outcome
    reason: str
    original: str | None = None


def listing_id(number: int) -> str:
    """The WordPress id of listing ``number``. All ids have the same length, so text order is numeric order."""
    return str(FIRST_LISTING_ID + number)


def guide_id(number: int) -> str:
    """The WordPress id of guide ``number``."""
    return str(FIRST_GUIDE_ID + number)


def listing_faults(seed: int, listings: int) -> dict[int, Fault]:
    """Number of a listing -> its fault. A larger shop keeps the faults of a smaller one."""
    planted: dict[int, Fault] = {}
    blocks = [
        range(*FIRST_BLOCK),
        *(range(start, start + BLOCK) for start in range(BLOCK, listings - BLOCK + 1, BLOCK)),
    ]
    for block in blocks:
        kinds = tuple(LISTING_FAULTS)
        places = stream(seed, "faults", block.start).sample(block, 2 * len(kinds))
        clean = sorted(places[len(kinds) :])
        for kind, number in zip(kinds, places, strict=False):
            # A duplicate repeats a clean listing with a smaller id; such listings always exist before the block.
            earlier = [place for place in clean if place < number] or [block.start - 1 - back for back in range(8)]
            planted[number] = _fault(kind, number, earlier[kinds.index(kind) % len(earlier)])
    return {number: planted[number] for number in sorted(planted) if number < listings}


def _fault(kind: str, number: int, earlier: int) -> Fault:
    outcome, reason = LISTING_FAULTS[kind]
    original = listing_id(earlier) if outcome == "duplicate" else None
    return Fault(listing_id(number), "listings", kind, outcome, reason, original)


def guide_faults(seed: int, guides: int) -> dict[int, Fault]:
    """Number of a guide -> its fault, an empty text. One guide in a hundred has it, at least one."""
    numbers: Sequence[int] = sorted(stream(seed, "guide faults").sample(range(min(guides, 20)), 1 if guides else 0))
    numbers = [*numbers, *range(137, guides, 100)]
    return {number: Fault(guide_id(number), "guides", "empty text", "quarantine", "text_present") for number in numbers}
