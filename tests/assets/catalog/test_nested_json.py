"""JSON that is nested more deeply than Python can follow is a malformed record, like any other text that is no JSON."""

import sys
from pathlib import Path

import pytest

from assets.catalog.beir import BeirSource
from assets.catalog.coco import CocoSource
from assets.catalog.collector import Collector
from assets.catalog.nested_json import parse_json
from assets.catalog.rows import to_json
from assets.catalog.table import TableSource
from heddle.core.stage import StageError
from heddle.sources.parameters import Beir, Coco, Table

DEEP = 100_000
NESTED = {"lists": "[" * DEEP + "]" * DEEP, "objects": '{"a":' * DEEP + "1" + "}" * DEEP}


@pytest.mark.parametrize("value", NESTED.values(), ids=NESTED)
def test_nested_line_of_json_lines_is_quarantined(value: str, tmp_path: Path) -> None:
    (tmp_path / "corpus.jsonl").write_text(f'{{"_id": "1", "text": "sand"}}\n{{"_id": "2", "text": {value}}}\n')
    collector = Collector(tmp_path, 1e6, 1_000_000, 1)
    BeirSource(Beir(kind="beir", name="mine", path=str(tmp_path))).gather(collector)
    assert [row["detail"] for row in collector.finish().quarantine] == ["not a JSON object"]
    assert len(collector.tables["guides"]) == 1


@pytest.mark.parametrize("value", NESTED.values(), ids=NESTED)
def test_nested_cell_of_a_table_is_quarantined(value: str, tmp_path: Path) -> None:
    path = tmp_path / "chats.csv"
    cell = value.replace('"', '""')
    path.write_text(f'id,messages\n1,"{cell}"\n')
    columns = {"id": "id", "messages": "messages"}
    collector = Collector(tmp_path, 1e6, 1_000_000, 1)
    source = Table(kind="table", name="mine", path=str(path), table="conversations", columns=columns)
    TableSource(source).gather(collector)
    (row,) = collector.finish().quarantine
    assert "its values are nested too deeply" in row["detail"]


def test_nested_file_of_annotations_is_an_error_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "instances.json"
    path.write_text(NESTED["lists"])
    source = CocoSource(Coco(kind="coco", name="mine", path=str(path), images=str(tmp_path)))
    with pytest.raises(StageError, match=r"instances\.json: cannot be read as JSON: its values are nested too deeply"):
        source.gather(Collector(tmp_path, 1e6, 1_000_000, 1))


def test_what_can_be_parsed_can_be_written_to_the_quarantine() -> None:
    """A limit without a reserve lets a few depths through that cannot be written."""
    parsed = 0
    for depth in range(sys.getrecursionlimit() - 250, sys.getrecursionlimit()):
        text = "[" * depth + "]" * depth
        try:
            record = {"image": parse_json(text), "annotations": []}
        except ValueError:
            continue
        parsed += 1
        assert to_json(record) == f'{{"annotations": [], "image": {text}}}'
    assert 0 < parsed < 250
