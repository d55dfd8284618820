import hashlib
import io
import json
import tarfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from assets.shards import stage as module
from assets.shards.parameters import ShardsParameters
from assets.shards.stage import LABELS, sample_key, shards, split_listings, write_shards
from heddle.core.parameters.shared import Split as Shares
from heddle.core.schemas import TABLES, read_rows, write_table
from heddle.core.splits import SPLITS, split_of
from heddle.core.stage import StageError, read_json
from heddle.images.originals import find_originals
from heddle.images.resize import decode
from lightning_modules.training.settings import LoadingSettings
from lightning_modules.training.shards import ShardSplit, read_samples
from tests.support.small_project import contents, run, write_project

PARAMETERS = ShardsParameters(image_size=20, resize_mode="pad", quality=90, listings_per_shard=3)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project after `shards`."""
    folder = write_project(tmp_path_factory.mktemp("shards") / "project")
    params = (folder / "params.yaml").read_text()
    (folder / "params.yaml").write_text(params + "shards: {resize_mode: pad, quality: 90, listings_per_shard: 3}\n")
    (folder / "data/shards/labels.json").unlink()
    (folder / "data/shards/metrics.json").unlink()
    (folder / "data/shards").rmdir()
    run(shards, folder)
    return folder


def _members(folder: Path) -> dict[str, bytes]:
    found = {}
    for path in sorted(folder.glob("*.tar")):
        with tarfile.open(path) as tar:
            for member in tar:
                assert (member.mtime, member.uid, member.gid, member.uname, member.gname) == (0, 0, 0, "", "")
                found[member.name] = tar.extractfile(member).read()  # type: ignore[union-attr]
    return found


def test_every_listing_with_an_image_is_in_its_split_once(project: Path) -> None:
    rows = read_rows(project / "data/validated/listings.parquet")
    split = Shares(validation=0.2, test=0.4)
    for name in SPLITS:
        members = _members(project / "data/shards" / name)
        expected = {sample_key(row["id"]): row for row in rows if split_of(row["id"], split) == name}
        assert list(members) == [f"{key}.{kind}" for key in sorted(expected) for kind in ("jpg", "json")]
        for key, row in expected.items():
            assert json.loads(members[f"{key}.json"]) == json.loads(json.dumps(row))
            image = decode(members[f"{key}.jpg"])
            assert image.size == (16, 16)
    numbers = read_json(project / "data/shards/metrics.json")
    assert sum(numbers[f"{name}_listings"] for name in SPLITS) == len(rows)
    assert numbers["images_shared_between_splits"] == 0


def test_listings_with_one_image_are_in_one_split(project: Path) -> None:
    listings = pq.read_table(project / "data/validated/listings.parquet")
    column = listings.schema.get_field_index("same_image_as")
    oldest = listings["id"][0].as_py()
    shared = pa.array([None, *[oldest] * (listings.num_rows - 1)], pa.string())
    splits = split_listings(listings.set_column(column, "same_image_as", shared), Shares(validation=0.2, test=0.4))
    assert sorted(split.num_rows for split in splits.values()) == [0, 0, listings.num_rows]
    assert splits[split_of(oldest, Shares(validation=0.2, test=0.4))].num_rows == listings.num_rows


def test_vocabularies_come_from_the_train_split_alone(project: Path) -> None:
    listings = pq.read_table(project / "data/validated/listings.parquet")
    train = split_listings(listings, Shares(validation=0.2, test=0.4))["train"].to_pylist()
    labels = read_json(project / "data/shards/labels.json")
    assert labels["item"] == sorted({row["item"] for row in train if row["item"]})
    assert set(labels) == {"item", "material", "bin", "product_class"}
    assert labels["product_class"] == sorted({row["product_class"] for row in train if row["product_class"]})


def test_parallel_bytes_equal_serial_bytes(project: Path, tmp_path: Path) -> None:
    listings = pq.read_table(project / "data/validated/listings.parquet")
    originals = find_originals(project / "data/catalog")
    found = []
    for processes in (1, 2):
        plan = list(module._plan_shards(tmp_path / str(processes), listings, originals, PARAMETERS))
        assert len(plan) == 8
        assert sum(write_shards(plan, PARAMETERS, processes)) == listings.num_rows
        found.append(contents(tmp_path / str(processes)))
    assert found[0] == found[1]


def test_an_image_that_cannot_be_read_names_its_listing(project: Path, tmp_path: Path) -> None:
    listings = pq.read_table(project / "data/validated/listings.parquet").slice(0, 1)
    (row,) = listings.to_pylist()
    broken = tmp_path / "images-00000.tar"
    content = Image.new("RGB", (9, 9)).tobytes()
    with tarfile.open(broken, "w") as tar:
        member = tarfile.TarInfo(row["image"])
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    plan = module._plan_shards(tmp_path / "train", listings, find_originals(tmp_path), PARAMETERS)
    with pytest.raises(StageError, match=f"{row['image']}, the image of {row['id']}, cannot be read"):
        list(write_shards(list(plan), PARAMETERS, 1))


def test_an_image_that_is_missing_names_its_listing(project: Path, tmp_path: Path) -> None:
    listings = pq.read_table(project / "data/validated/listings.parquet").slice(0, 1)
    (row,) = listings.to_pylist()
    with pytest.raises(StageError, match=rf"{row['id']}: its image .* is not in the tars"):
        list(module._plan_shards(tmp_path / "train", listings, {}, PARAMETERS))


def test_without_listings_each_split_is_a_tar_without_samples(project: Path, tmp_path: Path) -> None:
    folder = write_project(tmp_path / "project")
    (folder / "params.yaml").write_text((project / "params.yaml").read_text())
    write_table(folder / "data/validated/listings.parquet", [], TABLES["listings"])
    numbers = run(shards, folder, "again")
    assert {name: numbers[f"{name}_listings"] for name in SPLITS} == dict.fromkeys(SPLITS, 0)
    assert read_json(folder / "data/again/labels.json") == {label: [] for label in LABELS}
    settings = LoadingSettings(batch_size=2, num_workers=0, cache=False, shuffle_buffer=1)
    for name in SPLITS:
        assert [path.name for path in (folder / "data/again" / name).iterdir()] == ["00000.tar"]
        assert list(read_samples(folder / "data/again" / name)) == []
        assert ShardSplit(folder / "data/again" / name, lambda row: True, settings).total == 0


def test_keys_are_hashes_of_ids() -> None:
    assert sample_key("a:1") == hashlib.sha256(b"a:1").hexdigest()[:16]
