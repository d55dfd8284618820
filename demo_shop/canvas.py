"""Antialiased drawing in an item's own coordinates, on a supersampled layer.

A layer separates *what is covered*, *how bright the material is there* (tone) and *what has a colour of its own*
(paint), so that one drawing of a chair serves for each material. Everything is premultiplied by coverage once reduced,
so edges blend without fringes. Only integers and exactly rounded operations decide pixels: same bytes on every machine.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from demo_shop.vocabulary import Colour

SUPERSAMPLE = 3
NEUTRAL = 128
"""Tone at which a material shows its own colour; 0 is black, 255 is a white highlight."""
EDGE = 62
"""Tone of the thin outline round each part."""
ROUND = tuple((math.cos(step * math.pi / 24), math.sin(step * math.pi / 24)) for step in range(48))
SHADING = tuple(
    int(value) for value in np.interp(np.arange(64), [0, 6, 16, 24, 46, 63], [78, 112, 168, 138, 116, 70]).round()
)
"""Tone across a turned (cylindrical) part, left to right: rim, light, highlight, neutral, shade, rim."""

Point = tuple[float, float]
Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class Placement:
    """Transform from drawing units to layer pixels: scale, rotate about the middle of the frame, mirror, move."""

    width: float  # of the frame, drawing units
    height: float  # of the frame, drawing units
    scale: float  # pixels per unit
    angle: float = 0.0  # degrees, clockwise
    mirror: bool = False
    margin: int = 3  # pixels round the rotated frame

    @property
    def extent(self) -> tuple[int, int]:
        """Width and height in pixels of the layer that holds the rotated frame."""
        turn = math.radians(self.angle)
        cos, sin = abs(math.cos(turn)), abs(math.sin(turn))
        wide = (self.width * cos + self.height * sin) * self.scale
        high = (self.width * sin + self.height * cos) * self.scale
        return math.ceil(wide) + 2 * self.margin, math.ceil(high) + 2 * self.margin


@dataclass(frozen=True)
class Layer:
    """A drawing at final resolution, every channel premultiplied by coverage.

    ``cover``, ``tone``, ``fixed``: (height, width); ``paint``: (height, width, 3).
    """

    cover: Bytes
    tone: Bytes
    fixed: Bytes
    paint: Bytes


class Canvas:
    """Draws parts one over the other in drawing units (x right, y down, (0, 0) at the frame's top left)."""

    def __init__(self, placement: Placement) -> None:
        self._width, self._height = placement.extent
        size = (self._width * SUPERSAMPLE, self._height * SUPERSAMPLE)
        self._cover = Image.new("L", size)
        self._tone = Image.new("L", size)
        self._fixed = Image.new("L", size)
        self._paint = Image.new("RGB", size)
        self._draws = [ImageDraw.Draw(image) for image in (self._cover, self._tone, self._fixed, self._paint)]
        self._zoom = placement.scale * SUPERSAMPLE
        turn = math.radians(placement.angle)
        self._cos, self._sin = math.cos(turn) * self._zoom, math.sin(turn) * self._zoom
        self._flip = -1 if placement.mirror else 1
        self._middle = (placement.width / 2, placement.height / 2)
        self._origin = (size[0] / 2, size[1] / 2)

    def polygon(
        self,
        points: Sequence[Point],
        tone: int = NEUTRAL,
        fill: Colour | None = None,
        edge: bool = True,
        turned: bool = False,
    ) -> None:
        """A filled part: in the material's colour at ``tone``, or in its own colour ``fill``.

        ``turned`` shades it like a cylinder; ``edge`` draws its outline.
        """
        outline = self._pixels(points)
        self._put(lambda draw, value: draw.polygon(outline, fill=value), tone, fill)
        if turned and fill is None:
            self._shade(outline, tone)
        if edge:
            self._stroke(
                [*outline, outline[0], outline[1]], max(2, round(self._zoom * 0.55)), EDGE, fill and _darker(fill)
            )

    def ellipse(
        self,
        x: float,
        y: float,
        rx: float,
        ry: float,
        tone: int = NEUTRAL,
        fill: Colour | None = None,
        edge: bool = True,
        turned: bool = False,
    ) -> None:
        """An ellipse about (x, y)."""
        self.polygon([(x + rx * cos, y + ry * sin) for cos, sin in ROUND], tone, fill, edge, turned)

    def smooth(
        self,
        points: Sequence[Point],
        tone: int = NEUTRAL,
        fill: Colour | None = None,
        edge: bool = True,
        turned: bool = False,
    ) -> None:
        """A closed smooth curve through the points (Catmull-Rom)."""
        self.polygon(curve(points, closed=True), tone, fill, edge, turned)

    def rounded(
        self,
        x0: float,
        y0: float,
        x1: float,
        y1: float,
        radius: float,
        tone: int = NEUTRAL,
        fill: Colour | None = None,
        edge: bool = True,
        turned: bool = False,
    ) -> None:
        """A rectangle with round corners."""
        corners = (
            (x1 - radius, y1 - radius),
            (x0 + radius, y1 - radius),
            (x0 + radius, y0 + radius),
            (x1 - radius, y0 + radius),
        )
        points = [
            (x + radius * cos, y + radius * sin)
            for quarter, (x, y) in enumerate(corners)
            for cos, sin in ROUND[quarter * 12 : quarter * 12 + 13 : 3] or ()
        ]
        self.polygon(points, tone, fill, edge, turned)

    def line(
        self, points: Sequence[Point], width: float, tone: int = NEUTRAL, fill: Colour | None = None, edge: bool = False
    ) -> None:
        """A line with round ends, ``width`` units wide; ``edge`` outlines it."""
        track = self._pixels(points)
        broad = max(1, round(width * self._zoom))
        if edge:
            self._stroke(track, broad + 2 * max(1, round(self._zoom * 0.5)), EDGE, fill and _darker(fill))
        self._stroke(track, broad, tone, fill)

    def layer(self) -> Layer:
        """The drawing, reduced to final resolution."""
        cover, tone, fixed, paint = (
            np.asarray(image.reduce(SUPERSAMPLE)) for image in (self._cover, self._tone, self._fixed, self._paint)
        )
        return Layer(cover, tone, fixed, paint)

    def _pixels(self, points: Sequence[Point]) -> list[Point]:
        placed = []
        for x, y in points:
            right, down = (x - self._middle[0]) * self._flip, y - self._middle[1]
            placed.append(
                (
                    self._origin[0] + right * self._cos - down * self._sin,
                    self._origin[1] + right * self._sin + down * self._cos,
                )
            )
        return placed

    def _put(self, draw, tone: int, fill: Colour | None) -> None:  # type: ignore[no-untyped-def]
        """Draw the same shape on all four images."""
        own = fill is not None
        for target, value in zip(
            self._draws, (255, 0 if own else tone, 255 if own else 0, fill or (0, 0, 0)), strict=True
        ):
            draw(target, value)

    def _stroke(self, track: Sequence[Point], width: int, tone: int, fill: Colour | None) -> None:
        self._put(lambda draw, value: draw.line(track, fill=value, width=width, joint="curve"), tone, fill)
        if width > 2 * SUPERSAMPLE:
            radius = width / 2
            for x, y in (track[0], track[-1]):
                cap = (x - radius, y - radius, x + radius, y + radius)
                self._put(lambda draw, value, cap=cap: draw.ellipse(cap, fill=value), tone, fill)

    def _shade(self, outline: Sequence[Point], tone: int) -> None:
        left, right = math.floor(min(x for x, _ in outline)), math.ceil(max(x for x, _ in outline))
        top, bottom = math.floor(min(y for _, y in outline)), math.ceil(max(y for _, y in outline))
        size = (max(1, right - left), max(1, bottom - top))
        table = bytes(min(255, value * tone // NEUTRAL) for value in SHADING)
        bands = Image.frombytes("L", (len(table), 1), table).resize(size, Image.Resampling.BILINEAR)
        mask = Image.new("1", size)
        ImageDraw.Draw(mask).polygon([(x - left, y - top) for x, y in outline], fill=1)
        self._tone.paste(bands, (left, top), mask)


def curve(points: Sequence[Point], closed: bool = False, steps: int = 6) -> list[Point]:
    """Points on the Catmull-Rom spline through ``points``."""
    count = len(points)
    ring = list(points) if closed else [points[0], *points, points[-1]]
    traced: list[Point] = []
    for start in range(count if closed else count - 1):
        (x0, y0), (x1, y1), (x2, y2), (x3, y3) = (ring[(start + offset) % len(ring)] for offset in range(4))
        for step in range(steps):
            t = step / steps
            traced.append((_spline(x0, x1, x2, x3, t), _spline(y0, y1, y2, y3, t)))
    return traced if closed else [*traced, points[-1]]


def _spline(a: float, b: float, c: float, d: float, t: float) -> float:
    return b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))


def _darker(colour: Colour) -> Colour:
    red, green, blue = colour
    return red * 5 // 9, green * 5 // 9, blue * 5 // 9
