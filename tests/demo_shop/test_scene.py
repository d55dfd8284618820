"""Boxes are those of the pixels, relations are true in the image, the main item dominates."""

import random

import numpy as np
import pytest

from demo_shop import vocabulary
from demo_shop.canvas import Canvas, Placement
from demo_shop.facts import facts, stream
from demo_shop.items import ITEMS
from demo_shop.scene import render
from demo_shop.sprites import SOLID, Sprite

NUMBERS = range(150)


@pytest.fixture(scope="module")
def scenes() -> list:
    return [render(facts(3, number), stream(3, "scene", number)) for number in NUMBERS]


def painted(sprites: list[Sprite], size: tuple[int, int]) -> np.ndarray:
    """Which sprite is on top at each pixel (0: background), by painting them one after the other."""
    canvas = np.zeros((size[1], size[0]), int)
    for place, sprite in enumerate(sprites, 1):
        for row, column in np.argwhere(sprite.opacity >= SOLID):
            canvas[sprite.y + row, sprite.x + column] = place
    return canvas


def test_boxes_match_the_painted_pixels(scenes: list) -> None:
    for image, scene, sprites in scenes[:60]:
        canvas = painted(sprites, image.size)
        boxes = set()
        for place in range(1, len(sprites) + 1):
            rows, columns = np.nonzero(canvas == place)
            box = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
            boxes.add(tuple(round(float(value), 6) for value in np.array(box) / np.array([*image.size, *image.size])))
        assert boxes == {tuple(round(value, 6) for value in thing.box) for thing in scene.objects}


def test_relations_are_true(scenes: list) -> None:
    met = set()
    for image, scene, sprites in scenes:
        for relation in scene.relations:
            met.add(relation.predicate)
            a, b = scene.objects[relation.subject].box, scene.objects[relation.object].box
            middle, pixel = (a[0] + a[2]) / 2, 1.5 / min(image.size)
            order = [sprite.predicate for sprite in sprites]
            match relation.predicate:
                case "left of":
                    assert a[2] <= b[0] + pixel
                case "right of":
                    assert a[0] >= b[2] - pixel
                case "above":
                    assert a[3] <= b[1] + pixel
                    assert b[0] <= middle <= b[2]
                case "below":
                    assert a[1] >= b[3] - pixel
                case "on":
                    assert b[0] <= middle <= b[2]
                    assert a[1] < b[1] + (b[3] - b[1]) * 0.67
                case "behind":
                    assert order.index("behind") < order.index("")
                case "in front of":
                    assert order.index("in front of") > order.index("")
                    assert a[3] > b[1] + (b[3] - b[1]) / 2
    assert met == set(vocabulary.PREDICATES)


def test_relations_point_at_objects_and_each_further_object_has_one(scenes: list) -> None:
    for _, scene, sprites in scenes:
        assert len(scene.objects) == len(sprites)
        for relation in scene.relations:
            assert 0 <= relation.object < len(scene.objects)
            assert 0 < relation.subject < len(scene.objects)
        assert {relation.subject for relation in scene.relations if relation.object == 0} == set(range(1, len(sprites)))


def test_the_main_item_dominates(scenes: list) -> None:
    extents = []
    for _, scene, _ in scenes:
        areas = [(x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in (thing.box for thing in scene.objects)]
        assert areas[0] > 1.7 * max(areas[1:], default=0)
        x0, y0, x1, y1 = scene.objects[0].box
        assert 0 <= x0 < x1 <= 1
        assert 0 <= y0 < y1 <= 1
        extents.append(max(x1 - x0, y1 - y0))
    assert np.median(extents) > 0.65
    assert min(extents) > 0.4


def test_further_objects_hide_little_of_the_main_item(scenes: list) -> None:
    for image, _, sprites in scenes[:60]:
        main = next(place for place, sprite in enumerate(sprites, 1) if not sprite.predicate)
        shown = (painted(sprites, image.size) == main).sum() / sprites[main - 1].solid.sum()
        assert shown > 0.85


def test_drawings_fill_their_frames() -> None:
    for name, item in ITEMS.items():
        canvas = Canvas(Placement(item.width, item.height, 2.0))
        item.draw(canvas, vocabulary.MATERIALS_OF[name][0])
        rows, columns = np.nonzero(canvas.layer().cover > 127)
        assert columns.max() - columns.min() > 1.8 * item.width, name
        assert rows.max() - rows.min() > 1.8 * item.height, name


def test_materials_differ_on_one_item() -> None:
    """Same drawing, same place, another material: the image changes visibly."""
    from demo_shop.materials import surface

    looks = {
        material: surface(
            material, vocabulary.COLOURS_OF[material][0], "white", "plain", 96, 96, np.random.default_rng(0)
        ).astype(int)
        for material in vocabulary.MATERIALS
    }
    names = list(looks)
    for first in range(len(names)):
        for second in range(first):
            assert np.abs(looks[names[first]] - looks[names[second]]).mean() > 8, (names[first], names[second])


def test_a_mirrored_drawing_is_the_mirror_image() -> None:
    def cover(mirror: bool) -> np.ndarray:
        canvas = Canvas(Placement(100, 78, 1.5, mirror=mirror))
        ITEMS["watering can"].draw(canvas, "steel")
        return canvas.layer().cover.astype(int)

    assert np.abs(cover(True) - cover(False)[:, ::-1]).mean() < 6
    assert np.abs(cover(True) - cover(False)).mean() > 20


def test_render_uses_nothing_but_its_stream() -> None:
    random.seed(1)
    first = render(facts(3, 4), stream(3, "scene", 4))[0].tobytes()
    random.seed(2)
    np.random.seed(2)
    assert render(facts(3, 4), stream(3, "scene", 4))[0].tobytes() == first
