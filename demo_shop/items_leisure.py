"""Drawings: books and boxes, bicycles and guitars."""

import math

from demo_shop.canvas import Canvas, curve

PAGES = (246, 240, 224)
INK = (44, 42, 46)
DARK_WOOD = (84, 52, 34)


def book(canvas: Canvas, material: str) -> None:
    """A hardback, standing, seen from its front; pages show at the right and below."""
    canvas.polygon([(10, 90), (72, 90), (80, 84), (80, 96), (14, 97)], fill=PAGES)
    canvas.polygon([(70, 3), (78, 8), (78, 94), (70, 90)], fill=PAGES)
    for x in (72.5, 74.5, 76.5):
        canvas.line([(x, 8), (x, 92)], 0.5, fill=(186, 178, 160))
    canvas.polygon([(0, 4), (11, 0), (11, 92), (0, 98)], tone=92)
    canvas.polygon([(11, 0), (72, 0), (72, 92), (11, 92)], tone=128)
    canvas.polygon([(11, 92), (72, 92), (79, 98), (0, 98)], tone=84)
    canvas.line([(17, 1), (17, 91)], 1.2, tone=88)
    canvas.rounded(26, 18, 62, 42, 2, fill=PAGES)
    canvas.line([(32, 26), (56, 26)], 3, fill=INK)
    canvas.line([(36, 34), (52, 34)], 2, fill=INK)
    canvas.polygon([(54, 0), (61, 0), (61, 0.5), (54, 0.5)], fill=(196, 44, 52))
    for y in (16, 76):
        canvas.line([(0.8, y + 3), (10.4, y)], 2, tone=142)


def box(canvas: Canvas, material: str) -> None:
    """An open box from above its corner, its flaps turned out."""
    canvas.polygon([(12, 30), (54, 20), (88, 32), (50, 46)], fill=(54, 42, 34))
    canvas.polygon([(12, 30), (54, 20), (46, 2), (4, 12)], tone=112)
    canvas.polygon([(54, 20), (88, 32), (96, 18), (62, 4)], tone=100)
    canvas.polygon([(12, 30), (50, 46), (50, 86), (12, 68)], tone=132)
    canvas.polygon([(50, 46), (88, 32), (88, 70), (50, 86)], tone=98)
    canvas.polygon([(12, 30), (50, 46), (40, 58), (0, 41)], tone=146)
    canvas.polygon([(50, 46), (88, 32), (95, 44), (60, 58)], tone=116)


def bicycle(canvas: Canvas, material: str) -> None:
    """A bicycle from the side, with rims and frame of the material."""
    for x in (22, 82):
        for spoke in range(8):
            turn = spoke * math.pi / 8
            dx, dy = 18 * math.cos(turn), 18 * math.sin(turn)
            canvas.line([(x - dx, 45 - dy), (x + dx, 45 + dy)], 0.5, fill=(130, 130, 136))
        ring = [
            (x + 20.5 * math.cos(step * math.pi / 24), 45 + 20.5 * math.sin(step * math.pi / 24)) for step in range(50)
        ]
        canvas.line(ring, 4.4, fill=INK)
        inner = [
            (x + 17 * math.cos(step * math.pi / 24), 45 + 17 * math.sin(step * math.pi / 24)) for step in range(50)
        ]
        canvas.line(inner, 2.6, tone=134)
    for tube in (
        [(22, 45), (40, 17)],
        [(22, 45), (50, 46)],
        [(50, 46), (38, 10)],
        [(50, 46), (73, 17)],
        [(40, 17), (73, 15)],
    ):
        canvas.line(tube, 4.6, tone=128, edge=True)
    canvas.line([(71, 8), (76, 24), (82, 45)], 4.6, tone=128, edge=True)
    canvas.line(curve([(71, 8), (70, 4), (77, 2), (84, 5), (82, 10)]), 2.8, fill=INK)
    canvas.smooth([(28, 6), (44, 5), (49, 8), (40, 11), (30, 11)], fill=INK)
    canvas.ellipse(50, 46, 6, 6, tone=112)
    canvas.line([(50, 46), (56, 56)], 2.2, fill=INK)
    canvas.line([(52, 57), (60, 56)], 2.8, fill=INK)
    for x in (22, 82):
        canvas.ellipse(x, 45, 3, 3, fill=INK)


def guitar(canvas: Canvas, material: str) -> None:
    """A guitar, upright."""
    half = [(23, 46), (12, 46), (6, 54), (8, 64), (9, 70), (2, 80), (1, 92), (9, 103), (23, 106)]
    canvas.smooth([*half, *((46 - x, y) for x, y in reversed(half[1:-1]))], tone=128)
    canvas.polygon([(20, 14), (26, 14), (27, 62), (19, 62)], fill=DARK_WOOD)
    canvas.polygon([(18, 0), (28, 0), (30, 3), (27, 15), (19, 15), (16, 3)], fill=DARK_WOOD)
    for y in (4, 8, 12):
        for x in (15.5, 30.5):
            canvas.ellipse(x, y, 1.8, 1.4, fill=(210, 206, 196))
    canvas.ellipse(23, 69, 7.6, 7.6, fill=INK)
    canvas.ellipse(23, 69, 5.8, 5.8, fill=(24, 22, 24), edge=False)
    canvas.polygon([(13, 88), (33, 88), (34, 92), (12, 92)], fill=DARK_WOOD)
    for x in (21, 22.4, 23.7, 25):
        canvas.line([(x, 8), (x, 90)], 0.45, fill=(236, 230, 214))
    for y in range(20, 60, 6):
        canvas.line([(19.8, y), (26.2, y)], 0.5, fill=(190, 180, 150))
