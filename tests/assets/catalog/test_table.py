"""The source `table`, and the whole stage over it: nothing here needs a network."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from assets.catalog.stage import catalog
from heddle.core.parameters.section import ParameterError
from heddle.core.schemas import TABLES, read_rows
from heddle.core.stage import Stage, StageError

CLOTHING = Path(__file__).parents[4] / "shared/data/clothing/listings.csv"
VASWANI = Path(__file__).parents[4] / "shared/data/vaswani"
COLUMNS = "{id: id, image: image, title: title, price: price}"


def image(number: int) -> bytes:
    file = io.BytesIO()
    Image.effect_mandelbrot((64, 48), (-2.5 + number / 9, -1.5, 1 + number / 5, 1.5), 40).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project's folder with five images."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scales").mkdir()
    (tmp_path / "scales/smoke.yaml").write_text("{}\n")
    (tmp_path / "images").mkdir()
    for number in range(5):
        (tmp_path / f"images/{number}.png").write_bytes(image(number))
    return tmp_path


def run(project: Path, *sources: str) -> dict[str, float | int]:
    """Run the stage over sources given as the YAML of a mapping; outputs go to `output`."""
    listed = "".join(f"    - {source}\n" for source in sources)
    (project / "params.yaml").write_text(f"scale: smoke\nseed: 1\ncatalog:\n  sources:\n{listed}")
    output = project / "output"
    for file in output.glob("*"):
        file.unlink()
    output.mkdir(exist_ok=True)
    return dict(catalog(Stage("catalog", output)))


def source(path: str, columns: str = COLUMNS, more: str = "") -> str:
    return f"{{name: shop, kind: table, path: {path}, columns: {columns}{more}}}"


def rows(project: Path, table: str) -> list[dict[str, Any]]:
    return read_rows(project / "output" / f"{table}.parquet")


def records(count: int = 5) -> list[dict[str, Any]]:
    return [
        {"id": f"n{number}", "image": f"images/{number}.png", "title": f"Thing, {number}", "price": 1.5 + number}
        for number in range(count)
    ]


def write_csv(path: Path, listed: list[dict[str, Any]], delimiter: str = ",") -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["id", "image", "title", "price"], delimiter=delimiter)
        writer.writeheader()
        writer.writerows(listed)


WRITERS: dict[str, Callable[[Path], object]] = {
    "table.csv": lambda path: write_csv(path, records()),
    "table.tsv": lambda path: write_csv(path, records(), "\t"),
    "table.parquet": lambda path: pq.write_table(pa.Table.from_pylist(records()), path),
    "table.jsonl": lambda path: path.write_text("".join(json.dumps(row) + "\n" for row in records())),
}


def test_all_file_formats_bring_the_same_listings(project: Path) -> None:
    brought = []
    for name, write in WRITERS.items():
        write(project / name)
        run(project, source(name))
        brought.append(rows(project, "listings"))
    assert len(brought[0]) == 5
    assert all(each == brought[0] for each in brought)
    assert brought[0][2]["title"] == "Thing, 2"
    assert brought[0][2]["price"] == 3.5


def test_every_table_is_always_there(project: Path) -> None:
    write_csv(project / "table.csv", records())
    run(project, source("table.csv"))
    for table, schema in TABLES.items():
        assert pq.read_schema(project / "output" / f"{table}.parquet").equals(schema), table
    assert json.loads((project / "output/upper_bounds.json").read_text()) == {}  # nobody knows those of a real shop


@pytest.mark.parametrize(
    ("write", "source_yaml", "parts"),
    [
        (lambda path: None, source("table.csv"), ["table.csv: file not found"]),
        (lambda path: path.write_text(""), source("table.csv"), ["the file is empty", "names of the columns"]),
        (lambda path: path.write_text("id,image,title,price\n"), source("table.csv"), ["has no rows"]),
        (
            lambda path: path.write_bytes(b"id,image,title,price\n\xff,\xfe,a,1\n"),
            source("table.csv"),
            ["cannot be read as csv", "set `encoding`"],
        ),
        (
            lambda path: write_csv(path, records()),
            source("table.csv", "{id: id, image: photo, title: name}"),
            ["no column 'photo', 'name'", "columns: id, image, title, price"],
        ),
        (
            lambda path: write_csv(path, records()),
            source("table.csv", "{id: id, headline: title}"),
            ["unknown field headline of listings", "allowed:", "title"],
        ),
        (lambda path: write_csv(path, records()), source("table.csv", "{title: title}"), ["id must be mapped"]),
        (
            lambda path: path.with_suffix(".xlsx").write_bytes(b""),
            source("table.xlsx"),
            ["unknown extension '.xlsx'; allowed: .csv, .tsv, .parquet, .jsonl"],
        ),
        (
            lambda path: path.with_suffix(".parquet").write_bytes(b"PAR1no"),
            source("table.parquet"),
            ["cannot be read as parquet"],
        ),
        (
            lambda path: write_csv(path, [row | {"image": f"https://far.test/{row['id']}.png"} for row in records()]),
            source("table.csv"),
            ["5 images are URLs, the first is https://far.test/", "set `contact`", "set `contact`"],
        ),
        (
            lambda path: write_csv(path, [row | {"image": "elsewhere.png"} for row in records()]),
            source("table.csv"),
            ["all 5 listings were rejected, 5 for image_missing"],
        ),
    ],
)
def test_mistakes_are_answered_with_source_and_remedy(
    project: Path, write: Callable[[Path], object], source_yaml: str, parts: list[str]
) -> None:
    write(project / "table.csv")
    with pytest.raises(StageError) as caught:
        run(project, source_yaml)
    for words in ("source shop: ", *parts):
        assert words in str(caught.value)


@pytest.mark.parametrize(
    ("source_yaml", "message"),
    [
        ("{name: shop, kind: tabel}", "'wordpress', 'demo', 'table'"),
        ("{name: Shop, kind: demo}", "name"),
        ("{name: shop, kind: table, path: t.csv, columns: {}}", "columns"),
        ("{name: shop, kind: wordpress, url: 'http://a.test'}", "contact"),
    ],
)
def test_wrong_parameters_are_named(project: Path, source_yaml: str, message: str) -> None:
    with pytest.raises(ParameterError) as caught:
        run(project, source_yaml)
    assert "params.yaml: catalog.sources.0" in str(caught.value)
    assert message in str(caught.value)


def test_two_sources_of_one_name_are_refused(project: Path) -> None:
    with pytest.raises(ParameterError, match="duplicate source name shop: ids would clash; rename one source"):
        run(project, source("a.csv"), source("b.csv"))


def test_bad_rows_go_to_the_quarantine_and_counts_add_up(project: Path) -> None:
    (project / "images/text.png").write_text("no image")
    (project / "images/cut.png").write_bytes(image(9)[:300])
    (project / "images/bomb.png").write_bytes(b"")
    Image.new("1", (9000, 9000)).save(project / "images/vast.png")
    (project / "images/fat.png").write_bytes(b"\0" * 9_000_000)
    (project / "images/copy.png").write_bytes(image(1))
    images = ["none.png", "text.png", "cut.png", "bomb.png", "vast.png", "fat.png"]
    extra = [{"id": name, "image": f"images/{name}", "title": "t", "price": ""} for name in images]
    extra += [
        {"id": "copy.png", "image": "images/copy.png", "title": "thing,  1", "price": ""},
        {"id": "", "image": "images/0.png", "title": "t", "price": ""},
        {"id": "n0", "image": "images/0.png", "title": "again", "price": ""},
        {"id": "blank", "image": " ", "title": "t", "price": ""},
        {"id": "dear", "image": "images/0.png", "title": "t", "price": "a lot"},
    ]
    write_csv(project / "table.csv", records() + extra)
    with (project / "table.csv").open("a") as file:
        file.write("ragged,images/0.png,one, two,3\n")
    metrics = run(project, source("table.csv"))
    reasons = [(row["id"], row["reason"]) for row in rows(project, "quarantine")]
    assert sorted(reasons) == [
        ("shop:blank", "no_image"),
        ("shop:bomb.png", "image_truncated"),
        ("shop:cut.png", "image_truncated"),
        ("shop:dear", "malformed_record"),
        ("shop:fat.png", "image_too_large"),
        ("shop:n0", "malformed_record"),
        ("shop:none.png", "image_missing"),
        ("shop:table.csv row 13", "malformed_record"),
        ("shop:table.csv row 17", "malformed_record"),
        ("shop:text.png", "image_type"),
        ("shop:vast.png", "image_too_large"),
    ]
    assert [(row["id"], row["original"], row["kind"]) for row in rows(project, "duplicates")] == [
        ("shop:n1", "shop:copy.png", "exact")
    ]
    assert metrics["listings_fetched"] == 17
    assert metrics["listings_fetched"] == sum(
        metrics[f"listings_{part}"] for part in ("accepted", "quarantined", "duplicates")
    )
    assert all(row["record"] and row["detail"] and row["origin"] for row in rows(project, "quarantine"))


def test_row_with_too_many_cells_is_kept_as_it_was(project: Path) -> None:
    write_csv(project / "table.csv", records(), ";")
    with (project / "table.csv").open("a") as file:
        file.write("ragged;images/0.png;one; two;3\n")
    run(project, source("table.csv"))
    (row,) = rows(project, "quarantine")
    assert row["record"] == "ragged;images/0.png;one; two;3"
    assert row["detail"] == "row 6: more cells than the header; quote the cells that contain the delimiter"


def test_broken_line_of_json_is_one_bad_record(project: Path) -> None:
    lines = [json.dumps(row) for row in records()]
    (project / "table.jsonl").write_text("\n".join([*lines, '{"id": ', "[1, 2]"]) + "\n")
    metrics = run(project, source("table.jsonl"))
    assert (metrics["listings_accepted"], metrics["quarantined_malformed_record"]) == (5, 2)


def test_tables_other_than_listings_join_by_the_sources_name(project: Path) -> None:
    (project / "guides.jsonl").write_text(
        '{"_id": 1, "text": "one"}\n{"_id": 2, "text": "two"}\n{"_id": 1, "text": "3"}\n'
    )
    (project / "judged.tsv").write_text("q\td\ts\nq1\t1\t3\nq1\t2\tmany\n")
    write_csv(project / "table.csv", records())
    metrics = run(
        project,
        source("table.csv"),
        source("guides.jsonl", "{id: _id, text: text}", ", table: guides"),
        source("judged.tsv", "{query: q, guide: d, relevance: s}", ", table: qrels"),
    )
    assert [(row["id"], row["text"]) for row in rows(project, "guides")] == [("shop:1", "one"), ("shop:2", "two")]
    assert rows(project, "qrels") == [{"query": "shop:q1", "guide": "shop:1", "relevance": 3}]
    assert (metrics["guides_fetched"], metrics["guides_quarantined"], metrics["qrels_quarantined"]) == (3, 1, 1)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(range(5)), titles=st.lists(st.text(st.characters(codec="utf-8")), min_size=5, max_size=5))
def test_order_of_rows_changes_nothing_and_no_record_is_lost(
    project: Path, order: list[int], titles: list[str]
) -> None:
    listed = [row | {"title": title.replace("\0", "")} for row, title in zip(records(), titles, strict=True)]
    write_csv(project / "table.csv", listed)
    metrics = run(project, source("table.csv"))
    first = {file.name: file.read_bytes() for file in (project / "output").iterdir()}
    write_csv(project / "table.csv", [listed[number] for number in order])
    run(project, source("table.csv"))
    assert {file.name: file.read_bytes() for file in (project / "output").iterdir()} == first
    assert metrics["listings_accepted"] + metrics["listings_quarantined"] == 5


def _shared_images(project: Path) -> str:
    """A table of 60 listings of 20 titles that share five images; three listings repeat each title with its image."""
    titles = [number % 20 for number in range(60)]
    shared = [
        {"id": n, "image": f"images/{t % 5}.png", "title": f"Chair {t}", "price": 5} for n, t in enumerate(titles)
    ]
    write_csv(project / "table.csv", shared)
    return source("table.csv")


@pytest.mark.parametrize(("rule", "accepted"), [("same_image_and_text", 20), ("same_image", 5), ("none", 60)])
def test_many_listings_share_one_image(
    project: Path, capsys: pytest.CaptureFixture[str], rule: str, accepted: int
) -> None:
    metrics = run(project, _shared_images(project) + f"\n  duplicates: {rule}")
    assert (metrics["listings_accepted"], metrics["images"]) == (accepted, 5)
    assert metrics["sources"] == {"shop": {"accepted": accepted, "duplicates": 60 - accepted, "quarantined": 0}}
    assert ("WARNING: source shop" in capsys.readouterr().out) == (accepted < 60)
    listings = rows(project, "listings")
    first = {row["image"]: row["id"] for row in listings if row["same_image_as"] is None}
    assert len(first) == 5
    assert all(first[row["image"]] == row["same_image_as"] or row["id"] in first.values() for row in listings)


@pytest.mark.skipif(not CLOTHING.is_file(), reason="../shared/data/clothing is not on this machine")
def test_five_lines_bring_the_clothing_data(project: Path) -> None:
    columns = "{id: id, image: image, title: category, item: category}"
    metrics = run(project, f"{{name: clothing, kind: table, path: {CLOTHING}, columns: {columns}}}")
    assert metrics["listings_fetched"] == 713 == metrics["listings_accepted"] + metrics["listings_duplicates"]
    assert len({row["item"] for row in rows(project, "listings")}) == 10


@pytest.mark.skipif(not VASWANI.is_dir(), reason="../shared/data/vaswani is not on this machine")
def test_a_collection_in_beirs_layout_comes_in_through_tables(project: Path) -> None:
    write_csv(project / "table.csv", records())
    metrics = run(
        project,
        source("table.csv"),
        source(f"{VASWANI}/queries.jsonl", "{id: _id, text: text}", ", table: queries"),
        source(f"{VASWANI}/qrels/test.tsv", "{query: query-id, guide: corpus-id, relevance: score}", ", table: qrels"),
    )
    assert (metrics["queries_accepted"], metrics["qrels_accepted"]) == (93, 2083)


def test_sources_of_neither_listings_nor_guides_are_an_error(project: Path) -> None:
    (project / "nodes.csv").write_text("id,type,text\na,item,chair\n")
    source_yaml = source("nodes.csv", "{id: id, type: type, text: text}", ", table: nodes")
    with pytest.raises(StageError, match=r"catalog\.sources: shop contain neither listings nor guides"):
        run(project, source_yaml)
