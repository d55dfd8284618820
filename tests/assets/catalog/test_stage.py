"""The stage `catalog` as a whole: which paths it reads, and what it records about crawls."""

from pathlib import Path

import pytest

from assets.catalog.stage import catalog
from heddle.core.dependencies import Dependencies
from heddle.core.stage import Stage, StageError
from heddle.sources.last_crawl import read_last_crawl
from tests.support.source_project import image, run

DVC = """
stages:
  catalog:
    cmd: python -m assets.catalog
    deps: [sources]
    params: [params.yaml: [catalog], 'scales/${scale}.yaml': [demo_shop]]
    outs: [data/catalog]
"""
COLUMNS = "columns: {id: id, image: image}"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A table with one image in `sources/shop`, and `sources/own` with a copy in a folder that nobody watches."""
    monkeypatch.chdir(tmp_path)
    for folder in ("sources/shop", "exports"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "table.csv").write_text("id,image\n1,1.jpg\n")
        (tmp_path / folder / "1.jpg").write_bytes(image(1))
    (tmp_path / "dvc.yaml").write_text(DVC)
    return tmp_path


@pytest.mark.parametrize(
    ("source", "path"),
    [
        (f"{{name: shop, kind: table, path: exports/table.csv, {COLUMNS}}}", "exports/table.csv"),
        ("{name: shop, kind: beir, path: exports}", "exports"),
        ("{name: shop, kind: wxr, path: exports/export.xml, contact: a@b.test}", "exports/export.xml"),
        ("{name: shop, kind: webdataset, tars: ['exports/*.tar']}", "exports/*.tar"),
        (f"{{name: shop, kind: huggingface, path: exports, {COLUMNS}}}", "exports"),
        ("{name: shop, kind: coco, path: sources/a.json, images: exports}", "exports"),
        (
            "{name: shop, kind: visual_genome, image_data: sources/a.json, objects: sources/b.json, "
            "relationships: exports/r.json, images: sources/shop}",
            "exports/r.json",
        ),
    ],
)
def test_catalog_refuses_a_path_that_dvc_does_not_watch(project: Path, source: str, path: str) -> None:
    run(project, f"{{name: shop, kind: table, path: sources/shop/table.csv, {COLUMNS}}}")
    params = (project / "params.yaml").read_text()
    (project / "params.yaml").write_text(params.partition("    - ")[0] + f"    - {source}\n")
    with pytest.raises(StageError) as caught:
        catalog(Stage("catalog", project / "output", Dependencies("catalog", 0)))
    assert str(caught.value).startswith(f"source shop: {path} is in no dependency of `catalog`")


def test_catalog_records_no_crawl_of_a_local_source(project: Path) -> None:
    run(project, f"{{name: shop, kind: table, path: sources/shop/table.csv, {COLUMNS}}}")
    assert read_last_crawl("shop") is None


def test_catalog_records_the_crawl_of_a_remote_source_outside_its_output(project: Path) -> None:
    run(project, f"{{name: shop, kind: table, path: sources/shop/table.csv, {COLUMNS}, contact: a@b.test}}")
    assert read_last_crawl("shop") is not None
    assert not [path for path in (project / "output").rglob("*") if "crawl" in path.name]
