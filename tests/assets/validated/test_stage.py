"""The stage `validated` as a whole: quarantine, closure, sources, equal bytes."""

import copy
import html
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from assets.validated.stage import validated
from heddle.core.schemas import TABLES, read_rows
from heddle.core.stage import Stage, StageError
from heddle.validation.expectations import EXPECTATIONS, SUITES
from tests.support.sound_catalogue import ROWS, Tables, sound, write

ROOT = Path(__file__).parents[3]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scales").mkdir()
    (tmp_path / "scales/smoke.yaml").write_text("{}\n")
    (tmp_path / "params.yaml").write_text("scale: smoke\n")
    (tmp_path / "data/catalog").mkdir(parents=True)
    return tmp_path


def run(project: Path, name: str = "output") -> dict[str, float | int]:
    (project / name).mkdir()
    return dict(validated(Stage("validated", project / name)))


def outputs(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


def test_refused_rows_go_to_one_quarantine_and_nothing_dangles(project: Path) -> None:
    tables = sound()
    tables["images"][1]["height"] = 8
    tables["listings"][2]["title"] = None
    tables["guides"][3]["text"] = ""
    tables["nodes"][4]["text"] = " "
    earlier = {"table": "listings", "id": "s:x", "origin": "o", "reason": "no_image", "detail": "d", "record": "{}"}
    write(project / "data/catalog", tables, [earlier])
    metrics = run(project)
    found = {(row["table"], row["id"]): row["reason"] for row in read_rows(project / "output/quarantine.parquet")}
    assert found == {
        ("edges", "s:n00 becomes s:n04"): "edges_join_known_nodes",
        ("guides", "s:g03"): "text_present",
        ("images", "01" * 32): "images_large_enough",
        ("listings", "s:01"): "images_known",
        ("listings", "s:02"): "title_present",
        ("listings", "s:x"): "no_image",
        ("nodes", "s:n04"): "node_text_present",
        ("qrels", "s:q03 s:g03"): "judgements_join_known",
    }
    kept = {name: read_rows(project / f"output/{name}.parquet") for name in TABLES}
    assert {row["sha256"] for row in kept["images"]} == {row["image"] for row in kept["listings"]}
    assert metrics["images_dropped"] == 1  # the image that only the listing without a title shows
    for name in set(TABLES) - {"images"}:
        refused = sum(table == name and identity != "s:x" for table, identity in found)
        assert len(kept[name]) == len(tables[name]) - refused == metrics[f"{name}_accepted"]
    record = next(row for row in read_rows(project / "output/quarantine.parquet") if row["id"] == "s:02")["record"]
    assert json.loads(record)["image"] == "02" * 32


def test_what_was_accepted_is_accepted_again(project: Path) -> None:
    tables = sound()
    tables["listings"][2]["title"] = None
    write(project / "data/catalog", tables)
    run(project, "once")
    once = {name: read_rows(project / f"once/{name}.parquet") for name in TABLES}
    write(project / "data/catalog", {name: copy.deepcopy(rows) for name, rows in once.items()})
    assert run(project, "twice")["expectations_without_failure"] == len(EXPECTATIONS)
    assert {name: read_rows(project / f"twice/{name}.parquet") for name in TABLES} == once


def test_equal_catalogues_give_equal_bytes_docs_included(project: Path) -> None:
    tables = sound()
    for row, title in zip(tables["listings"][:1], (None,), strict=True):
        row["title"] = title
    tables["qrels"][7]["guide"] = "s:none"
    write(project / "data/catalog", tables)
    run(project, "one")
    run(project, "other")
    assert outputs(project / "one") == outputs(project / "other")
    assert {f"docs/{suite}.html" for suite in (*SUITES, "index")} <= outputs(project / "one").keys()


@pytest.mark.slow
def test_docs_do_not_depend_on_how_python_hashes_text(project: Path) -> None:
    tables = sound()
    tables["qrels"].append(tables["qrels"][0] | {"relevance": 3})
    write(project / "data/catalog", tables)
    (project / "params.yaml").write_text("scale: smoke\nvalidated: {bounds: {judgements_unique: 1}}\n")
    (project / "dvc.yaml").write_text((ROOT / "dvc.yaml").read_text())
    found = []
    for seed in ("0", "1"):  # under which sets of column names have other orders
        environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed}
        subprocess.run([sys.executable, "-m", "assets.validated"], check=True, env=environment)
        found.append(outputs(project / "data/validated"))
    assert all(name in found[0]["docs/qrels.html"].decode() for name in ("s:q00", "s:g00"))  # the doubled one is shown
    assert found[0] == found[1]


def test_docs_open_offline_and_name_every_expectation(project: Path) -> None:
    write(project / "data/catalog", sound())
    run(project)
    pages = {name: body.decode() for name, body in outputs(project / "output").items() if name.endswith(".html")}
    for page in pages.values():
        assert "http" not in page
        assert "<script" not in page
    for expectation in EXPECTATIONS:
        assert expectation.name in pages[f"docs/{expectation.suite}.html"]


def test_ids_of_failing_rows_are_no_elements_of_the_docs(project: Path) -> None:
    """An id may have any visible character: the address of a page, the name of a file."""
    attack = "<img src=x onerror='alert(1)'><script>"
    tables = sound()
    tables["listings"][2] |= {"id": f"s:{attack}", "title": None}
    tables["edges"].append({"source": "s:n00", "relation": f"{attack}\u202e", "target": f"s:{attack}"})
    write(project / "data/catalog", tables)
    run(project)
    pages = {name: body.decode() for name, body in outputs(project / "output").items() if name.endswith(".html")}
    shown = {name for name, page in pages.items() if html.escape(attack) in page}
    assert shown == {"docs/listings.html", "docs/edges.html"}
    for page in pages.values():
        assert not re.search("<img|<script|\u202e", page)


def test_expectations_are_listed_for_the_orchestrator(project: Path) -> None:
    tables = sound()
    tables["listings"][2]["title"] = None
    write(project / "data/catalog", tables)
    run(project)
    listed = json.loads((project / "output/expectations.json").read_text())
    assert [each["name"] for each in listed] == [each.name for each in EXPECTATIONS]
    assert next(each for each in listed if each["name"] == "title_present") == {
        "suite": "listings",
        "name": "title_present",
        "description": "Each listing has a title.",
        "passed": True,
        "evaluated": ROWS,
        "failed": 1,
        "bound": 0.05,
        "sources": {"s": {"evaluated": ROWS, "failed": 1}},
    }


def _with_a_small_source(tables: Tables, untitled: int) -> None:
    """Twenty listings of another source, which show the same images; `s` grows so that they are few among many."""
    first = tables["listings"][0]
    tables["listings"] += [first | {"id": f"s:more{number}"} for number in range(1000)]
    small = [first | {"id": f"small:{number}", "source": "small"} for number in range(20)]
    for row in small[:untitled]:
        row["title"] = None
    tables["listings"] += small


def test_a_large_sound_source_does_not_hide_a_small_broken_one(project: Path) -> None:
    tables = sound()
    _with_a_small_source(tables, untitled=2)
    write(project / "data/catalog", tables)
    with pytest.raises(StageError) as caught:
        run(project)
    assert "source small: listings: title_present: 2 of 20 rows (10.0%, allowed 5.0%)" in str(caught.value)


def test_what_each_source_contributed_is_told_in_the_docs(project: Path) -> None:
    tables = sound()
    _with_a_small_source(tables, untitled=1)
    tables["listings"][3]["price"] = -1.0
    tables["listings"][4]["price"] = None
    write(project / "data/catalog", tables)
    run(project)
    listed = {each["name"]: each["sources"] for each in json.loads((project / "output/expectations.json").read_text())}
    assert listed["title_present"] == {"small": {"evaluated": 20, "failed": 1}}
    assert listed["price_positive"] == {"s": {"evaluated": ROWS + 1000 - 1, "failed": 1}}
    page = (project / "output/docs/index.html").read_text()
    assert "<td>small<td>listings: title_present<td>1 of 20 (5.0%)<td>5.0%" in page


def test_too_many_failures_stop_the_stage_and_say_which(project: Path) -> None:
    tables = sound()
    for row in tables["listings"][:3]:
        row["title"] = None
    tables["qrels"][0]["relevance"] = 9
    write(project / "data/catalog", tables)
    with pytest.raises(StageError) as caught:
        run(project)
    for words in (
        "listings: title_present: 3 of 24 rows (12.5%, allowed 5.0%), for example s:00, s:01, s:02",
        "validated.bounds.title_present",
        "qrels: relevance_in_range: 1 of 24 rows",
    ):
        assert words in str(caught.value)
    (project / "params.yaml").write_text(
        "scale: smoke\nvalidated: {bounds: {title_present: 0.2, relevance_in_range: 0.1}}\n"
    )
    assert run(project, "again")["listings_accepted"] == ROWS - 3


def test_what_a_person_releases_is_let_in_where_no_stage_relies_on_it(project: Path) -> None:
    tables = sound()
    for number in (1, 2, 3):
        tables["listings"][number]["title"] = None
    tables["images"][4]["height"] = 8
    tables["listings"][5]["objects"] = [{"label": "chair", "box": [0.0, 0.0, 2.0, 1.0], "attributes": []}]
    write(project / "data/catalog", tables)
    with pytest.raises(StageError, match="title_present"):
        run(project)
    shutil.rmtree(project / "output")
    released = ["s:01", "s:02", "04" * 32, "s:05", "s:gone"]
    (project / "params.yaml").write_text(f"scale: smoke\nvalidated: {{released: {json.dumps(released)}}}\n")
    assert run(project)["listings_accepted"] == ROWS - 2
    found = {row["id"]: row["reason"] for row in read_rows(project / "output/quarantine.parquet")}
    assert found == {"s:03": "title_present", "s:05": "boxes_inside_image"}
    assert "04" * 32 in {row["sha256"] for row in read_rows(project / "output/images.parquet")}
    listed = {each["name"]: each for each in json.loads((project / "output/expectations.json").read_text())}
    assert (listed["title_present"]["failed"], listed["title_present"]["passed"]) == (1, True)


@pytest.mark.parametrize("filled", [("images", "listings"), ("guides",)])
def test_empty_tables_are_no_failure(project: Path, filled: tuple[str, ...]) -> None:
    write(project / "data/catalog", {name: rows if name in filled else [] for name, rows in sound().items()})
    metrics = run(project)
    assert {name: metrics[f"{name}_accepted"] for name in TABLES} == {name: ROWS * (name in filled) for name in TABLES}
