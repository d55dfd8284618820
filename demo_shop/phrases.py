"""The phrases of the grammar for items, materials, purposes and voices."""

from collections.abc import Mapping, Sequence

ITEM_NAMES: Mapping[str, Sequence[str]] = {
    "chair": ("chair", "dining chair"),
    "table": ("table", "side table"),
    "lamp": ("lamp", "table lamp"),
    "clock": ("clock", "wall clock"),
    "bottle": ("bottle", "flask"),
    "mug": ("mug", "coffee mug", "cup"),
    "jar": ("jar", "storage jar"),
    "vase": ("vase", "flower vase"),
    "watering can": ("watering can", "sprinkling can"),
    "t-shirt": ("t-shirt", "tee"),
    "trousers": ("trousers", "pair of trousers"),
    "shoe": ("shoe", "lace-up shoe"),
    "bag": ("bag", "carry bag"),
    "umbrella": ("umbrella", "brolly"),
    "phone": ("phone", "telephone"),
    "laptop": ("laptop", "notebook computer"),
    "book": ("book", "hardback book"),
    "box": ("box", "storage box"),
    "bicycle": ("bicycle", "bike"),
    "guitar": ("guitar", "six-string guitar"),
}
"""Names of each item; the first is the label."""

PLURAL_ITEMS = frozenset({"trousers"})
MATERIAL_ADJECTIVES: Mapping[str, Sequence[str]] = {
    "wood": ("wooden", "solid wood"),
    "steel": ("steel", "brushed steel"),
    "brass": ("brass", "polished brass"),
    "glass": ("glass", "see-through glass"),
    "plastic": ("plastic", "glossy plastic"),
    "ceramic": ("ceramic", "glazed ceramic"),
    "leather": ("leather", "real leather"),
    "denim": ("denim", "heavy denim"),
    "cotton": ("cotton", "soft cotton"),
    "wool": ("woollen", "knitted wool"),
    "cardboard": ("cardboard", "corrugated cardboard"),
    "paper": ("paper", "newsprint paper"),
    "cork": ("cork", "speckled cork"),
    "wicker": ("wicker", "woven wicker"),
    "stone": ("stone", "polished stone"),
}
THINGS = ("piece", "find", "treasure", "thing", "one-off", "oddment")
"""Words of a title that does not name the item."""
MOODS = ("vintage", "charming", "honest", "quirky", "well-loved", "handsome", "rare", "simple")

PURPOSE_TITLES: Mapping[str, Sequence[str]] = {
    "reuse": ("ready to use", "works as it is", "good as new", "nothing to do but enjoy"),
    "repair": ("needs mending", "for repair", "wants fixing", "one for the fixer"),
    "upcycle": ("for your next craft project", "to upcycle", "for making over", "raw material for makers"),
}
PURPOSE_SENTENCES: Mapping[str, Sequence[str]] = {
    "reuse": (
        "It is ready to use as it is.",
        "Nothing is broken and nothing is missing.",
        "Clean, checked and good to go.",
        "Just take it home and use it.",
        "Fully working, with only light marks.",
    ),
    "repair": (
        "It is damaged and needs mending before use.",
        "One part is broken, but it can be fixed.",
        "A patient fixer will bring it back to life.",
        "Sold as faulty: it wants a repair.",
        "Not working at the moment; the repair is within reach.",
    ),
    "upcycle": (
        "Past its first life: best turned into something new.",
        "Take it apart and make something else of it.",
        "A good start for a craft project.",
        "Ask our makers for ideas on what it can become.",
        "It will never be itself again, but think of what it could be.",
    ),
}
OPENINGS: Mapping[str, Sequence[str]] = {
    "plain": ("Offered here: {thing}.", "For sale: {thing}.", "This is {thing}."),
    "chatty": ("Look what came in: {thing}!", "Oh, we do like this one, {thing}.", "Say hello to {thing}!"),
    "terse": ("{Thing}.", "{Thing}. As pictured."),
    "storyteller": (
        "It spent years in an attic, {thing}, and came out smiling.",
        "Somebody once saved up for it: {thing}.",
        "Every mark tells of a house it lived in, {thing}.",
    ),
}
CLOSINGS: Mapping[str, Sequence[str]] = {
    "plain": ("Collection from the shop or sent by post.", "Please ask for the measurements."),
    "chatty": ("Come and have a look, the kettle is on!", "First come, first served!"),
    "terse": ("Pick up only.", "No returns."),
    "storyteller": ("Now it waits for its next chapter.", "Who will give it a home?"),
}
ORIGINS = ("From a house clearance.", "Left with us by a neighbour.", "Found at a flea market.", "From a school sale.")
AMERICAN: Mapping[str, str] = {"grey": "gray", "colour": "color", "woollen": "woolen", "jewellery": "jewelry"}
SURROUNDINGS: Mapping[str, Sequence[str]] = {
    "room": ("in a room", "against a wall"),
    "table top": ("on a table top", "on a desk"),
    "studio": ("in front of a plain backdrop", "in a studio"),
    "garden": ("in a garden", "outdoors on the grass"),
    "tiles": ("by a tiled wall", "in a tiled kitchen"),
}
PREDICATE_WORDS: Mapping[str, Sequence[str]] = {
    "left of": ("to the left of", "left of"),
    "right of": ("to the right of", "right of"),
    "above": ("above",),
    "below": ("below",),
    "behind": ("behind",),
    "in front of": ("in front of",),
    "on": ("on", "on top of"),
}
