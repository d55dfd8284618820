"""Drawings: vessels."""

from demo_shop.canvas import Canvas, curve

LABEL = (246, 242, 230)
INK = (70, 64, 60)
LEAF = (66, 132, 62)


def bottle(canvas: Canvas, material: str) -> None:
    """A bottle with a narrow neck and a stopper."""
    canvas.polygon([(14.5, 0), (23.5, 0), (23, 9), (15, 9)], fill=(150, 104, 62))
    half = [(12.5, 9), (12.5, 13), (14, 14), (13.5, 30), (10, 38), (2.5, 46), (0.5, 54), (0.5, 94), (4, 100)]
    outline = [*half, *((38 - x, y) for x, y in reversed(half))]
    canvas.polygon(outline, turned=True)
    canvas.line([(12.5, 13.5), (25.5, 13.5)], 1.2, tone=80)
    canvas.line([(1, 92), (37, 92)], 0.9, tone=92)
    canvas.line([(8, 54), (8, 86)], 2.4, tone=222)


def mug(canvas: Canvas, material: str) -> None:
    """A mug full of coffee, its handle to the right."""
    canvas.line(curve([(58, 24), (74, 20), (82, 34), (79, 52), (69, 60), (57, 60)]), 8, tone=112, edge=True)
    canvas.polygon([(0, 9), (60, 9), (59, 66), (54, 76), (44, 80), (16, 80), (6, 76), (1, 66)], turned=True)
    canvas.ellipse(30, 9, 30, 8.5, tone=140)
    canvas.ellipse(30, 10, 25.5, 6, fill=(84, 52, 34))


def jar(canvas: Canvas, material: str) -> None:
    """A wide preserving jar with a screw lid and a label."""
    canvas.smooth([(8, 16), (56, 16), (63, 26), (64, 72), (58, 83), (32, 84), (6, 83), (0, 72), (1, 26)], turned=True)
    canvas.rounded(5, 0, 59, 16, 3, fill=(196, 64, 52))
    for x in range(9, 58, 6):
        canvas.line([(x, 3), (x, 14)], 1, fill=(150, 42, 36))
    canvas.rounded(16, 40, 48, 64, 2, fill=LABEL)
    canvas.line([(22, 48), (42, 48)], 2, fill=INK)
    canvas.line([(22, 55), (36, 55)], 2, fill=INK)
    canvas.line([(7, 30), (7, 70)], 2.6, tone=214)


def vase(canvas: Canvas, material: str) -> None:
    """A bellied vase with three flowers."""
    for x, y, bend in ((12, 14, 22), (30, 8, 30), (49, 15, 38)):
        canvas.line(curve([(x, y), ((x + bend) / 2, 30), (bend, 52)]), 2, fill=LEAF)
    canvas.smooth([(30, 44), (19, 36), (14, 28), (24, 32)], fill=LEAF)
    canvas.smooth([(32, 44), (40, 34), (46, 28), (42, 40)], fill=LEAF)
    for x, y, colour in ((12, 12, (232, 92, 116)), (30, 9, (246, 196, 66)), (48, 13, (232, 92, 116))):
        for right, down in ((0, -6), (5.6, -1.8), (3.5, 4.8), (-3.5, 4.8), (-5.6, -1.8)):
            canvas.ellipse(x + right, y + down * 0.9 + 1, 4.2, 4.2, fill=colour)
        canvas.ellipse(x, y + 1, 3.2, 3.2, fill=(122, 74, 40), edge=False)
    half = [(19, 42), (22, 50), (21, 56), (10, 64), (3, 74), (5, 87), (15, 96), (16, 100)]
    canvas.polygon(curve([*half, *((60 - x, y) for x, y in reversed(half))]), turned=True)
    canvas.ellipse(30, 42.5, 11, 2.8, tone=84)
