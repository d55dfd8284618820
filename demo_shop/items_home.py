"""Drawings: furniture, lights, clocks, garden and electronics."""

import math

from demo_shop.canvas import Canvas, curve

INK = (44, 42, 48)
CREAM = (248, 240, 220)
SCREEN = (38, 48, 70)


def chair(canvas: Canvas, material: str) -> None:
    """A dining chair from the front, a little from above."""
    for x in (14, 46):  # back legs
        canvas.polygon([(x, 60), (x + 6, 60), (x + 5, 92), (x + 1, 92)], tone=84)
    canvas.polygon([(8, 2), (14, 2), (16, 56), (10, 56)], tone=112)
    canvas.polygon([(52, 2), (58, 2), (56, 56), (50, 56)], tone=104)
    canvas.rounded(6, 0, 60, 15, 4, tone=134)
    canvas.rounded(12, 19, 54, 36, 3, tone=124)
    canvas.polygon([(10, 48), (56, 48), (66, 62), (0, 62)], tone=140)
    canvas.polygon([(0, 62), (66, 62), (65, 69), (1, 69)], tone=100)
    for x in (2, 56):
        canvas.polygon([(x, 69), (x + 8, 69), (x + 7, 100), (x + 1, 100)], tone=120)


def table(canvas: Canvas, material: str) -> None:
    """A four-legged table, a little from above."""
    for x in (18, 75):
        canvas.polygon([(x, 24), (x + 7, 24), (x + 6, 58), (x + 1, 58)], tone=82)
    canvas.polygon([(14, 0), (86, 0), (100, 19), (0, 19)], tone=142)
    canvas.polygon([(0, 19), (100, 19), (99, 29), (1, 29)], tone=102)
    for x in (3, 88):
        canvas.polygon([(x, 29), (x + 9, 29), (x + 7.5, 70), (x + 1.5, 70)], tone=122)


def lamp(canvas: Canvas, material: str) -> None:
    """A table lamp; paper and wicker make the shade, everything else the foot."""
    shade = material in ("paper", "wicker")
    foot = INK if shade else None
    canvas.polygon([(28, 36), (32, 36), (32, 52), (28, 52)], tone=100, fill=foot)
    if shade:
        canvas.line([(30, 44), (30, 94)], 5, fill=INK)
    else:
        canvas.smooth(
            [(26, 48), (34, 48), (38, 56), (48, 70), (46, 84), (37, 93), (23, 93), (14, 84), (12, 70), (22, 56)],
            turned=True,
        )
    canvas.rounded(13, 92, 47, 100, 3, tone=108, fill=foot)
    canvas.polygon(
        [(17, 0), (43, 0), (59, 41), (1, 41)], tone=128, fill=None if shade else (250, 226, 160), turned=shade
    )
    if not shade:
        canvas.polygon([(24, 3), (33, 3), (36, 38), (20, 38)], fill=(255, 244, 206), edge=False)
        canvas.line([(2, 40), (58, 40)], 1.6, fill=(196, 158, 92))


def clock(canvas: Canvas, material: str) -> None:
    """A round wall clock: a broad rim of the material, a pale face."""
    canvas.ellipse(44, 44, 44, 44, tone=122)
    canvas.ellipse(44, 44, 40, 40, tone=136, edge=False)
    canvas.ellipse(44, 44, 28.5, 28.5, fill=CREAM)
    for hour in range(12):
        turn = hour * math.pi / 6
        inner = 20.5 if hour % 3 == 0 else 23
        canvas.line(
            [
                (44 + inner * math.sin(turn), 44 - inner * math.cos(turn)),
                (44 + 25.5 * math.sin(turn), 44 - 25.5 * math.cos(turn)),
            ],
            2.6 if hour % 3 == 0 else 1.4,
            fill=INK,
        )
    canvas.line([(44, 44), (33, 37)], 3.4, fill=INK)
    canvas.line([(44, 44), (54, 27)], 2.6, fill=INK)
    canvas.ellipse(44, 44, 2.6, 2.6, fill=(200, 50, 50), edge=False)


def watering_can(canvas: Canvas, material: str) -> None:
    """A watering can with a rose on its spout."""
    canvas.line(curve([(34, 30), (38, 8), (54, 4), (68, 12), (70, 32)]), 4.5, tone=112, edge=True)
    canvas.line(curve([(72, 36), (92, 36), (97, 52), (88, 66), (74, 68)]), 5, tone=112, edge=True)
    canvas.polygon([(34, 50), (34, 66), (12, 26), (17, 22)], tone=110)
    canvas.polygon([(3, 25), (21, 12), (24, 17), (7, 31)], tone=136)
    canvas.polygon([(32, 28), (74, 28), (78, 78), (28, 78)], turned=True)
    canvas.ellipse(53, 28, 21, 5, tone=92)
    canvas.line([(29.5, 66), (76.5, 66)], 1.2, tone=84)
    canvas.line([(31, 42), (75, 42)], 1.2, tone=84)


def phone(canvas: Canvas, material: str) -> None:
    """A telephone with a dial and its receiver on top."""
    canvas.polygon([(32, 26), (40, 20), (60, 20), (68, 26), (66, 38), (34, 38)], tone=92)
    canvas.smooth([(24, 34), (76, 34), (86, 50), (95, 76), (92, 82), (50, 82), (8, 82), (5, 76), (14, 50)], tone=124)
    canvas.line([(8, 77), (92, 77)], 1.4, tone=84)
    canvas.ellipse(50, 57, 20, 18, fill=CREAM)
    for hole in range(10):
        turn = math.radians(-60 + hole * 30)
        canvas.ellipse(50 + 14.5 * math.cos(turn), 57 + 13 * math.sin(turn), 2.7, 2.6, fill=INK, edge=False)
    canvas.ellipse(50, 57, 7.5, 6.8, tone=116)
    canvas.smooth(
        [
            (2, 10),
            (14, 3),
            (50, 1),
            (86, 3),
            (98, 10),
            (100, 26),
            (92, 31),
            (80, 28),
            (76, 17),
            (50, 14),
            (24, 17),
            (20, 28),
            (8, 31),
            (0, 26),
        ],
        tone=138,
    )


def laptop(canvas: Canvas, material: str) -> None:
    """An open laptop."""
    canvas.rounded(10, 0, 90, 52, 3, tone=126)
    canvas.polygon([(18, 7), (82, 7), (82, 44), (18, 44)], fill=SCREEN)
    canvas.polygon([(23, 12), (58, 12), (58, 39), (23, 39)], fill=(238, 240, 244), edge=False)
    for row, end in enumerate((53, 45, 51, 38)):
        canvas.line([(28, 18 + row * 5), (end, 18 + row * 5)], 1.8, fill=(110, 122, 146))
    canvas.polygon([(63, 12), (77, 12), (77, 23), (63, 23)], fill=(236, 170, 60), edge=False)
    canvas.polygon([(63, 27), (77, 27), (77, 39), (63, 39)], fill=(92, 176, 130), edge=False)
    canvas.polygon([(10, 52), (90, 52), (100, 70), (0, 70)], tone=140)
    canvas.polygon([(0, 70), (100, 70), (98, 74), (2, 74)], tone=96)
    for row in range(3):
        y, inset = 54.3 + row * 3.4, 1.9 * row
        canvas.polygon(
            [(16 - inset, y), (84 + inset, y), (85 + inset, y + 2.2), (15 - inset, y + 2.2)], fill=INK, edge=False
        )
    canvas.polygon([(39, 65), (61, 65), (62.5, 69), (37.5, 69)], tone=104, edge=False)
