"""Compose a main item, additional objects and a background; boxes and relations come from what was drawn.

Boxes are those of the visible pixels. Relations hold geometrically (:func:`demo_shop.sprites.holds` says what each
means), because an object is skipped if no position makes its relation true.
"""

import random
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from demo_shop.backgrounds import BACKGROUNDS
from demo_shop.canvas import Canvas, Placement
from demo_shop.facts import ListingFacts
from demo_shop.items import ITEMS, Item
from demo_shop.materials import finish
from demo_shop.props import PROPS
from demo_shop.sprites import Sprite, box_of, holds, inside, overlap, visible_of
from demo_shop.vocabulary import COLOURS

SIDES = (192, 208, 224, 240, 256)
SQUARE, LANDSCAPE, PORTRAIT = (1.0, 1.0), ((1.0, 0.8), (1.0, 0.75)), ((0.8, 1.0), (0.75, 1.0))
FALLBACKS = ("in front of", "left of", "right of", "behind")
"""Predicates that are tried in random order if the requested relation has no valid position."""
GAP = 4


@dataclass(frozen=True)
class SceneObject:
    """One object of the image: the main item is the first."""

    label: str
    box: tuple[float, float, float, float]  # shares of width and height, xyxy
    attributes: tuple[str, ...]


@dataclass(frozen=True)
class SceneRelation:
    """``objects[subject] predicate objects[object]``."""

    subject: int
    predicate: str
    object: int


@dataclass(frozen=True)
class RenderedScene:
    """The scene of an image: objects and relations."""

    background: str
    objects: tuple[SceneObject, ...]
    relations: tuple[SceneRelation, ...]


def render(facts: ListingFacts, rng: random.Random) -> tuple[Image.Image, RenderedScene, list[Sprite]]:
    """The image, its scene, and the sprites from back to front (the main item's ``predicate`` is empty)."""
    item = ITEMS[facts.item]
    wishes = [wish for _, _, wish in facts.props]
    width, height = _size(item, wishes, rng)
    grain = np.random.Generator(np.random.PCG64(rng.getrandbits(64)))
    kinds = ("room", "studio", "tiles") if item.hangs else tuple(BACKGROUNDS)
    background = rng.choice([kind for kind in kinds if kind != "garden" or "above" not in wishes])
    image = BACKGROUNDS[background](width, height, rng, grain)
    main, placement = _main(facts, item, wishes, (width, height), rng, grain)
    sprites = [main]
    shown: list[tuple[Sprite, str, str]] = []
    for kind, colour, wish in facts.props:
        prop = _prop(kind, colour, round(min(width, height) * (0.17 + 0.05 * rng.random())), rng)
        others = [sprite for sprite, _, _ in shown]
        for predicate in (wish, *rng.sample(FALLBACKS, len(FALLBACKS))):
            if _place(prop, predicate, main, (item, placement), (width, height), others, rng):
                shown.append((prop, kind, colour))
                sprites.insert(sprites.index(main) if predicate == "behind" else len(sprites), prop)
                break
    canvas = _compose(image, sprites, main, item, rng)
    objects = [(main, facts.item, _attributes(facts)), *((prop, kind, (colour,)) for prop, kind, colour in shown)]
    scene = _seen(background, objects, sprites, (width, height), rng)
    return canvas, scene, sprites


def _size(item: Item, wishes: list[str], rng: random.Random) -> tuple[int, int]:
    """Width and height of the image, for the item's shape and the objects beside or above it."""
    aspect = item.width / item.height + 0.3 * sum(wish in ("left of", "right of") for wish in wishes)
    aspect -= 0.3 * sum(wish in ("above", "below") for wish in wishes)
    shapes = [SQUARE, *(LANDSCAPE if aspect >= 0.8 else ()), *(PORTRAIT if aspect <= 1.1 else ())]
    side, shape = rng.choice(SIDES), rng.choice(shapes)
    return round(side * shape[0]), round(side * shape[1])


def _attributes(facts: ListingFacts) -> tuple[str, ...]:
    return (facts.colour, facts.material) + ((facts.pattern,) if facts.pattern != "plain" else ())


def _main(
    facts: ListingFacts,
    item: Item,
    wishes: list[str],
    size: tuple[int, int],
    rng: random.Random,
    grain: np.random.Generator,
) -> tuple[Sprite, Placement]:
    """The main item, as large as the space for additional objects permits."""
    width, height = size
    left, right, top, bottom = _margins(item, wishes, size)
    angle = (2 * rng.random() - 1) * item.tilt
    mirror = rng.random() < 0.5
    probe = Placement(item.width, item.height, 100.0, angle, mirror, margin=0).extent
    fit = min((width - left - right) / probe[0], (height - top - bottom) / probe[1]) * 100
    scale = fit * (0.86 + 0.14 * rng.random())
    placement = Placement(item.width, item.height, scale, angle, mirror)
    canvas = Canvas(placement)
    item.draw(canvas, facts.material)
    colours, opacity = finish(canvas.layer(), facts.material, facts.colour, facts.accent, facts.pattern, grain)
    wide, high = placement.extent
    x = left + (width - left - right - wide) * rng.random()
    slack = height - top - bottom - high
    y = top + slack * (rng.random() if item.hangs else 0.75 + 0.25 * rng.random())
    return Sprite(colours, opacity, round(x), round(y)), placement


def _margins(item: Item, wishes: list[str], size: tuple[int, int]) -> tuple[float, float, float, float]:
    """Room to leave at the left, right, top and bottom, in pixels; wide on the side of an additional object."""
    width, height = size
    wide = 0.25 * min(size)
    topped = "above" in wishes or ("on" in wishes and item.support is not None and item.support[2] < 20)
    return (
        wide if "left of" in wishes else 0.05 * width,
        wide if "right of" in wishes else 0.05 * width,
        wide if topped else 0.05 * height,
        wide if "below" in wishes and item.hangs else 0.05 * height,
    )


def _prop(kind: str, colour: str, side: int, rng: random.Random) -> Sprite:
    placement = Placement(100, 100, side / 100, (2 * rng.random() - 1) * 4, rng.random() < 0.5, margin=1)
    canvas = Canvas(placement)
    PROPS[kind](canvas, COLOURS[colour])
    layer = canvas.layer()
    return Sprite(layer.paint, layer.cover, 0, 0)


def _place(
    prop: Sprite,
    wish: str,
    main: Sprite,
    drawn: tuple[Item, Placement],
    size: tuple[int, int],
    others: list[Sprite],
    rng: random.Random,
) -> bool:
    """Move the prop to a position without overlap where its relation to the main item holds, if one exists."""
    for spot in _spots(prop, wish, main, drawn, size, rng):
        prop.x, prop.y = spot
        if inside(prop, size) and not any(overlap(prop, other) for other in others) and holds(wish, prop, main):
            prop.predicate = wish
            return True
    return False


def _spots(
    prop: Sprite,
    wish: str,
    main: Sprite,
    drawn: tuple[Item, Placement],
    size: tuple[int, int],
    rng: random.Random,
) -> list[tuple[int, int]]:
    """Candidate positions of the prop's top left corner. Props of a hanging item are on the ground below it."""
    high, wide = prop.opacity.shape
    x0, y0, x1, y1 = box_of(main)
    floor = size[1] - high - 2
    ground = floor - rng.randrange(6) if drawn[0].hangs else y1 - high + rng.randrange(-2, 3)
    if wish == "left of":
        return [(x, ground) for x in _spread(1, x0 - wide - GAP, rng)]
    if wish == "right of":
        return [(x, ground) for x in _spread(x1 + GAP, size[0] - wide - 1, rng)]
    if wish == "above":
        return [(x, y0 - high - GAP) for x in _spread(x0, x1 - wide, rng)]
    if wish == "below":
        return [(x, floor) for x in _spread(x0, x1 - wide, rng)]
    if wish == "on":
        return _on_support(prop, main, *drawn, rng)
    if wish == "behind":
        back = ground if drawn[0].hangs else y1 - high - rng.randrange(5, 12)
        return [(x, back) for x in _spread(x0 - wide // 2, x1 - wide // 2, rng, 12)]
    front = min(floor, y1 - high + 9) if not drawn[0].hangs else floor
    return [(x, front) for x in _spread(x0 - wide // 2, x1 - wide // 2, rng, 12)]


def _on_support(
    prop: Sprite, main: Sprite, item: Item, placement: Placement, rng: random.Random
) -> list[tuple[int, int]]:
    """Positions with the prop's foot on the support surface of the main item."""
    if item.support is None:
        return []
    high, wide = prop.opacity.shape
    x0, x1, y = item.support
    spots = []
    for share in (rng.random(), 0.5):
        right = (x0 + (x1 - x0) * share - placement.width / 2) * (-1 if placement.mirror else 1) * placement.scale
        down = (y - placement.height / 2) * placement.scale
        sheight, swidth = main.opacity.shape
        spots.append((round(main.x + swidth / 2 + right - wide / 2), round(main.y + sheight / 2 + down - high + 2)))
    return spots


def _spread(start: float, end: float, rng: random.Random, count: int = 4) -> list[int]:
    """Up to ``count`` positions between start and end in random order; none if there is no space."""
    if end < start:
        return []
    return [round(start + (end - start) * (step + rng.random()) / count) for step in rng.sample(range(count), count)]


def _compose(image: Image.Image, sprites: list[Sprite], main: Sprite, item: Item, rng: random.Random) -> Image.Image:
    """Shadows, then sprites from back to front, then light."""
    width, _height = image.size
    image = _shadowed(image, sprites, main, item)
    canvas = np.asarray(image).astype(np.float32)
    for sprite in sprites:
        high, wide = sprite.opacity.shape
        window = (slice(sprite.y, sprite.y + high), slice(sprite.x, sprite.x + wide))
        clear = (255 - sprite.opacity.astype(np.float32))[:, :, None] / 255
        canvas[window] = canvas[window] * clear + sprite.colours
    light = 0.9 + 0.16 * rng.random()
    slope = (rng.random() - 0.5) * 0.24
    across = (light * (1 + slope * (np.arange(width) / width - 0.5))).astype(np.float32)
    return Image.fromarray(np.clip(canvas * across[None, :, None], 0, 255).astype(np.uint8))


def _shadowed(image: Image.Image, sprites: list[Sprite], main: Sprite, item: Item) -> Image.Image:
    """Draw contact shadows under standing objects, a soft one behind a hanging item, shelves under raised objects."""
    width, height = image.size
    small = Image.new("L", (width // 4 + 1, height // 4 + 1))
    draw = ImageDraw.Draw(small)
    for sprite in sprites:
        x0, _y0, x1, y1 = (value / 4 for value in box_of(sprite))
        if sprite is main and item.hangs:
            shade = Image.fromarray(main.opacity // 3).reduce(4)
            small.paste(shade, (main.x // 4 + 1, main.y // 4 + 2))
        else:
            thick = max(1.2, (x1 - x0) * 0.09)
            draw.ellipse([x0 - 1, y1 - thick, x1 + 1, y1 + thick * 0.9], fill=105)
    soft = small.filter(ImageFilter.BoxBlur(1)).resize((width, height), Image.Resampling.BILINEAR)
    dark = Image.new("RGB", (width, height), (34, 28, 30))
    image = Image.composite(dark, image, soft)
    for sprite in sprites:
        if sprite.predicate == "above":
            x0, _, x1, y1 = box_of(sprite)
            draw = ImageDraw.Draw(image)
            draw.rectangle([x0 - 5, y1, x1 + 4, y1 + 2], fill=(150, 118, 84))
            draw.line([(x0 - 5, y1 + 3), (x1 + 4, y1 + 3)], fill=(92, 70, 52))
    return image


def _seen(
    background: str,
    things: list[tuple[Sprite, str, tuple[str, ...]]],
    sprites: list[Sprite],
    size: tuple[int, int],
    rng: random.Random,
) -> RenderedScene:
    objects = []
    for sprite, label, attributes in things:
        over = sprites[sprites.index(sprite) + 1 :]
        x0, y0, x1, y1 = box_of(sprite, visible_of(sprite, over))
        objects.append(SceneObject(label, (x0 / size[0], y0 / size[1], x1 / size[0], y1 / size[1]), attributes))
    relations = [SceneRelation(place, sprite.predicate, 0) for place, (sprite, _, _) in enumerate(things) if place]
    for first in range(1, len(things)):
        for second in range(first + 1, len(things)):
            predicate = next(
                (side for side in ("left of", "right of") if holds(side, things[first][0], things[second][0])), None
            )
            if predicate and rng.random() < 0.5:
                relations.append(SceneRelation(first, predicate, second))
    return RenderedScene(background, tuple(objects), tuple(relations))
