"""Registry of the items' drawings: frame, placement, and the surface for other objects."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from demo_shop import items_home, items_kitchen, items_leisure, items_wear
from demo_shop.canvas import Canvas


@dataclass(frozen=True)
class Item:
    """One drawing.

    Attributes:
        width, height: of the frame in drawing units; the drawing fills it.
        draw: draws it for a material.
        hangs: whether it hangs on a wall or a line; otherwise it stands on the ground.
        support: x0, x1, y of the surface for another object.
        tilt: largest rotation in degrees.
    """

    width: float
    height: float
    draw: Callable[[Canvas, str], None]
    hangs: bool = False
    support: tuple[float, float, float] | None = None
    tilt: float = 3.0


ITEMS: Mapping[str, Item] = {
    "chair": Item(66, 100, items_home.chair, support=(16, 50, 57)),
    "table": Item(100, 70, items_home.table, support=(22, 78, 9)),
    "lamp": Item(60, 100, items_home.lamp),
    "clock": Item(88, 88, items_home.clock, hangs=True, tilt=6),
    "bottle": Item(38, 100, items_kitchen.bottle),
    "mug": Item(86, 80, items_kitchen.mug),
    "jar": Item(64, 84, items_kitchen.jar, support=(16, 48, 1)),
    "vase": Item(60, 100, items_kitchen.vase),
    "watering can": Item(100, 78, items_home.watering_can),
    "t-shirt": Item(100, 92, items_wear.t_shirt, hangs=True, tilt=7),
    "trousers": Item(66, 100, items_wear.trousers, hangs=True, tilt=6),
    "shoe": Item(100, 60, items_wear.shoe),
    "bag": Item(82, 94, items_wear.bag),
    "umbrella": Item(100, 98, items_wear.umbrella, tilt=14),
    "phone": Item(100, 82, items_home.phone),
    "laptop": Item(100, 74, items_home.laptop),
    "book": Item(80, 98, items_leisure.book, support=(22, 60, 1)),
    "box": Item(96, 86, items_leisure.box),
    "bicycle": Item(104, 68, items_leisure.bicycle),
    "guitar": Item(46, 106, items_leisure.guitar, tilt=16),
}
