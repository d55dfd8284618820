"""Sprites: drawings at their positions, with covered pixels, boxes and the relations between two of them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demo_shop.canvas import Bytes

Box = tuple[int, int, int, int]
"""x0, y0, x1, y1 in pixels, the last two exclusive."""
SOLID = 96
"""Minimum opacity of a covered pixel."""
Mask = NDArray[np.bool_]


@dataclass(eq=False)
class Sprite:
    """A drawing at its position in the image."""

    colours: Bytes  # (height, width, 3), premultiplied
    opacity: Bytes  # (height, width)
    x: int
    y: int
    predicate: str = ""

    @property
    def solid(self) -> Mask:
        """Which pixels it covers, (height, width) booleans."""
        return self.opacity >= SOLID


def holds(predicate: str, subject: Sprite, target: Sprite) -> bool:
    """Whether the relation is true, by the boxes of the whole sprites and (behind, in front of) by their overlap.

    left of / right of / above / below: the boxes do not overlap in that direction. on: the subject's foot lies within
    the target's box, its middle over it. behind: the target hides 15 to 60 % of the subject. in front of: at least 5 %
    of the subject overlaps the target, of which it hides at most 7 %.
    """
    a, b = box_of(subject), box_of(target)
    if predicate == "left of":
        return a[2] <= b[0]
    if predicate == "right of":
        return a[0] >= b[2]
    if predicate == "above":
        return a[3] <= b[1] and b[0] <= (a[0] + a[2]) / 2 <= b[2]
    if predicate == "below":
        return a[1] >= b[3] and b[0] <= (a[0] + a[2]) / 2 <= b[2]
    if predicate == "on":
        return b[0] <= (a[0] + a[2]) / 2 <= b[2] and b[1] <= a[3] <= (b[1] + 2 * b[3]) / 3
    hidden = overlap(subject, target)
    if predicate == "behind":
        return 0.15 <= hidden / subject.solid.sum() <= 0.6
    return hidden / subject.solid.sum() >= 0.05 and hidden / target.solid.sum() <= 0.07


def box_of(sprite: Sprite, visible: Mask | None = None) -> Box:
    """The box of the sprite's covered (or visible) pixels in the image."""
    solid = sprite.solid if visible is None else visible
    rows, columns = np.flatnonzero(solid.any(axis=1)), np.flatnonzero(solid.any(axis=0))
    return (
        sprite.x + int(columns[0]),
        sprite.y + int(rows[0]),
        sprite.x + int(columns[-1]) + 1,
        sprite.y + int(rows[-1]) + 1,
    )


def visible_of(sprite: Sprite, over: list[Sprite]) -> Mask:
    """Which of the sprite's pixels no sprite in ``over`` hides."""
    scene = sprite.solid.copy()
    for other in over:
        window = _window(sprite, other)
        if window:
            mine, theirs = window
            scene[mine] &= ~other.solid[theirs]
    return scene


def _window(a: Sprite, b: Sprite) -> tuple[tuple[slice, slice], tuple[slice, slice]] | None:
    """Where the two arrays overlap, as slices into each."""
    x0, y0 = max(a.x, b.x), max(a.y, b.y)
    x1 = min(a.x + a.opacity.shape[1], b.x + b.opacity.shape[1])
    y1 = min(a.y + a.opacity.shape[0], b.y + b.opacity.shape[0])
    if x0 >= x1 or y0 >= y1:
        return None
    return (
        (slice(y0 - a.y, y1 - a.y), slice(x0 - a.x, x1 - a.x)),
        (slice(y0 - b.y, y1 - b.y), slice(x0 - b.x, x1 - b.x)),
    )


def overlap(a: Sprite, b: Sprite) -> int:
    """How many pixels both cover."""
    window = _window(a, b)
    return int((a.solid[window[0]] & b.solid[window[1]]).sum()) if window else 0


def inside(sprite: Sprite, size: tuple[int, int]) -> bool:
    """Whether all of the sprite's array lies within an image of this width and height."""
    high, wide = sprite.opacity.shape
    return sprite.x >= 0 and sprite.y >= 0 and sprite.x + wide <= size[0] and sprite.y + high <= size[1]
