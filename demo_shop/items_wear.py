"""Drawings: clothes and accessories."""

from demo_shop.canvas import Canvas, curve

WHITE = (244, 242, 236)
BRASS = (206, 164, 74)
INK = (46, 42, 44)
STITCH = (222, 150, 60)


def t_shirt(canvas: Canvas, material: str) -> None:
    """A T-shirt, spread out."""
    neck = curve([(36, 2), (42, 10), (50, 13), (58, 10), (64, 2)])
    right = [(80, 8), (100, 34), (85, 46), (77, 38), (78, 92)]
    left = [(22, 92), (23, 38), (15, 46), (0, 34), (20, 8)]
    canvas.polygon([(38, 2), (62, 2), (58, 12), (42, 12)], tone=78, edge=False)
    canvas.polygon([*neck, *right, *left], tone=128)
    canvas.line(curve([(36, 3), (42, 12), (50, 15), (58, 12), (64, 3)]), 3, tone=96)
    for fold in ([(77, 38), (75, 60)], [(23, 38), (25, 62)], [(36, 80), (42, 62)], [(66, 84), (61, 66)]):
        canvas.line(fold, 1.5, tone=94)
    canvas.line([(86.5, 43.5), (97.5, 34.5)], 1.2, tone=92)
    canvas.line([(13.5, 43.5), (2.5, 34.5)], 1.2, tone=92)


def trousers(canvas: Canvas, material: str) -> None:
    """A pair of trousers."""
    seam = STITCH if material == "denim" else None
    canvas.polygon([(11, 0), (55, 0), (60, 40), (66, 100), (41, 100), (34, 44), (32, 44), (25, 100), (0, 100), (6, 40)])
    canvas.polygon([(11, 0), (55, 0), (56, 9), (10, 9)], tone=104)
    for x in (17, 30, 45):
        canvas.polygon([(x, 0), (x + 4, 0), (x + 4, 10), (x, 10)], tone=138)
    canvas.line([(33, 9), (33, 42)], 1.4, tone=88, fill=seam)
    canvas.line(curve([(10, 22), (18, 21), (22, 10)]), 1.5, tone=88, fill=seam)
    canvas.line(curve([(56, 22), (48, 21), (44, 10)]), 1.5, tone=88, fill=seam)
    canvas.line([(14, 40), (12, 94)], 1.2, tone=104)
    canvas.line([(52, 40), (55, 94)], 1.2, tone=104)
    for x in (1, 41):
        canvas.line([(x, 95), (x + 23, 95)], 1.2, tone=88, fill=seam)
    canvas.ellipse(33, 4.5, 2, 2, fill=BRASS)


def shoe(canvas: Canvas, material: str) -> None:
    """A lace-up shoe from the side."""
    canvas.smooth(
        [
            (5, 50),
            (3, 30),
            (6, 10),
            (12, 3),
            (24, 8),
            (36, 2),
            (42, 6),
            (50, 20),
            (66, 28),
            (86, 33),
            (97, 42),
            (98, 50),
            (50, 52),
        ]
    )
    canvas.smooth([(6, 11), (12, 3), (24, 8), (37, 2), (34, 10), (22, 14)], tone=74)
    canvas.line(curve([(66, 29), (70, 38), (68, 50)]), 1.4, tone=86)
    canvas.line(curve([(4, 34), (16, 34), (22, 50)]), 1.4, tone=86)
    for step in range(4):
        x, y = 40 + step * 6.2, 11 + step * 4.7
        canvas.line([(x - 4, y + 5), (x + 4, y - 2)], 2.2, fill=WHITE)
    canvas.polygon([(2, 48), (98, 48), (100, 54), (96, 60), (5, 60), (1, 55)], fill=(236, 232, 222))
    canvas.line([(3, 54), (98, 54)], 1, fill=(170, 164, 154))


def bag(canvas: Canvas, material: str) -> None:
    """A carry bag with two handles and a pocket."""
    canvas.line(curve([(24, 40), (26, 14), (41, 4), (56, 14), (58, 40)]), 4.4, tone=88, edge=True)
    canvas.polygon([(7, 32), (75, 32), (82, 90), (78, 94), (4, 94), (0, 90)], tone=126)
    canvas.polygon([(7, 32), (75, 32), (76, 40), (6, 40)], tone=100)
    canvas.line(curve([(20, 46), (22, 22), (41, 10), (60, 22), (62, 46)]), 4.8, tone=118, edge=True)
    canvas.rounded(22, 58, 60, 84, 4, tone=142)
    canvas.line([(23, 65), (59, 65)], 1.4, tone=84)
    canvas.ellipse(41, 66, 3, 3, fill=BRASS)
    for x in (20, 62):
        canvas.ellipse(x, 47, 2.6, 2.6, fill=BRASS)


def umbrella(canvas: Canvas, material: str) -> None:
    """An open umbrella from the side."""
    canvas.line([(50, 2), (50, 84)], 2.6, fill=(92, 88, 90))
    canvas.line(curve([(50, 82), (50, 92), (56, 96), (62, 92), (62, 86)]), 4.2, fill=(122, 74, 40), edge=True)
    dome = curve([(0, 52), (8, 30), (26, 12), (50, 6), (74, 12), (92, 30), (100, 52)])
    edge = [(100, 52), (91, 46), (80, 47), (72, 52), (61, 46), (50, 45), (39, 46), (28, 52), (20, 47), (9, 46), (0, 52)]
    canvas.polygon([*dome, *edge[1:-1]], tone=128)
    canvas.polygon(
        [*curve([(0, 52), (8, 30), (26, 12), (50, 6)]), *curve([(50, 6), (36, 22), (28, 52)]), (20, 47), (9, 46)],
        tone=146,
    )
    canvas.polygon(
        [*curve([(50, 6), (74, 12), (92, 30), (100, 52)]), (91, 46), (80, 47), *curve([(72, 52), (64, 22), (50, 6)])],
        tone=104,
    )
    canvas.line(curve([(28, 52), (36, 22), (50, 6)]), 1.1, tone=80)
    canvas.line(curve([(72, 52), (64, 22), (50, 6)]), 1.1, tone=80)
    canvas.line([(50, 1), (50, 7)], 2.6, fill=(92, 88, 90))
