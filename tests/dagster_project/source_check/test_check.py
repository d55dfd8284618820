"""``heddle check-source`` shows what stage `catalog` makes of the first records, and writes nothing."""

import io
import json
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from assets.catalog.stage import catalog
from dagster_project.cli import check_source
from heddle.core.errors import UserError
from heddle.core.schemas import read_rows
from heddle.core.stage import Stage
from tests.support.wordpress_site import FakeSite, wordpress

ROOT = Path(__file__).parents[3]
COLUMNS = "{id: id, image: image, title: name}"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose table has good and bad rows."""
    root = tmp_path / "project"
    (root / "scales").mkdir(parents=True)
    monkeypatch.chdir(root)
    Path("scales/smoke.yaml").write_text("{}\n")
    Path("sources").mkdir()
    for number in range(3):
        Image.effect_mandelbrot((64, 48 + number), (-2, -1.5, 1, 1.5), 20 + number).save(f"sources/{number}.png")
    rows = [f"n{number};{number % 4}.png;Stühle für draußen\x1b[31m {number};oak" for number in range(40)]
    Path("sources/table.csv").write_bytes("\n".join(["id;image;name;wood", *rows, ""]).encode("cp1252"))
    _write_sources(f"{{name: shop, kind: table, path: sources/table.csv, columns: {COLUMNS}}}")
    return root


def _write_sources(*sources: str) -> None:
    listed = "".join(f"      - {source.removeprefix('- ')}\n" for source in sources)
    stage = {"deps": ["sources"], "params": [{"params.yaml": ["catalog", "demo_shop"]}]}
    Path("dvc.yaml").write_text(json.dumps({"stages": {"catalog": stage}}))  # JSON is YAML too
    Path("params.yaml").write_text(f"scale: smoke\nseed: 1\ncatalog:\n  sources:\n{listed}")


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(check_source, arguments)


def _json(*arguments: str) -> list[dict[str, Any]]:
    return json.loads(_run(*arguments, "--json").stdout)


def _files(root: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_first_records_are_those_of_the_stage(project: Path, tmp_path: Path) -> None:
    rows = Path("sources/table.csv").read_bytes().splitlines(keepends=True)
    Path("sources/table.csv").write_bytes(b"".join([*rows[:6], b"n5;1.png;a chair;oak;and more\n", *rows[7:]]))
    before = _files(project)
    (check,) = _json("shop", "--rows", "8")
    assert _files(project) == before
    catalog(Stage("catalog", _folder(tmp_path / "output")))
    listings = {row["id"]: row for row in read_rows(tmp_path / "output/listings.parquet")}
    listings |= {row["id"]: row for row in read_rows(tmp_path / "output/duplicates.parquet")}
    refused = {row["id"]: row for row in read_rows(tmp_path / "output/quarantine.parquet")}
    first = {f"shop:n{number}" for number in range(8)} - {"shop:n5"} | {"shop:sources/table.csv row 6"}
    assert {each["id"] for each in check["accepted"]} == first & listings.keys()
    found = {each["id"]: each for each in check["refused"]}
    assert found.keys() == first & refused.keys()
    for id_, each in found.items():
        assert (each["reason"], each["origin"]) == (refused[id_]["reason"], refused[id_]["origin"])
        assert refused[id_]["detail"].endswith(each["detail"])  # the stage's detail begins with the folder
    assert (check["looked_at"], check["limited"]) == (8, True)


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


def test_form_and_mapping_are_shown_with_examples(project: Path) -> None:
    (check,) = _json("shop")
    assert (check["delimiter"], check["encoding"], check["encoding_guessed"]) == (";", "cp1252", True)
    examples = {each["field"]: (each["column"], each["example"]) for each in check["fields"]}
    assert examples == {
        "id": ("id", "n0"),
        "image": ("image", "0.png"),
        "title": ("name", "Stühle für draußen\x1b[31m 0"),
    }
    assert check["unmapped"] == ["wood"]
    assert check["accepted"][1]["image"] == {
        "format": "PNG",
        "width": 64,
        "height": 49,
        "bytes": Path("sources/1.png").stat().st_size,
    }


def test_tables_show_records_without_control_characters(project: Path) -> None:
    ended = _run("shop", "--rows", "4")
    assert ended.exit_code == 0, ended.exception
    for part in ("delimiter semicolon, encoding cp1252 (guessed", "Columns without a field: wood", "64 x 49 PNG"):
        assert part in ended.stdout
    assert "image_missing" in ended.stdout
    assert "draußen\\x1b[31m 0" in ended.stdout
    assert "\x1b" not in ended.stdout
    assert "4 records looked at; the source has more." in ended.stdout
    assert "3 accepted, 1 refused." in ended.stdout


def test_no_accepted_record_exits_with_1(project: Path) -> None:
    for image in Path("sources").glob("*.png"):
        image.unlink()
    ended = _run("shop")
    assert (ended.exit_code, "0 accepted, 20 refused" in ended.stdout) == (1, True)


@pytest.mark.parametrize(
    ("name", "columns", "message"),
    [
        ("shp", COLUMNS, "params.yaml: catalog.sources: no source 'shp'; sources: shop"),
        (
            "shop",
            "{id: id, title: nme}",
            "source shop: sources/table.csv: no column 'nme'; columns: id, image, name, wood",
        ),
    ],
)
def test_error_names_source_and_remedy(project: Path, name: str, columns: str, message: str) -> None:
    _write_sources(f"{{name: shop, kind: table, path: sources/table.csv, columns: {columns}}}")
    ended = _run(name)
    assert isinstance(ended.exception, UserError)
    assert str(ended.exception) == message


def test_annotations_are_joined_with_the_first_listings(project: Path) -> None:
    images = [{"id": number, "file_name": f"{number}.png", "width": 64, "height": 48} for number in range(3)]
    boxes = [{"id": n, "image_id": n, "category_id": 1, "bbox": [1, 1, 9, 9]} for n in range(3)]
    content = {"images": images, "annotations": boxes, "categories": [{"id": 1, "name": "chair"}]}
    Path("sources/boxes.json").write_text(json.dumps(content))
    _write_sources(
        f"{{name: shop, kind: table, path: sources/table.csv, columns: {COLUMNS}}}",
        "{name: boxes, kind: coco, path: sources/boxes.json, annotates: shop}",
    )
    (check,) = _json("boxes", "--rows", "2")
    assert [each["id"] for each in check["accepted"]] == ["shop:n0", "shop:n1"]
    assert check["refused"] == []


def test_samples_of_a_tar_have_dotted_columns(project: Path) -> None:
    members = {
        "jpg": Path("sources/0.png").read_bytes(),
        "json": b'{"caption": "oak", "by": {"name": "A"}}',
        "txt": b"x",
    }
    with tarfile.open("sources/samples.tar", "w") as tar:
        for key in ("a", "b"):
            for ending, content in members.items():
                info = tarfile.TarInfo(f"{key}.{ending}")
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
    columns = "{id: __key__, title: json.caption, licence: json.by.name}"
    _write_sources(f"{{name: tars, kind: webdataset, tars: ['sources/*.tar'], columns: {columns}}}")
    (check,) = _json("tars", "--rows", "1")
    assert [each["example"] for each in check["fields"]] == ["a", "oak", "A"]
    assert sorted(check["unmapped"]) == ["jpg", "txt"]
    assert [each["id"] for each in check["accepted"]] == ["tars:a"]
    assert (check["looked_at"], check["limited"]) == (1, True)


def test_pages_of_a_sitemap_are_read_up_to_the_limit(project: Path) -> None:
    site = FakeSite()
    page = '<html><meta property="og:title" content="Chair"><meta property="og:image" content="/images/1"></html>'
    urls = "".join(f"<url><loc>{site.url}/shop/{number}</loc></url>" for number in range(40))
    sitemap = f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{urls}</urlset>'.encode()
    site.answers["/sitemap.xml"] = lambda _: (200, {"Content-Type": "application/xml"}, sitemap)
    for number in range(40):
        site.answers[f"/shop/{number}"] = lambda _: (200, {"Content-Type": "text/html"}, page.encode())
    settings = "contact: me@shop.test, delay: 0, private_addresses: true"
    _write_sources(f"{{name: shop, kind: sitemap, url: '{site.url}/sitemap.xml', {settings}}}")
    try:
        ended = _run_process("shop", "--rows", "2", "--json")
    finally:
        site.close()
    assert (ended.returncode, ended.stderr) == (0, "")
    (check,) = json.loads(ended.stdout)
    assert (len(check["accepted"]), check["looked_at"], check["limited"]) == (2, 2, True)
    assert sum("/shop/" in path for path, *_ in site.requests) < 10  # of 40 pages


def _run_process(*arguments: str) -> subprocess.CompletedProcess[str]:
    """A process, as Twisted's reactor starts once in each."""
    return subprocess.run(
        [sys.executable, "-c", "from dagster_project.cli import check_source; check_source()", *arguments],
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_site_is_asked_for_few_posts(project: Path) -> None:
    site = FakeSite(total=60)
    try:
        _write_sources(wordpress("shop", site).replace("per_page: 2", "per_page: 50"))
        before = _files(project)
        ended = _run_process("shop", "--rows", "3", "--json")
    finally:
        site.close()
    assert ended.returncode == 0, ended.stderr
    (check,) = json.loads(ended.stdout)
    assert len({each["id"] for each in check["accepted"]}) == 3
    assert (check["looked_at"], check["limited"]) == (3, True)
    assert _files(project) == before
    assert sum(path.startswith("/images/") for path, *_ in site.requests) == 3
    assert sum("/wp/v2/posts" in path for path, *_ in site.requests) < 10  # of 20 pages
    assert not ended.stderr


def test_no_dagster_and_no_torch_is_imported(project: Path) -> None:
    program = (
        "import sys, contextlib\nfrom dagster_project.cli import check_source\nwith contextlib.suppress(SystemExit):"
    )
    program += "\n    check_source(['shop'])\nprint({'dagster', 'torch', 'scrapy'} & set(sys.modules))"
    ended = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert ended.stdout.splitlines()[-1] == "set()"
