"""Drawings of the small additional objects, each in a frame of 100 x 100 units and in its own colours."""

from collections.abc import Callable, Mapping

from demo_shop.canvas import Canvas, curve
from demo_shop.vocabulary import Colour

WHITE = (246, 244, 238)
INK = (44, 42, 46)


def ball(canvas: Canvas, colour: Colour) -> None:
    """A beach ball."""
    canvas.ellipse(50, 50, 50, 50, fill=colour)
    canvas.smooth([(50, 2), (70, 25), (74, 50), (68, 78), (50, 98), (44, 70), (44, 30)], fill=WHITE)
    canvas.ellipse(30, 28, 9, 7, fill=WHITE, edge=False)


def apple(canvas: Canvas, colour: Colour) -> None:
    """An apple with a leaf."""
    canvas.smooth(
        [
            (50, 26),
            (68, 18),
            (92, 26),
            (98, 52),
            (84, 86),
            (64, 99),
            (50, 95),
            (36, 99),
            (16, 86),
            (2, 52),
            (8, 26),
            (32, 18),
        ],
        fill=colour,
    )
    canvas.line(curve([(50, 30), (50, 14), (56, 2)]), 6, fill=(96, 62, 36))
    canvas.smooth([(56, 16), (72, 2), (90, 4), (76, 18)], fill=(92, 168, 70))
    canvas.ellipse(28, 44, 7, 12, fill=WHITE, edge=False)


def cactus(canvas: Canvas, colour: Colour) -> None:
    """A cactus in its pot."""
    canvas.line(curve([(46, 48), (20, 46), (18, 26)]), 14, fill=colour, edge=True)
    canvas.line(curve([(54, 40), (80, 38), (82, 18)]), 14, fill=colour, edge=True)
    canvas.rounded(36, 0, 64, 70, 13, fill=colour)
    for x in (45, 55):
        canvas.line([(x, 12), (x, 62)], 2.5, fill=(40, 100, 54))
    canvas.polygon([(24, 64), (76, 64), (68, 100), (32, 100)], fill=(190, 96, 58))
    canvas.polygon([(20, 60), (80, 60), (80, 72), (20, 72)], fill=(206, 112, 70))


def candle(canvas: Canvas, colour: Colour) -> None:
    """A burning candle in a dish."""
    canvas.smooth([(50, 0), (60, 18), (58, 30), (50, 34), (42, 30), (40, 18)], fill=(250, 190, 60))
    canvas.line([(50, 28), (50, 42)], 4, fill=INK)
    canvas.rounded(34, 38, 66, 92, 5, fill=colour)
    canvas.polygon([(14, 84), (86, 84), (74, 100), (26, 100)], fill=(176, 138, 66))


def cube(canvas: Canvas, colour: Colour) -> None:
    """A toy block with a letter's stroke on it."""
    red, green, blue = colour
    canvas.polygon(
        [(2, 24), (28, 2), (98, 2), (76, 24)], fill=(min(255, red + 40), min(255, green + 40), min(255, blue + 40))
    )
    canvas.polygon([(76, 24), (98, 2), (98, 74), (76, 98)], fill=(red * 2 // 3, green * 2 // 3, blue * 2 // 3))
    canvas.polygon([(2, 24), (76, 24), (76, 98), (2, 98)], fill=colour)
    canvas.line([(22, 84), (39, 40), (56, 84)], 8, fill=WHITE)
    canvas.line([(28, 68), (50, 68)], 7, fill=WHITE)


def duck(canvas: Canvas, colour: Colour) -> None:
    """A bath duck."""
    canvas.smooth(
        [(2, 50), (14, 58), (40, 58), (62, 52), (90, 56), (96, 74), (84, 94), (50, 99), (20, 92), (6, 74)], fill=colour
    )
    canvas.ellipse(68, 30, 25, 28, fill=colour)
    canvas.smooth([(88, 28), (100, 32), (99, 40), (86, 42)], fill=(236, 116, 36))
    canvas.ellipse(74, 23, 4.5, 5.5, fill=INK, edge=False)
    canvas.smooth([(26, 68), (46, 66), (60, 72), (44, 84), (28, 80)], fill=(220, 172, 40))


def spool(canvas: Canvas, colour: Colour) -> None:
    """A spool of thread."""
    canvas.rounded(12, 84, 88, 100, 5, fill=(196, 148, 92))
    canvas.rounded(20, 14, 80, 86, 6, fill=colour)
    red, green, blue = colour
    for y in range(24, 84, 10):
        canvas.line([(22, y), (78, y + 4)], 2.5, fill=(red * 2 // 3, green * 2 // 3, blue * 2 // 3))
    canvas.rounded(12, 0, 88, 16, 5, fill=(206, 160, 104))


def hammer(canvas: Canvas, colour: Colour) -> None:
    """A hammer, standing on its handle."""
    canvas.rounded(42, 22, 58, 100, 6, fill=colour)
    canvas.polygon([(10, 4), (60, 2), (94, 16), (96, 24), (64, 26), (36, 24), (10, 28)], fill=(120, 126, 136))
    canvas.rounded(4, 0, 22, 32, 4, fill=(96, 100, 110))


PROPS: Mapping[str, Callable[[Canvas, Colour], None]] = {
    "ball": ball, "apple": apple, "cactus": cactus, "candle": candle,
    "cube": cube, "duck": duck, "spool": spool, "hammer": hammer,
}  # fmt: skip
