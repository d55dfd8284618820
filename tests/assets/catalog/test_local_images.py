"""Local images are confined to the folder of their source, after links, in every kind that reads local files."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from assets.catalog.images import ImageRejectedError
from assets.catalog.local_images import ImageFolders
from tests.support.source_project import image, refused, rows, run

SECRET = b"root:$6$secret"
COLUMNS = "columns: {id: id, image: image}"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A source's folder `shop`, with an image, and links to an image and a file with a password elsewhere."""
    root = tmp_path / "project"
    for folder in (root / "shop/images", tmp_path / "private"):
        folder.mkdir(parents=True)
    (root / "shop/images/own.jpg").write_bytes(image(1))
    (tmp_path / "private/photo.jpg").write_bytes(image(2))
    (tmp_path / "private/shadow").write_bytes(SECRET)
    for name in ("photo.jpg", "shadow"):
        (root / "shop" / name).symlink_to(tmp_path / "private" / name)
    (root / "shop/private").symlink_to(tmp_path / "private")
    monkeypatch.chdir(root)
    return root


def outside(project: Path) -> list[str]:
    """Names of files outside of the source's folder, as a record may write them."""
    private = project.parent / "private"
    names = ["../../private/photo.jpg", "images/../../../private/photo.jpg", str(private / "photo.jpg"), "photo.jpg"]
    return [*names, "private/photo.jpg", "shadow", str(private / "shadow"), str(private / "no such file")]


def write_table(project: Path, names: list[str]) -> str:
    lines = [{"id": str(number), "image": name} for number, name in enumerate(names)]
    (project / "shop/table.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return f"name: shop, kind: table, path: shop/table.jsonl, {COLUMNS}"


def write_dataset(project: Path, names: list[str]) -> str:
    table = {"id": [str(number) for number in range(len(names))]}
    pq.write_table(pa.table(table | {"image": names}), project / "shop/train.parquet")
    return f"name: shop, kind: huggingface, path: shop, {COLUMNS}"


def write_dataset_of_structs(project: Path, names: list[str]) -> str:
    shown = [{"bytes": None, "path": str(project / "shop" / name)} for name in names]
    table = {"id": [str(number) for number in range(len(names))], "image": shown}
    pq.write_table(pa.table(table), project / "shop/train.parquet")
    return f"name: shop, kind: huggingface, path: shop, {COLUMNS}"


def write_coco(project: Path, names: list[str]) -> str:
    images = [{"id": number, "file_name": name, "width": 64, "height": 48} for number, name in enumerate(names)]
    (project / "coco.json").write_text(json.dumps({"images": images, "annotations": [], "categories": []}))
    return "name: shop, kind: coco, path: coco.json, images: shop"


WRITERS = [write_table, write_dataset, write_dataset_of_structs, write_coco]


@pytest.mark.parametrize("write", WRITERS)
def test_images_outside_are_refused_and_not_quoted(project: Path, write: Any) -> None:
    names = outside(project)
    run(project, "{" + write(project, [*names, "images/own.jpg"]) + "}")
    assert refused(project) == [(f"shop:{number}", "image_outside") for number in range(len(names))]
    assert [row["id"] for row in rows(project, "listings")] == [f"shop:{len(names)}"]
    written = b"".join(path.read_bytes() for path in (project / "output").iterdir())
    assert b"secret" not in written
    details = {row["detail"].partition("' ")[2] for row in rows(project, "quarantine")}
    assert details == {"is outside of the source's folder"}  # not whether the file exists


@pytest.mark.parametrize("write", WRITERS)
def test_images_outside_are_read_if_the_source_allows_it(project: Path, write: Any) -> None:
    names = outside(project)
    run(project, "{" + write(project, names) + ", outside: true}")
    assert {reason for _, reason in refused(project)} == {"image_type", "image_missing"}
    assert [row["id"] for row in rows(project, "listings")] == ["shop:0"]
    assert all("secret" not in row["detail"] for row in rows(project, "quarantine"))


def test_linked_source_folder_contains_its_images(project: Path) -> None:
    write_table(project, ["images/own.jpg"])
    (project / "sources").mkdir()
    (project / "sources/linked").symlink_to(project / "shop")
    run(project, f"{{name: shop, kind: table, path: sources/linked/table.jsonl, {COLUMNS}}}")
    assert [row["id"] for row in rows(project, "listings")] == ["shop:0"]


def test_local_file_that_is_no_image_is_not_quoted(project: Path) -> None:
    (project / "shop/notes.txt").write_bytes(SECRET)
    run(project, "{" + write_table(project, ["notes.txt", "images/own.jpg"]) + "}")
    assert refused(project) == [("shop:0", "image_type")]
    assert "secret" not in rows(project, "quarantine")[0]["detail"]


@pytest.mark.parametrize("name", ["a\0b", "x" * 5_000, "/".join(["x" * 200] * 100)])
def test_name_that_no_file_can_have_is_missing(project: Path, name: str) -> None:
    run(project, "{" + write_table(project, [name, "images/own.jpg"]) + "}")
    assert refused(project) == [("shop:0", "image_missing")]


def test_circular_links_are_missing(project: Path) -> None:
    (project / "shop/loop").symlink_to("loop")
    with pytest.raises(ImageRejectedError) as caught:
        ImageFolders([project / "shop"]).locate("loop/1.jpg")
    assert caught.value.reason == "image_missing"
