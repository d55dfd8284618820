"""The sources `coco` and `visual_genome`: annotations that join the listings of others, or bring their own."""

import copy
import csv
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from assets.catalog.annotations import extract_file_name, normalize_box
from assets.catalog.rows import MalformedError
from heddle.core.parameters.section import ParameterError
from heddle.core.stage import StageError
from tests.support import wordpress_site
from tests.support.source_project import adds_up, image, refused, rows, run

COCO: dict[str, Any] = {
    "info": {"year": 2017},
    "licenses": [{"id": 4, "name": "CC BY 2.0", "url": "http://creativecommons.org/licenses/by/2.0/"}],
    "categories": [{"id": 62, "name": "chair", "supercategory": "furniture"}, {"id": 1, "name": "person"}],
    "images": [
        {"id": 139, "file_name": "000000000139.jpg", "width": 64, "height": 48, "license": 4},
        {"id": 285, "file_name": "000000000285.jpg", "width": 64, "height": 48},
        {"id": 999, "file_name": "000000000999.jpg", "width": 64, "height": 48},
    ],
    "annotations": [
        {"id": 1, "image_id": 139, "category_id": 62, "bbox": [16, 12, 32, 24], "iscrowd": 0, "area": 700},
        {"id": 2, "image_id": 139, "category_id": 1, "bbox": [0, 0, 80, 48], "iscrowd": 1},
        {"id": 3, "image_id": 285, "category_id": 62, "bbox": [0.0, 0.0, 6.4, 4.8], "attributes": {"worn": True}},
        {"id": 4, "image_id": 139, "caption": "A chair before people"},
        {"id": 5, "image_id": 77, "category_id": 62, "bbox": [0, 0, 1, 1]},
    ],
}
IMAGES: list[dict[str, Any]] = [
    {
        "image_id": number,
        "url": f"https://cs.stanford.edu/people/rak248/VG_100K/{number}.jpg",
        "width": 64,
        "height": 48,
    }
    for number in (139, 285, 999)
]
OBJECTS: list[dict[str, Any]] = [
    {
        "image_id": 139,
        "objects": [
            {"object_id": 5, "x": 16, "y": 12, "w": 32, "h": 24, "names": ["chair"], "attributes": ["oak"]},
            {"object_id": 6, "x": 0, "y": 0, "w": 64, "h": 48, "names": ["room"], "synsets": ["room.n.01"]},
        ],
    },
    {"image_id": 285, "objects": [{"object_id": 7, "x": 0, "y": 0, "w": 64, "h": 24, "names": ["lamp"]}]},
]
RELATIONSHIPS: list[dict[str, Any]] = [
    {
        "image_id": 139,
        "relationships": [
            {"predicate": "IN", "subject": {"object_id": 5}, "object": {"object_id": 6}},
            {
                "predicate": "on",
                "subject": {"object_id": 8, "x": 16, "y": 12, "w": 8, "h": 8, "name": "cushion"},
                "object": {"object_id": 5},
            },
        ],
    }
]
COLUMNS = "{id: id, image: image, title: title}"
TABLE = f"{{name: shop, kind: table, path: table.csv, columns: {COLUMNS}}}"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two listings with images that the annotations are of, one with another."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "images").mkdir()
    names = {"a": "000000000139.jpg", "b": "000000000285.jpg", "c": "other.jpg"}
    with (tmp_path / "table.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "image", "title"])
        writer.writerows([id_, f"images/{name}", f"Thing {id_}"] for id_, name in names.items())
    for number, name in enumerate(names.values()):
        (tmp_path / "images" / name).write_bytes(image(number))
    write(tmp_path)
    return tmp_path


def write(project: Path, coco: Any = COCO, objects: Any = OBJECTS, relationships: Any = RELATIONSHIPS) -> None:
    contents = {"coco": coco, "image_data": IMAGES, "objects": objects, "relationships": relationships}
    for name, content in contents.items():
        (project / f"{name}.json").write_text(json.dumps(content))


def coco(more: str = "annotates: shop") -> str:
    return f"{{name: coco, kind: coco, path: coco.json, {more}}}"


def genome(more: str = "annotates: shop, join: id") -> str:
    files = "image_data: image_data.json, objects: objects.json, relationships: relationships.json"
    return f"{{name: vg, kind: visual_genome, {files}, {more}}}"


def by_id(project: Path) -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in rows(project, "listings")}


@pytest.mark.parametrize("first", [True, False])
def test_coco_joins_listings_by_the_name_of_the_image(project: Path, first: bool) -> None:
    metrics = run(project, *((coco(), TABLE) if first else (TABLE, coco())))
    found = by_id(project)
    assert list(found) == ["shop:a", "shop:b", "shop:c"]
    assert found["shop:a"]["objects"] == [
        {"label": "chair", "box": [0.25, 0.25, 0.75, 0.75], "attributes": []},
        {"label": "person", "box": [0, 0, 1, 1], "attributes": ["crowd"]},
    ]
    assert (found["shop:a"]["caption"], found["shop:a"]["title"]) == ("A chair before people", "Thing a")
    assert found["shop:a"]["licence"] == "http://creativecommons.org/licenses/by/2.0/"
    assert found["shop:b"]["objects"][0]["attributes"] == ["worn"]
    assert found["shop:b"]["objects"][0]["box"] == pytest.approx([0, 0, 0.1, 0.1])
    assert found["shop:c"]["objects"] is None
    assert sorted(refused(project)) == [("coco:77", "malformed_record"), ("coco:999", "no_such_image")]
    assert adds_up(metrics)


def test_coco_with_a_folder_of_images_brings_listings(project: Path) -> None:
    outside = copy.deepcopy(COCO)
    outside["images"].append({"id": 1000, "file_name": "../private.jpg", "width": 64, "height": 48})
    (project / "private.jpg").write_bytes(image(50))
    write(project, outside)
    metrics = run(project, coco("images: images"))
    assert list(by_id(project)) == ["coco:139", "coco:285"]
    missing = [("coco:1000", "image_outside"), ("coco:77", "malformed_record"), ("coco:999", "image_missing")]
    assert sorted(refused(project)) == missing
    assert adds_up(metrics)


def test_visual_genome_joins_by_id_and_brings_relations(project: Path) -> None:
    text = (project / "table.csv").read_text()
    (project / "table.csv").write_text(text.replace("a,", "139,", 1).replace("b,", "285,", 1))
    metrics = run(project, TABLE, genome())
    found = by_id(project)
    assert [each["label"] for each in found["shop:139"]["objects"]] == ["chair", "room", "cushion"]
    assert found["shop:139"]["objects"][0]["attributes"] == ["oak"]
    assert found["shop:139"]["relations"] == [
        {"subject": 0, "predicate": "in", "object": 1},
        {"subject": 2, "predicate": "on", "object": 0},
    ]
    assert found["shop:285"]["objects"] == [{"label": "lamp", "box": [0, 0, 1, 0.5], "attributes": []}]
    assert refused(project) == []
    assert adds_up(metrics)


def test_annotations_of_site_join_by_image_url(tmp_path: Path) -> None:
    site = wordpress_site.FakeSite(2)
    images = [{"id": 7, "file_name": "1", "width": 96, "height": 96}]
    annotations = [{"image_id": 7, "category_id": 62, "bbox": [0, 0, 48, 96]}]
    (tmp_path / "coco.json").write_text(json.dumps(COCO | {"images": images, "annotations": annotations}))
    source = "\n        ".join(["- name: coco", "kind: coco", "path: coco.json", "annotates: shop"])
    try:
        done = wordpress_site.run(tmp_path, source, wordpress_site.wordpress("shop", site))
    finally:
        site.close()
    assert done.returncode == 0, done.stderr
    found = {row["id"]: row["objects"] for row in wordpress_site.rows(tmp_path, "listings")}
    assert found == {"shop:1": None, "shop:2": [{"label": "chair", "box": [0, 0, 0.5, 1], "attributes": []}]}


def test_annotations_that_match_nothing_at_all_are_a_mistake(project: Path) -> None:
    with pytest.raises(StageError) as caught:
        run(project, TABLE, genome("annotates: shop"))
    assert "source vg: all 2 listings were rejected, 2 for no_such_image" in str(caught.value)
    assert "no listing of shop has an image named '139.jpg'" in str(caught.value)


@pytest.mark.parametrize(
    ("source_yaml", "message"),
    [
        (coco("images: nowhere"), "images: nowhere: folder not found"),
        (coco().replace("coco.json", "none.json"), "none.json: file not found"),
        (coco().replace("coco.json", "table.csv"), "table.csv: cannot be read as JSON"),
        (coco().replace("coco.json", "objects.json"), "no list `images`, which COCO has; found: list"),
        (genome().replace("objects.json", "coco.json"), "expected a list of images, found dict"),
    ],
)
def test_files_that_cannot_be_read_are_named(project: Path, source_yaml: str, message: str) -> None:
    with pytest.raises(StageError) as caught:
        run(project, TABLE, source_yaml)
    assert message in str(caught.value)


@pytest.mark.parametrize("more", ["annotates: shop, images: images", "join: id"])
def test_one_of_listings_and_images_is_given(project: Path, more: str) -> None:
    with pytest.raises(ParameterError, match="set either `annotates`, a source's name, or `images`, a folder"):
        run(project, TABLE, coco(more))


@pytest.mark.parametrize(
    ("place", "name"),
    [
        ("a/b.jpg", "b.jpg"),
        ("b.jpg", "b.jpg"),
        ("c:\\d\\b.jpg", "b.jpg"),
        ("https://a.test/x/c%20d.jpg?w=9#z", "c d.jpg"),
        ("http://[", ""),
        ("", ""),
    ],
)
def test_names_of_files(place: str, name: str) -> None:
    assert extract_file_name(place) == name


numbers = st.floats(-1e6, 1e6) | st.integers(-100, 100) | st.floats() | st.none() | st.text(max_size=3)


@example(box=[-1.0, 0.0, 1.0, 0.0], size=(-1.0, -1.0))  # two negative sides have a positive area
@given(box=st.lists(numbers, min_size=4, max_size=4), size=st.tuples(numbers, numbers))
def test_a_box_lies_in_its_image_or_is_refused(box: list[Any], size: tuple[Any, Any]) -> None:
    with suppress(MalformedError):
        x0, y0, x1, y1 = normalize_box(box, size)
        assert 0 <= x0 <= x1 <= 1
        assert 0 <= y0 <= y1 <= 1


@given(corner=st.tuples(*[st.integers(0, 50)] * 2), extent=st.tuples(*[st.integers(1, 50)] * 2))
def test_a_box_can_be_told_from_its_shares(corner: tuple[int, int], extent: tuple[int, int]) -> None:
    x0, y0, x1, y1 = normalize_box((*corner, *extent), (100, 200))
    assert (x0 * 100, y0 * 200) == pytest.approx(corner)
    assert ((x1 - x0) * 100, (y1 - y0) * 200) == pytest.approx(extent)


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(deeper for key, each in inner for deeper in paths(each, (*path, key)))]


WRONG = st.none() | st.integers(-3, 1000) | st.text(max_size=4) | st.just([]) | st.just({}) | st.just([1, "x", None])


def damaged(content: Any, path: tuple[Any, ...], value: Any) -> Any:
    """The content with another value at a path."""
    if not path:
        return value
    content = copy.deepcopy(content)
    at = content
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return content


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), value=WRONG, which=st.sampled_from(["coco", "objects", "relationships"]))
def test_values_of_wrong_types_are_read_or_refused(project: Path, data: st.DataObject, value: Any, which: str) -> None:
    content = {"coco": COCO, "objects": OBJECTS, "relationships": RELATIONSHIPS}[which]
    write(project, **{which: damaged(content, data.draw(st.sampled_from(paths(content))), value)})
    with suppress(StageError):
        assert adds_up(run(project, TABLE, coco("annotates: shop") if which == "coco" else genome("images: images")))
        assert len(by_id(project)) >= 2
