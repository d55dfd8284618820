"""The facts of one listing. They depend only on the seed and the listing's number, so a larger shop keeps them."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from demo_shop import vocabulary as words

OPENED = datetime(2024, 3, 4, 8, 0, tzinfo=UTC)
"""Publication time of listing 0; each next listing is published 3 hours later."""
BASE_PRICE = {"furniture": 40, "electronics": 90, "leisure": 110, "lights and clocks": 25, "accessories": 20}
CAMERAS = (("Loomtech", "LT-20"), ("Pentaprism", "P3 Mini"), ("Orbis", "Handy 8"))


@dataclass(frozen=True)
class ListingFacts:
    """The facts of one listing, from which its texts and image are made."""

    number: int
    item: str
    material: str
    colour: str
    accent: str  # second colour, of the pattern
    pattern: str
    size: str
    purpose: str
    price: float  # pounds
    props: tuple[tuple[str, str, str], ...]  # kind, colour, requested predicate towards the main item
    voice: str
    locale: str
    wishes: tuple[str, ...]
    licence: str
    created: datetime
    modified: datetime
    camera: tuple[str, str] | None
    located: bool  # the image's EXIF holds GPS coordinates

    @property
    def group(self) -> str:
        """The group of the item, one of nine."""
        return words.GROUP_OF[self.item]

    @property
    def bin(self) -> str:
        """The bin, one of four."""
        return words.bin_of(self.item, self.material, self.colour)

    @property
    def product_class(self) -> str:
        """The product class, one of 27."""
        return words.product_class_of(self.item, self.purpose)


def stream(seed: int, *path: object) -> random.Random:
    """An independent random stream for each purpose, equal on every machine (Mersenne twister seeded by SHA-512)."""
    return random.Random("/".join(map(str, (seed, *path))))


def facts(seed: int, number: int) -> ListingFacts:
    """The facts of listing ``number``. Items come in shuffled rounds of twenty, so a small shop has every item."""
    rng = stream(seed, "facts", number)
    turn, place = divmod(number, len(words.ITEMS))
    item = stream(seed, "round", turn).sample(words.ITEMS, len(words.ITEMS))[place]
    material = rng.choice(words.MATERIALS_OF[item])
    colour = rng.choice(words.COLOURS_OF[material])
    pattern = "plain"
    if material in words.PATTERNED and rng.random() >= words.PLAIN_SHARE:
        pattern = rng.choice(words.PATTERNS[1:])
    group = words.GROUP_OF[item]
    created = OPENED + timedelta(hours=3 * number, minutes=rng.randrange(180))
    return ListingFacts(
        number=number,
        item=item,
        material=material,
        colour=colour,
        accent=_accent(colour, rng),
        pattern=pattern,
        size=rng.choice(words.SIZES),
        purpose=rng.choices(words.PURPOSES, words.PURPOSE_ODDS[group])[0],
        price=round(BASE_PRICE.get(group, 9) * (0.4 + 1.2 * rng.random()) * 2) / 2,
        props=_props(rng),
        voice=rng.choice(words.VOICES),
        locale=rng.choice(words.LOCALES),
        wishes=tuple(sorted(rng.sample(words.WISHES, rng.randrange(3)))),
        licence=rng.choice(words.LICENCES),
        created=created,
        modified=created + timedelta(hours=rng.randrange(1, 24 * 20), minutes=rng.randrange(60)),
        camera=rng.choice(CAMERAS) if rng.random() < 0.5 else None,
        located=rng.random() < 0.25,
    )


def _accent(colour: str, rng: random.Random) -> str:
    """A colour that stands out against ``colour``."""
    light = sum(words.COLOURS[colour]) > 3 * 120
    return rng.choice(("navy", "red", "black") if light else ("white", "yellow"))


def _props(rng: random.Random) -> tuple[tuple[str, str, str], ...]:
    kinds = rng.sample(tuple(words.PROPS), rng.choices((0, 1, 2, 3), (3, 4, 2, 1))[0])
    wishes = rng.sample(words.PREDICATES, len(kinds))
    return tuple((kind, rng.choice(words.PROPS[kind]), wish) for kind, wish in zip(kinds, wishes, strict=True))
