"""Appearance of fifteen materials: relief (grain, weave, knit, chips), sheen, and patterns printed on top.

:func:`surface` gives the colour of a material on each pixel; :func:`finish` lays it on a drawn layer. Distances are in
pixels of the final image, and coarse enough to survive at 64 pixels.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from demo_shop.canvas import NEUTRAL, Bytes, Layer
from demo_shop.vocabulary import COLOURS

Grid = NDArray[np.floating[Any]]
Random = np.random.Generator

GLASS_OPACITY = 0.34


def noise(rng: Random, height: int, width: int, down: float, across: float) -> Grid:
    """Smooth noise in [-1, 1] with cells of ``down`` x ``across`` pixels."""
    cells = (int(height / down) + 2, int(width / across) + 2)
    grid = Image.fromarray(rng.integers(0, 256, cells, dtype=np.uint8))
    return np.asarray(grid.resize((width, height), Image.Resampling.BICUBIC)).astype(np.float32) / 127.5 - 1


def _axes(height: int, width: int) -> tuple[Grid, Grid]:
    return np.arange(height, dtype=np.float32)[:, None], np.arange(width, dtype=np.float32)[None, :]


def _wave(phase: Grid) -> Grid:
    """A triangle wave in [-1, 1] with period 1."""
    return 4 * np.abs(phase - np.floor(phase) - np.float32(0.5)) - 1


def _bands(width: int, stops: list[float], levels: list[float]) -> Grid:
    """Levels across the width, linear between the stops (shares of the width)."""
    return np.interp(np.arange(width) / max(1, width - 1), stops, levels).astype(np.float32)[None, :]


def _wood(rng: Random, height: int, width: int) -> Grid:
    down, _ = _axes(height, width)
    rings = _wave((down + 26 * noise(rng, height, width, 34, 90)) / 11)
    return np.where(rings > 0.45, -0.34, 0.04 * rings) + 0.07 * noise(rng, height, width, 1.5, 26)


def _steel(rng: Random, height: int, width: int) -> Grid:
    sheen = _bands(width, [0, 0.18, 0.34, 0.5, 0.68, 0.84, 1], [-0.25, 0.1, 0.38, 0.0, -0.28, 0.2, -0.2])
    return sheen + 0.11 * noise(rng, height, width, 1, 60)


def _brass(rng: Random, height: int, width: int) -> Grid:
    sheen = _bands(width, [0, 0.15, 0.28, 0.36, 0.55, 0.75, 0.85, 1], [-0.4, -0.05, 0.62, 0.1, -0.3, 0.05, 0.4, -0.45])
    return sheen + 0.05 * noise(rng, height, width, 30, 30)


def _smooth(rng: Random, height: int, width: int) -> Grid:
    down, across = _axes(height, width)
    return 0.14 - 0.3 * (down / height * 0.7 + across / width * 0.3)


def _ceramic(rng: Random, height: int, width: int) -> Grid:
    speckle = noise(rng, height, width, 2.4, 2.4)
    glaze = np.where(noise(rng, height, width, 200, 14) * 12 + np.arange(height)[:, None] > 0.8 * height, -0.3, 0.0)
    return (0.06 * noise(rng, height, width, 40, 40) + np.where(speckle > 0.72, -0.42, 0.0) + glaze).astype(np.float32)


def _leather(rng: Random, height: int, width: int) -> Grid:
    """Fine pebbles, soft clouds and a few creases."""
    pebbles = noise(rng, height, width, 2.2, 2.2)
    creases = np.abs(noise(rng, height, width, 16, 34))
    clouds = 0.15 * noise(rng, height, width, 30, 30)
    return clouds + 0.09 * pebbles - np.where(creases < 0.035, 0.2, 0.0).astype(np.float32)


def _denim(rng: Random, height: int, width: int) -> Grid:
    down, across = _axes(height, width)
    twill = _wave((across + down) / 5)
    return 0.17 * twill + 0.14 * noise(rng, height, width, 1.3, 1.3) + 0.18 * noise(rng, height, width, 30, 12)


def _cotton(rng: Random, height: int, width: int) -> Grid:
    down, across = _axes(height, width)
    return 0.03 * _wave(across / 3) * _wave(down / 3) + 0.1 * noise(rng, height, width, 26, 18)


def _wool(rng: Random, height: int, width: int) -> Grid:
    """Knitted: columns of V-shaped stitches."""
    down, across = _axes(height, width)
    stitch = _wave((down + 4.5 * _wave(across / 13)) / 8)
    seam = _wave(across / 13 + np.float32(0.25))
    return 0.3 * stitch - np.where(seam > 0.78, 0.24, 0.0) + 0.06 * noise(rng, height, width, 1.5, 1.5)


def _cardboard(rng: Random, height: int, width: int) -> Grid:
    down, across = _axes(height, width)
    return 0.13 * _wave(across / 7) + 0.0 * down + 0.05 * noise(rng, height, width, 2, 8) - 0.08


def _paper(rng: Random, height: int, width: int) -> Grid:
    """Newsprint: lines of text in columns."""
    down, across = _axes(height, width)
    rows = np.floor(down / 6)
    ink = rng.random((int(height / 6) + 1, int(width / 3) + 1)).astype(np.float32) > 0.22
    letters = ink[rows.astype(int)[:, 0]][:, (across / 3).astype(int)[0]]
    column = (across % 46) < 38
    line = (down % 6) < 2.6
    return np.where(letters & column & line, -0.45, 0.02).astype(np.float32) + 0.04 * noise(rng, height, width, 30, 30)


def _cork(rng: Random, height: int, width: int) -> Grid:
    crumbs = noise(rng, height, width, 3.2, 3.2)
    return np.where(crumbs > 0.45, -0.5, np.where(crumbs < -0.5, 0.22, 0.0)).astype(np.float32) - 0.1


def _wicker(rng: Random, height: int, width: int) -> Grid:
    down, across = _axes(height, width)
    over = (np.floor(down / 7) + np.floor(across / 9)) % 2 == 0
    lying, standing = _wave(down / 7), _wave(across / 9)
    return np.where(over, 0.14 - 0.42 * (lying > 0.5), -0.1 - 0.36 * (standing > 0.3)).astype(
        np.float32
    ) + 0.07 * noise(rng, height, width, 2, 2)


def _stone(rng: Random, height: int, width: int) -> Grid:
    chips = noise(rng, height, width, 6, 6)
    dark = noise(rng, height, width, 5, 5)
    return np.where(chips > 0.42, 0.3, np.where(dark > 0.42, -0.5, 0.0)).astype(np.float32) + 0.05 * noise(
        rng, height, width, 2, 2
    )


RELIEF: Mapping[str, Callable[[Random, int, int], Grid]] = {
    "wood": _wood, "steel": _steel, "brass": _brass, "glass": _smooth, "plastic": _smooth, "ceramic": _ceramic,
    "leather": _leather, "denim": _denim, "cotton": _cotton, "wool": _wool, "cardboard": _cardboard, "paper": _paper,
    "cork": _cork, "wicker": _wicker, "stone": _stone,
}  # fmt: skip
GLOSS: Mapping[str, tuple[float, float]] = {
    "plastic": (0.62, 0.05),
    "glass": (0.55, 0.05),
    "ceramic": (0.5, 0.1),
    "leather": (0.16, 0.2),
    "brass": (0.25, 0.04),
}
"""Strength of the highlight and its half width as a share of the item."""


def surface(material: str, colour: str, accent: str, pattern: str, height: int, width: int, rng: Random) -> Bytes:
    """The material's colour on each pixel, (height, width, 3)."""
    base: Grid = np.array(COLOURS[colour], np.float32)[None, None, :]
    if pattern != "plain":
        printed = _printed(pattern, height, width)[:, :, None]
        base = base * (1 - printed) + np.array(COLOURS[accent], np.float32) * printed
    relief = RELIEF[material](rng, height, width)[:, :, None]
    bright = np.where(relief > 0, base + (255 - base) * relief, base * (1 + relief))
    return np.clip(bright, 0, 255).astype(np.uint8)


def _printed(pattern: str, height: int, width: int) -> Grid:
    """Coverage of the second colour: about six repeats over the item."""
    down, across = _axes(height, width)
    period = np.float32(max(height, width) / 7)
    if pattern == "striped":
        return np.clip(_wave(down / period) * period / 4 + 0.5, 0, 1) + 0 * across
    if pattern == "checked":
        lying = np.clip(_wave(down / period) * period / 4 + 0.5, 0, 1)
        standing = np.clip(_wave(across / period) * period / 4 + 0.5, 0, 1)
        return np.float32(0.5) * (lying + standing)
    shift = np.floor(down / period) % 2 * np.float32(0.5)
    x = (across / period + shift) % 1 - np.float32(0.5)
    y = down / period % 1 - np.float32(0.5)
    return np.clip((np.float32(0.3) - np.sqrt(x * x + y * y)) * period + np.float32(0.5), 0, 1)


def finish(layer: Layer, material: str, colour: str, accent: str, pattern: str, rng: Random) -> tuple[Bytes, Bytes]:
    """The layer in its material: colours premultiplied, (height, width, 3), and opacity, (height, width)."""
    height, width = layer.cover.shape
    base = surface(material, colour, accent, pattern, height, width, rng).astype(np.float32)
    cover = (layer.cover - np.minimum(layer.cover, layer.fixed)).astype(np.float32) / 255  # of the material alone
    tone = layer.tone.astype(np.float32)
    low = np.minimum(tone, NEUTRAL * cover)
    high = (tone - low) / (255 - NEUTRAL)
    if material in GLOSS:
        high = np.minimum(cover, high + cover * _gloss(height, width, *GLOSS[material]))
    solid: Grid = (base * (low / NEUTRAL)[:, :, None] + (255 - base) * high[:, :, None]) + 0.0
    opacity: Grid = layer.cover.astype(np.float32)
    if material == "glass":
        clear = cover * GLASS_OPACITY + np.abs(tone - NEUTRAL * cover) / 110 + high * 0.5
        share = np.minimum(1, clear / np.maximum(cover, 1 / 255))
        solid = solid * share[:, :, None]
        opacity = layer.fixed + 255 * cover * share
    colours = np.clip(solid + layer.paint, 0, 255)
    return colours.astype(np.uint8), np.clip(opacity, 0, 255).astype(np.uint8)


def _gloss(height: int, width: int, strength: float, half: float) -> Grid:
    """A soft slanting highlight at a third of the width."""
    down, across = _axes(height, width)
    distance = np.abs(across / width + down / height * np.float32(0.22) - np.float32(0.4))
    return np.maximum(0, strength * (1 - distance / half)).astype(np.float32)
