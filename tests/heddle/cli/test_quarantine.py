"""``heddle quarantine``: shows quarantined records and releases them reproducibly."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from heddle.cli.commands import main
from heddle.cli.quarantine import FILE
from heddle.core.parameters.section import load
from heddle.core.schemas import QUARANTINE, read_rows, write_table
from heddle.validation.expectations import EXPECTATIONS
from heddle.validation.parameters import ValidatedParameters

ROOT = Path(__file__).parents[3]
REFUSED = (
    ("listings", "shop:1", "image_truncated"),
    ("listings", "shop:2", "title_present"),
    ("listings", "shop:3", "title_present"),
    ("listings", "shop:4", "robots_tag"),
    ("images", "ab" * 32, "images_large_enough"),
    ("listings", "shop:5", "images_known"),
    ("listings", "shop:6", "body_sanitised"),
)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project's own parameters, and a quarantine."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scales").mkdir()
    (tmp_path / "scales/demo.yaml").write_text("{}\n")
    (tmp_path / "params.yaml").write_text((ROOT / "params.yaml").read_text())
    (tmp_path / "data/validated").mkdir(parents=True)
    rows = [
        {"table": table, "id": id_, "origin": f"http://shop.test/{id_}", "reason": reason, "detail": f"[b]{reason}"}
        for table, id_, reason in REFUSED
    ]
    whole = [row | {"record": '{"title": "[red]Chair"}'} for row in rows]
    write_table(tmp_path / "data/validated/quarantine.parquet", whole, QUARANTINE)
    return tmp_path


def heddle(*words: str) -> Result:
    return CliRunner().invoke(main, ["quarantine", *words])


def test_reasons_are_counted_and_records_shown(project: Path) -> None:
    lines = [line.split() for line in heddle("show").output.splitlines()]
    assert ["2", "listings", "title_present", "releasable", "shop:2"] in lines
    assert ["1", "listings", "robots_tag", "shop:4"] in lines
    shown = heddle("show", "--reason", "title_present").output
    assert "http://shop.test/shop:2" in shown
    assert "shop:3" in shown
    assert "shop:4" not in shown
    assert "[b]title_present" in shown  # what strangers wrote is no markup
    assert '{"title": "[red]Chair"}' in heddle("show", "shop:1").output


def test_show_json_prints_reasons_and_records(project: Path) -> None:
    reasons = [json.loads(line) for line in heddle("show", "--json").output.splitlines()]
    example = {"table": "listings", "reason": "title_present", "records": 2, "releasable": True, "example": "shop:2"}
    assert example in reasons
    assert sum(each["records"] for each in reasons) == len(REFUSED)
    records = [json.loads(line) for line in heddle("show", "--json", "--reason", "title_present").output.splitlines()]
    assert records == [row for row in read_rows(project / FILE) if row["reason"] == "title_present"]
    write_table(project / FILE, [], QUARANTINE)
    assert heddle("show", "--json").output == ""


def test_what_is_not_there_is_said(project: Path) -> None:
    for words in (("show", "shop:9"), ("show", "--reason", "no_such"), ("release", "shop:9")):
        done = heddle(*words)
        assert done.exit_code == 1
        assert words[-1] in done.output
    (project / "data/validated/quarantine.parquet").unlink()
    assert "heddle run" in heddle("show").output


BLOCK = """validated: # largest share of failing rows
  bounds: {}
"""
RELEASED = f"""  released:
    - shop:2
    - {"ab" * 32}
    - shop:3
"""
REST = """
# shown in the dashboard
schedules:
  {ingest: "0 2 * * *", retrain: "0 4 * * *"} # UTC
"""


def test_release_adds_ids_to_the_project_parameters(project: Path) -> None:
    before = (project / "params.yaml").read_text().splitlines()
    assert "2 released" in heddle("release", "shop:2", "ab" * 32).output
    assert heddle("release", "shop:3", "shop:2").exit_code == 0
    assert load("validated", ValidatedParameters).released == ("shop:2", "ab" * 32, "shop:3")
    after = (project / "params.yaml").read_text().splitlines()
    assert all(line in after for line in RELEASED.splitlines())
    others = [line for line in after if line not in RELEASED.splitlines()]
    if others != before:  # a section in flow style becomes a block
        assert [line for line in before if line not in others] == [line for line in before if "validated:" in line]
        assert "  bounds: {}" in others


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (BLOCK, BLOCK + RELEASED),
        ("validated: {bounds: {}} # largest share of failing rows\n", BLOCK + RELEASED),
        ("validated:\n  {bounds: {}, released: []} # largest share of failing rows\n", BLOCK + RELEASED),
        ("validated:\n", "validated:\n" + RELEASED),
        (
            "validated:\n  released:\n    - shop:9 # painted\n    # sold\n    - shop:8\n",
            "validated:\n  released:\n    - shop:9 # painted\n    # sold\n    - shop:8\n" + RELEASED.partition("\n")[2],
        ),
    ],
    ids=["block", "flow", "flow on a new line", "empty", "with comments"],
)
def test_release_changes_nothing_else(project: Path, written: str, expected: str) -> None:
    params = project / "params.yaml"
    params.write_text("scale: demo\n" + written + REST)
    heddle("release", "shop:2", "ab" * 32)
    heddle("release", "shop:3")
    assert params.read_text() == "scale: demo\n" + expected + REST


@pytest.mark.parametrize("end", ["", "\n"])
def test_release_without_section_appends_it(project: Path, end: str) -> None:
    (project / "params.yaml").write_text("scale: demo" + end)
    heddle("release", "shop:2", "ab" * 32, "shop:3")
    assert (project / "params.yaml").read_text() == "scale: demo\nvalidated:\n" + RELEASED


@pytest.mark.parametrize(
    ("id_", "message"),
    [
        ("shop:1", "complete one"),
        ("shop:4", "owner"),
        ("shop:5", "release its image instead"),
        ("shop:6", "stages rely on it"),
    ],
)
def test_what_no_person_can_wave_aside_is_not_released(project: Path, id_: str, message: str) -> None:
    before = (project / "params.yaml").read_text()
    done = heddle("release", "shop:2", id_)
    assert done.exit_code == 1
    assert message in done.output
    assert (project / "params.yaml").read_text() == before


def test_uniqueness_and_sanitizing_are_not_releasable() -> None:
    releasable = {each.name for each in EXPECTATIONS if each.releasable}
    assert not [name for name in releasable if "unique" in name or "known" in name or "sanitised" in name]
    assert releasable
