"""The source `huggingface`: folders that `datasets` writes or reads, and its cache of the hub. No network."""

import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import ClassLabel, Dataset, DatasetDict, Features, Image, Value
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assets.catalog.change_detection import compute_change_tokens
from assets.catalog.huggingface import HuggingFaceSource
from heddle.core.stage import StageError
from tests.support.source_project import adds_up, image, parameters, read, refused, rows, run

FEATURES = Features({"id": Value("string"), "image": Image(), "label": ClassLabel(names=["chair", "lamp"])})
COLUMNS = "{id: id, image: image, item: label}"
EXPECTED = [("hf:n0", "chair"), ("hf:n1", "lamp"), ("hf:n2", "chair"), ("hf:n3", None)]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for module in ("huggingface_hub.constants", "datasets.config"):
        monkeypatch.setattr(f"{module}.HF_HUB_OFFLINE", True)
    return tmp_path


def dataset() -> Dataset:
    records = [
        {"id": f"n{number}", "image": {"bytes": image(number), "path": f"{number}.jpg"}, "label": label}
        for number, label in enumerate((0, 1, 0, -1))
    ]
    return Dataset.from_list(records, features=FEATURES)


def source(path: str = "set", columns: str = COLUMNS, more: str = "") -> str:
    return f"{{name: hf, kind: huggingface, path: {path}, columns: {columns}{more}}}"


def items(project: Path) -> list[tuple[str, str | None]]:
    return [(row["id"], row["item"]) for row in rows(project, "listings")]


def test_what_save_to_disk_writes_comes_back(project: Path) -> None:
    dataset().save_to_disk(str(project / "set"))
    metrics = run(project, source())
    assert items(project) == EXPECTED
    alone = (project / "output/listings.parquet").read_bytes()
    DatasetDict({"train": dataset().select([0]), "test": dataset()}).save_to_disk(str(project / "both"))
    assert run(project, source("both", more=", split: test")) == metrics
    assert (project / "output/listings.parquet").read_bytes() == alone
    with pytest.raises(StageError, match=r"no split 'dev'; splits: train, test"):
        run(project, source("both", more=", split: dev"))


def test_a_folder_of_parquet_is_the_same_data_set(project: Path) -> None:
    (project / "set").mkdir()
    dataset().to_parquet(str(project / "set/train.parquet"))
    run(project, source())
    assert items(project) == EXPECTED
    first = compute_change_tokens(project).tokens
    dataset().to_parquet(str(project / "set/more.parquet"))
    assert compute_change_tokens(project).tokens != first


def test_a_folder_of_csv_names_images_by_path(project: Path) -> None:
    (project / "set").mkdir()
    (project / "set/a.jpg").write_bytes(image(1))
    (project / "set/train.csv").write_text("key,file,what\n1,a.jpg,chair\n2,gone.jpg,lamp\n3,,x\n")
    metrics = run(project, source(columns="{id: key, image: file, item: what}"))
    assert items(project) == [("hf:1", "chair")]
    assert sorted(refused(project)) == [("hf:2", "image_missing"), ("hf:3", "no_image")]
    assert adds_up(metrics)


def test_a_folder_of_images_has_its_folders_as_classes(project: Path) -> None:
    for number, label in enumerate(("chair", "lamp")):
        (project / "set" / label).mkdir(parents=True)
        (project / f"set/{label}/{number}.jpg").write_bytes(image(number))
    (project / "set/lamp/cut.jpg").write_bytes(image(5)[:300])
    metrics = run(project, source(columns="{id: __row__, image: image, item: label}"))
    assert sorted(item for _, item in items(project)) == ["chair", "lamp"]
    assert [reason for _, reason in refused(project)] == ["image_truncated"]
    assert adds_up(metrics)


def test_other_tables_come_too(project: Path) -> None:
    (project / "set").mkdir()
    lines = [{"_id": str(number), "text": f"Guide {number}"} for number in range(3)] + [{"_id": "3", "text": None}]
    (project / "set/train.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    metrics = run(project, source(columns="{id: _id, text: text}", more=", table: guides"))
    assert [row["text"] for row in rows(project, "guides")] == ["Guide 0", "Guide 1", "Guide 2"]
    assert (metrics["guides_fetched"], metrics["guides_quarantined"]) == (4, 1)


def test_rows_cannot_make_us_read_other_files(project: Path) -> None:
    (project / "private.jpg").write_bytes(image(9))
    (project / "set").mkdir()
    (project / "set/inside.jpg").write_bytes(image(8))
    shown = [{"bytes": None, "path": str(project / path)} for path in ("private.jpg", "set/inside.jpg")]
    table = pa.table({"id": ["private", "inside"], "image": shown})
    pq.write_table(table, project / "set/train.parquet")
    settings = parameters(name="hf", kind="huggingface", path="set", columns={"id": "id", "image": "image"})
    _, result, _ = read(HuggingFaceSource(settings), project / "spool")
    assert [(row["id"], row["reason"]) for row in result.quarantine] == [("hf:private", "image_outside")]
    assert [draft.id for draft, _ in result.listings] == ["hf:inside"]


@pytest.mark.parametrize(
    ("source_yaml", "message"),
    [
        (source(columns="{id: key, image: image}"), "no column 'key'; columns: id, image, label, __row__"),
        (source(columns="{image: image}"), "id must be mapped for listings"),
        (source(columns="{id: id, what: label}"), "unknown field what of listings"),
        (source("nobody/nothing"), "nobody/nothing: cannot be opened"),
        (source("empty"), "cannot be opened"),
    ],
)
def test_mistakes_are_answered_with_what_there_is(project: Path, source_yaml: str, message: str) -> None:
    dataset().save_to_disk(str(project / "set"))
    (project / "empty").mkdir()
    with pytest.raises(StageError) as caught:
        run(project, source_yaml)
    assert "source hf: " in str(caught.value)
    assert message in str(caught.value)


def whole() -> bytes:
    file = io.BytesIO()
    dataset().to_parquet(file)
    return file.getvalue()


PARQUET = whole()


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.lists(st.tuples(st.integers(0, len(PARQUET) - 1), st.integers(0, 255)), max_size=5),
    cut=st.sampled_from([0, 0, 1, 100, 5000]),
)
def test_a_damaged_file_is_read_or_refused(project: Path, changes: list[tuple[int, int]], cut: int) -> None:
    content = bytearray(PARQUET[: len(PARQUET) - cut])
    for get_path, value in changes:
        content[min(get_path, len(content) - 1)] = value
    (project / "set").mkdir(exist_ok=True)
    (project / "set/train.parquet").write_bytes(content)
    options: dict[str, Any] = {"columns": {"id": "id", "image": "image", "item": "label"}}
    source = HuggingFaceSource(parameters(name="hf", kind="huggingface", path="set", **options))
    try:
        collector, result, _ = read(source, project / "spool")
    except StageError as error:
        message = str(error)
    else:
        message = "source hf: "
        assert len(result.listings) + len(result.quarantine) == collector.fetched["listings"]
    assert message.startswith("source hf: ")
