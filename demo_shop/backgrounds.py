"""Five kinds of background, painted at final resolution in muted colours, so that the main item stands out."""

import random
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from demo_shop.materials import noise
from demo_shop.vocabulary import Colour

WALLS: tuple[Colour, ...] = (
    (226, 219, 205), (205, 214, 212), (214, 205, 217), (198, 209, 222), (226, 208, 196), (205, 214, 194),
    (232, 228, 222), (180, 190, 196), (240, 226, 190), (190, 178, 168),
)  # fmt: skip
FLOORS: tuple[Colour, ...] = (
    (176, 150, 122),
    (150, 140, 132),
    (196, 180, 156),
    (128, 112, 100),
    (168, 160, 158),
    (202, 196, 188),
)


def room(width: int, height: int, rng: random.Random, grain: np.random.Generator) -> Image.Image:
    """A wall, sometimes papered, with a skirting board over a floor, sometimes of boards."""
    line = 0.6 + 0.12 * rng.random()
    wall, floor = _vary(rng.choice(WALLS), rng), _vary(rng.choice(FLOORS), rng)
    image = _gradient(width, height, wall, _scaled(wall, 0.86))
    draw = ImageDraw.Draw(image)
    edge = round(height * line)
    if rng.random() < 0.4:
        step = rng.randrange(14, 26)
        for x in range(rng.randrange(step), width, step):
            draw.line([(x, 0), (x, edge)], fill=_scaled(wall, 0.94), width=rng.choice((1, 1, 4)))
    image.paste(_gradient(width, height - edge, _scaled(floor, 0.82), floor), (0, edge))
    if rng.random() < 0.6:
        middle, step = rng.randrange(width), rng.randrange(26, 44)
        for foot in range(-8, 9):
            x = middle + foot * step
            draw.line([(middle + (x - middle) * 0.55, edge), (x * 2 - middle, height)], fill=_scaled(floor, 0.74))
    board = rng.randrange(4, 9)
    draw.rectangle([0, edge - board, width, edge], fill=_scaled(wall, 1.06))
    draw.line([(0, edge), (width, edge)], fill=_scaled(floor, 0.6))
    return image


def table_top(width: int, height: int, rng: random.Random, grain: np.random.Generator) -> Image.Image:
    """A wooden top before a blurred wall."""
    line = 0.55 + 0.12 * rng.random()
    wall, top = _vary(rng.choice(WALLS), rng), _vary(rng.choice(FLOORS), rng)
    image = _gradient(width, height, _scaled(wall, 0.9), wall)
    edge = round(height * line)
    boards = _gradient(width, height - edge, _scaled(top, 0.9), _scaled(top, 1.08))
    streaks = noise(grain, height - edge, width, 3, 50)[:, :, None] * np.float32(9)
    image.paste(_shifted(boards, streaks), (0, edge))
    draw = ImageDraw.Draw(image)
    for _ in range(rng.randrange(1, 4)):
        y = rng.randrange(edge + 4, height)
        draw.line([(0, y), (width, y)], fill=_scaled(top, 0.72))
    draw.line([(0, edge), (width, edge)], fill=_scaled(top, 0.66), width=2)
    return image


def studio(width: int, height: int, rng: random.Random, grain: np.random.Generator) -> Image.Image:
    """A seamless backdrop that grows lighter towards the floor."""
    wall = _vary(rng.choice(WALLS), rng)
    if rng.random() < 0.25:
        wall = _scaled(wall, 0.55)
    return _gradient(width, height, _scaled(wall, 0.84), _scaled(wall, 1.1))


def garden(width: int, height: int, rng: random.Random, grain: np.random.Generator) -> Image.Image:
    """Sky, a hedge and a lawn."""
    line = 0.56 + 0.12 * rng.random()
    sky = _vary((196, 218, 234), rng)
    image = _gradient(width, height, sky, _scaled(sky, 1.12))
    draw = ImageDraw.Draw(image)
    edge = round(height * line)
    hedge = _vary((134, 166, 126), rng)
    for x in range(-10, width + 10, 9):
        radius = rng.randrange(9, 20)
        draw.ellipse(
            [x - radius, edge - radius * 1.3, x + radius, edge + radius], fill=_scaled(hedge, 0.9 + 0.2 * rng.random())
        )
    lawn = _vary((158, 184, 122), rng)
    blades = noise(grain, height - edge, width, 4, 2)[:, :, None] * np.float32(14)
    image.paste(_shifted(_gradient(width, height - edge, _scaled(lawn, 0.9), lawn), blades), (0, edge))
    return image


def tiles(width: int, height: int, rng: random.Random, grain: np.random.Generator) -> Image.Image:
    """A tiled wall over a plain counter."""
    line = 0.62 + 0.12 * rng.random()
    wall, counter = _vary(rng.choice(WALLS), rng), _vary(rng.choice(FLOORS), rng)
    image = _gradient(width, height, wall, _scaled(wall, 0.95))
    draw = ImageDraw.Draw(image)
    edge, step = round(height * line), rng.randrange(20, 36)
    brick = rng.random() < 0.5
    for row, y in enumerate(range(edge, -step, -(step // 2 if brick else step))):
        draw.line([(0, y), (width, y)], fill=_scaled(wall, 0.86))
        shift = step // 2 if brick and row % 2 else 0
        for x in range(shift, width, step):
            draw.line([(x, y - (step // 2 if brick else step)), (x, y)], fill=_scaled(wall, 0.86))
    image.paste(_gradient(width, height - edge, _scaled(counter, 1.1), counter), (0, edge))
    draw.line([(0, edge), (width, edge)], fill=_scaled(counter, 0.7), width=2)
    return image


BACKGROUNDS: Mapping[str, Callable[[int, int, random.Random, np.random.Generator], Image.Image]] = {
    "room": room, "table top": table_top, "studio": studio, "garden": garden, "tiles": tiles,
}  # fmt: skip


def _gradient(width: int, height: int, top: Colour, bottom: Colour) -> Image.Image:
    column = Image.frombytes("RGB", (1, 2), bytes((*top, *bottom)))
    return column.resize((width, max(1, height)), Image.Resampling.BILINEAR)


def _shifted(image: Image.Image, by: NDArray[np.float32]) -> Image.Image:
    return Image.fromarray(np.clip(np.asarray(image) + by, 0, 255).astype(np.uint8))


def _scaled(colour: Colour, by: float) -> Colour:
    red, green, blue = (min(255, max(0, round(value * by))) for value in colour)
    return red, green, blue


def _vary(colour: Colour, rng: random.Random) -> Colour:
    red, green, blue = (min(255, max(0, value + rng.randrange(-14, 15))) for value in colour)
    return red, green, blue
