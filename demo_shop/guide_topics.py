"""Topics of the guides: problems and their repair, ideas for reuse, ways of disposal."""

from collections.abc import Mapping, Sequence

from demo_shop import vocabulary as words

Steps = tuple[str, ...]
ACTIONS: Sequence[str] = ("reuse", "repair", "dispose")
KINDS: Mapping[str, str] = {
    "wood": "wood",
    "cork": "wood",
    "wicker": "wood",
    "steel": "metal",
    "brass": "metal",
    "glass": "hard",
    "ceramic": "hard",
    "stone": "hard",
    "plastic": "plastic",
    "leather": "cloth",
    "denim": "cloth",
    "cotton": "cloth",
    "wool": "cloth",
    "cardboard": "paper",
    "paper": "paper",
}

PROBLEMS: Mapping[str, Sequence[tuple[str, str, str, Steps]]] = {
    "wood": (
        (
            "a loose joint",
            "wobbles when I touch it",
            "wood glue",
            (
                "Take the joint apart and scrape off the old glue.",
                "Spread fresh wood glue on both faces.",
                "Clamp it and let it dry overnight.",
            ),
        ),
        (
            "deep scratches",
            "is all scratched up",
            "fine sandpaper",
            ("Sand along the grain with fine sandpaper.", "Wipe the dust away.", "Rub in oil or wax in thin coats."),
        ),
        (
            "a broken part",
            "lost a piece",
            "a wooden dowel",
            (
                "Drill a clean hole into both halves.",
                "Glue a wooden dowel between them.",
                "Trim and sand the seam flush.",
            ),
        ),
    ),
    "metal": (
        (
            "rust and tarnish",
            "has gone dull and spotty",
            "steel wool and vinegar",
            (
                "Soak the spots in vinegar for an hour.",
                "Scrub them with steel wool.",
                "Dry at once and rub in a drop of oil.",
            ),
        ),
        (
            "a dent",
            "got knocked out of shape",
            "a rubber mallet",
            (
                "Lay the dent over a sand bag.",
                "Tap it out from the inside with a rubber mallet.",
                "Work from the rim to the middle.",
            ),
        ),
        (
            "a stuck screw",
            "will not come apart",
            "penetrating oil",
            (
                "Drip penetrating oil on the thread.",
                "Wait a quarter of an hour.",
                "Turn to and fro with a driver that fits exactly.",
            ),
        ),
    ),
    "hard": (
        (
            "a chip in the rim",
            "has a sharp bit on its edge",
            "two-part epoxy",
            ("Clean and dry the edge.", "Fill the chip with two-part epoxy.", "File the cured epoxy to the old shape."),
        ),
        (
            "a hairline crack",
            "leaks a little",
            "clear resin",
            (
                "Warm the piece gently.",
                "Let clear resin creep into the crack.",
                "Wipe off what stands proud and leave it for a day.",
            ),
        ),
        (
            "stains inside",
            "looks cloudy and will not come clean",
            "baking soda",
            ("Fill it with warm water and baking soda.", "Leave it overnight.", "Brush and rinse well."),
        ),
    ),
    "plastic": (
        (
            "a snapped clip",
            "does not hold together any more",
            "a soldering iron",
            (
                "Fit the two halves together.",
                "Melt a groove across the break with a soldering iron.",
                "Press a piece of wire mesh into the seam.",
            ),
        ),
        (
            "yellowing",
            "turned an ugly shade in the sun",
            "hydrogen peroxide",
            (
                "Brush on hydrogen peroxide cream.",
                "Wrap it in film and leave it in daylight.",
                "Rinse after a few hours.",
            ),
        ),
        (
            "sticky residue",
            "is covered in glue from old labels",
            "cooking oil",
            ("Rub cooking oil on the residue.", "Scrape with an old card.", "Wash with warm soapy water."),
        ),
    ),
    "cloth": (
        (
            "a torn seam",
            "came undone along an edge",
            "a needle and strong thread",
            ("Turn it inside out and pin the edges.", "Sew back stitches with strong thread.", "Press the seam flat."),
        ),
        (
            "a hole",
            "got a gap in the middle",
            "a patch",
            ("Cut a patch a thumb wider than the hole.", "Pin it behind the hole.", "Sew round it twice."),
        ),
        (
            "a stubborn stain",
            "still shows last week's dinner",
            "gall soap",
            (
                "Wet the stain with cold water.",
                "Rub in gall soap and wait ten minutes.",
                "Wash as usual and dry in the air.",
            ),
        ),
    ),
    "paper": (
        (
            "a torn edge",
            "ripped at the side",
            "rice paste and tissue",
            (
                "Line up the tear.",
                "Brush on rice paste and lay tissue over it.",
                "Dry it under a weight between clean sheets.",
            ),
        ),
        (
            "warping from damp",
            "went wavy after it got wet",
            "blotting paper",
            (
                "Interleave with blotting paper.",
                "Press under heavy books.",
                "Change the blotting paper each day for a week.",
            ),
        ),
        (
            "a squashed corner",
            "got dented in the post",
            "a bone folder",
            ("Damp the corner lightly.", "Flatten it with a bone folder.", "Hold it between clips until dry."),
        ),
    ),
}
"""Kind of material -> problem, a user's wording of it, the tool for the repair, the steps."""

IDEAS: Mapping[str, tuple[str, str, Steps, frozenset[str]]] = {
    "a planter": (
        "greens on the balcony",
        "gravel and soil",
        ("Make or find a drain hole.", "Put in a layer of gravel, then soil.", "Plant herbs that like a dry foot."),
        frozenset({"metal", "hard", "plastic", "wood"}),
    ),
    "a wall shelf": (
        "more room for small things",
        "brackets and screws",
        ("Cut it to a flat back.", "Screw two brackets to the wall.", "Fix it from below."),
        frozenset({"wood", "metal", "plastic"}),
    ),
    "a lantern": (
        "warm light for the evening",
        "a string of small lights",
        ("Clean the inside.", "Coil a string of small lights into it.", "Hang it by a loop of wire."),
        frozenset({"hard", "metal", "paper"}),
    ),
    "a pencil holder": (
        "order on a desk",
        "felt and glue",
        ("Trim the opening smooth.", "Line it with felt.", "Stand it on a cork foot."),
        frozenset({"hard", "plastic", "paper", "wood"}),
    ),
    "a toy": (
        "something to play with",
        "paint and string",
        ("Take off all sharp parts.", "Paint a face on it.", "Add a string to pull."),
        frozenset({"wood", "plastic", "cloth", "paper"}),
    ),
    "a cushion": (
        "something soft to sit on",
        "filling and thread",
        ("Cut two equal squares.", "Sew three sides together.", "Fill it and close the last side."),
        frozenset({"cloth"}),
    ),
    "a patchwork blanket": (
        "something warm for the sofa",
        "scraps and a sewing machine",
        ("Cut squares of one size.", "Lay them out until the colours please you.", "Sew them row by row."),
        frozenset({"cloth"}),
    ),
    "a coat rack": (
        "somewhere to hang jackets",
        "hooks and a board",
        ("Fix the parts to a board.", "Add four hooks.", "Screw the board to the wall at shoulder height."),
        frozenset({"wood", "metal"}),
    ),
    "a bird feeder": (
        "a place for garden birds to eat",
        "wire and seeds",
        ("Cut an opening at the side.", "Fill it with seeds.", "Hang it out of reach of cats."),
        frozenset({"plastic", "metal", "hard", "paper"}),
    ),
    "gift wrapping": (
        "a pretty parcel for a friend",
        "string and scissors",
        ("Cut out the best parts.", "Fold them round the present.", "Tie it up with string."),
        frozenset({"paper", "cloth"}),
    ),
}
"""New use -> a user's wording of the wish, tools and supplies, steps, suitable kinds of material."""


DISPOSAL: Mapping[str, Steps] = {
    "dry recycling": (
        "Empty and rinse it.",
        "Take off parts of other materials.",
        "Put it loose into the dry recycling.",
    ),
    "textile bank": ("Wash and dry it.", "Tie pairs together.", "Drop it into the textile bank in a closed bag."),
    "wood and garden": (
        "Check that it is not painted or varnished.",
        "Pull out nails and screws.",
        "Bring it to the wood and garden container.",
    ),
    "recycling centre": (
        "Do not put it into a bin at home.",
        "Take out batteries and bulbs.",
        "Hand it in at the recycling centre.",
    ),
}
"""Bin -> steps."""
CAUTIONS: Mapping[str, str] = {
    "wood": "Wear a mask when you sand.",
    "metal": "Mind sharp burrs.",
    "hard": "Wear gloves and glasses: splinters are sharp.",
    "plastic": "Open a window, fumes are harmful.",
    "cloth": "Try it on a hidden spot first.",
    "paper": "Keep your hands dry.",
}


def disposal(item: str, material: str) -> tuple[str, Steps]:
    """The bin of the unpainted item, and the steps."""
    target = words.bin_of(item, material, "")
    return target, DISPOSAL[target]
