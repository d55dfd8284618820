"""The shop's vocabulary: items, materials, colours, patterns, groups, purposes and bins, with every probability.

All random values are sampled from the tables of this module, so that :mod:`demo_shop.upper_bounds` can compute the
highest possible metrics from the same tables.
"""

from collections.abc import Mapping, Sequence

Colour = tuple[int, int, int]

MATERIALS_OF: Mapping[str, Sequence[str]] = {
    "chair": ("wood", "steel", "plastic", "wicker", "cardboard"),
    "table": ("wood", "steel", "glass", "stone", "plastic"),
    "lamp": ("brass", "ceramic", "paper", "wicker", "steel", "stone"),
    "clock": ("wood", "brass", "plastic", "cork", "stone"),
    "bottle": ("glass", "plastic", "steel", "ceramic"),
    "mug": ("ceramic", "steel", "glass", "plastic"),
    "jar": ("glass", "ceramic", "plastic", "stone"),
    "vase": ("ceramic", "glass", "brass", "stone", "paper"),
    "watering can": ("steel", "brass", "plastic", "ceramic"),
    "t-shirt": ("cotton", "wool", "denim"),
    "trousers": ("denim", "cotton", "leather", "wool"),
    "shoe": ("leather", "cotton", "wool", "plastic", "denim"),
    "bag": ("leather", "denim", "cotton", "paper", "wicker", "cork"),
    "umbrella": ("cotton", "plastic", "paper"),
    "phone": ("plastic", "steel", "wood", "cork"),
    "laptop": ("steel", "plastic", "wood"),
    "book": ("paper", "leather", "cotton", "cardboard"),
    "box": ("cardboard", "wood", "steel", "wicker", "cork"),
    "bicycle": ("steel", "wood", "brass", "plastic"),
    "guitar": ("wood", "steel", "plastic"),
}
"""The materials that an item is made of, equally likely; an item is drawn uniformly."""

ITEMS: Sequence[str] = tuple(MATERIALS_OF)
MATERIALS: Sequence[str] = (
    "wood", "steel", "brass", "glass", "plastic", "ceramic", "leather", "denim", "cotton", "wool",
    "cardboard", "paper", "cork", "wicker", "stone",
)  # fmt: skip

COLOURS: Mapping[str, Colour] = {
    "white": (240, 238, 232),
    "black": (52, 50, 54),
    "grey": (140, 144, 150),
    "silver": (190, 196, 204),
    "gold": (214, 166, 62),
    "red": (205, 54, 48),
    "orange": (232, 130, 42),
    "yellow": (240, 200, 60),
    "green": (70, 148, 84),
    "blue": (54, 104, 190),
    "navy": (40, 56, 108),
    "purple": (124, 76, 164),
    "pink": (232, 132, 164),
    "brown": (134, 84, 48),
    "beige": (212, 182, 140),
    "teal": (38, 142, 148),
}

COLOURS_OF: Mapping[str, Sequence[str]] = {
    "wood": ("brown", "brown", "beige", "beige", "red", "green", "blue"),
    "steel": ("silver", "silver", "grey"),
    "brass": ("gold",),
    "glass": ("green", "blue", "brown", "teal", "pink"),
    "plastic": ("red", "orange", "yellow", "green", "blue", "purple", "pink", "teal"),
    "ceramic": ("white", "white", "teal", "blue", "green", "yellow", "pink"),
    "leather": ("brown", "brown", "black", "red"),
    "denim": ("blue", "blue", "navy"),
    "cotton": ("white", "red", "yellow", "green", "purple", "pink", "orange", "teal"),
    "wool": ("red", "green", "purple", "grey", "beige", "navy", "orange"),
    "cardboard": ("beige",),
    "paper": ("white", "white", "yellow"),
    "cork": ("beige",),
    "wicker": ("beige", "brown"),
    "stone": ("grey", "grey", "white"),
}
"""The colours of a material; a colour named twice is twice as likely."""

PAINTED: frozenset[str] = frozenset({"red", "green", "blue"})
"""Colours of wood that are paint."""

PATTERNS: Sequence[str] = ("plain", "striped", "dotted", "checked")
PATTERNED: frozenset[str] = frozenset({"cotton", "wool", "ceramic", "paper", "plastic"})
"""Materials with patterns: PLAIN_SHARE of the items are plain, the others have one of three equally likely ones."""
PLAIN_SHARE = 0.55

SIZES: Sequence[str] = ("small", "medium", "large")
"""Only the texts state the size; an image has no scale."""

GROUPS: Mapping[str, Sequence[str]] = {
    "furniture": ("chair", "table"),
    "lights and clocks": ("lamp", "clock"),
    "drinks and pantry": ("bottle", "mug", "jar"),
    "plants and flowers": ("vase", "watering can"),
    "clothes": ("t-shirt", "trousers"),
    "accessories": ("shoe", "bag", "umbrella"),
    "electronics": ("phone", "laptop"),
    "paper and storage": ("book", "box"),
    "leisure": ("bicycle", "guitar"),
}
GROUP_OF: Mapping[str, str] = {item: group for group, items in GROUPS.items() for item in items}

PURPOSES: Sequence[str] = ("reuse", "repair", "upcycle")
PURPOSE_ODDS: Mapping[str, Sequence[float]] = {
    group: ((0.46, 0.30, 0.24), (0.24, 0.46, 0.30), (0.30, 0.24, 0.46))[position % 3]
    for position, group in enumerate(GROUPS)
}
"""P(purpose | group). An image does not show the purpose."""

PRODUCT_CLASSES: Sequence[str] = tuple(f"{group}: {purpose}" for group in GROUPS for purpose in PURPOSES)

BINS: Sequence[str] = ("dry recycling", "textile bank", "wood and garden", "recycling centre")
BIN_OF_MATERIAL: Mapping[str, str] = {
    "wood": "wood and garden",
    "cork": "wood and garden",
    "wicker": "wood and garden",
    "steel": "dry recycling",
    "brass": "dry recycling",
    "glass": "dry recycling",
    "plastic": "dry recycling",
    "paper": "dry recycling",
    "cardboard": "dry recycling",
    "leather": "textile bank",
    "denim": "textile bank",
    "cotton": "textile bank",
    "wool": "textile bank",
    "ceramic": "recycling centre",
    "stone": "recycling centre",
}
BIN_EXCEPTIONS: Mapping[tuple[str, str], str] = {
    ("table", "glass"): "recycling centre",  # tempered glass melts at another temperature than bottles
    ("table", "steel"): "recycling centre",  # bulky
    ("chair", "steel"): "recycling centre",  # bulky
    ("umbrella", "cotton"): "recycling centre",  # cloth and ribs do not come apart
    ("umbrella", "plastic"): "recycling centre",
    ("shoe", "plastic"): "textile bank",  # shoes go in pairs, whatever they are made of
    ("lamp", "paper"): "dry recycling",  # a paper shade comes off its socket
    ("book", "leather"): "dry recycling",  # the binding is a thin share of the pages
    ("book", "cotton"): "dry recycling",
}
"""Exceptions to the material's bin, by item and material."""
WIRED: frozenset[str] = frozenset({"lamp", "clock", "phone", "laptop"})
"""Items that go to the recycling centre for their wires and batteries, unless an exception above says otherwise."""


def bin_of(item: str, material: str, colour: str) -> str:
    """The bin: an exception for the pair, else wired items, else painted wood, else the material's bin.

    Only painted wood depends on the colour, so a model without the colour is wrong on part of
    the wooden items (:func:`demo_shop.upper_bounds.upper_bounds` gives the share).
    """
    if (item, material) in BIN_EXCEPTIONS:
        return BIN_EXCEPTIONS[item, material]
    if item in WIRED or (material == "wood" and colour in PAINTED):
        return "recycling centre"
    return BIN_OF_MATERIAL[material]


def product_class_of(item: str, purpose: str) -> str:
    """The product class, one of 27: the item's group and the purpose."""
    return f"{GROUP_OF[item]}: {purpose}"


PROPS: Mapping[str, Sequence[str]] = {
    "ball": ("red", "blue", "yellow", "orange"),
    "apple": ("red", "green"),
    "cactus": ("green",),
    "candle": ("white", "pink"),
    "cube": ("purple", "orange", "teal"),
    "duck": ("yellow",),
    "spool": ("blue", "red", "pink"),
    "hammer": ("brown",),
}
"""Additional objects beside the main item, with their colours."""

PREDICATES: Sequence[str] = ("left of", "right of", "above", "below", "behind", "in front of", "on")
LOCALES: Sequence[str] = ("en-GB", "en-GB", "en-US", "en-IE")
VOICES: Sequence[str] = ("plain", "chatty", "terse", "storyteller")
WISHES: Sequence[str] = (
    "short sentences",
    "friendly",
    "no exclamation marks",
    "mention the size",
    "say where it came from",
)
LICENCES: Sequence[str] = ("CC0-1.0", "CC-BY-4.0", "CC-BY-4.0", "CC-BY-SA-4.0")
