"""What is published is the writer's content, asked once for each image, or the seller's where no writer is."""

import hashlib
import io
import json
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from heddle.content.content import Content
from heddle.core.schemas import LISTINGS, write_table
from heddle.core.skipped import write_skipped
from heddle.core.stage import StageError
from heddle.description.certainty import Certainty
from heddle.evaluation.platt_scaling import PlattScaling
from heddle.inference.describe import DESCRIPTIONS_FILE
from heddle.publishing.content import listing_contents, post_fields, read_accepted_listings
from tests.support.echo_writer import NO_MODELS, describer

COUNT = 20  # more than a batch


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A catalogue with a writer that echoes."""
    rows = []
    (tmp_path / "catalog").mkdir()
    with tarfile.open(tmp_path / "catalog/images-0.tar", "w") as tar:
        for number in range(COUNT):
            file = io.BytesIO()
            Image.new("RGB", (20, 20), (number, 9, 9)).save(file, "PNG")
            member = tarfile.TarInfo(hashlib.sha256(file.getvalue()).hexdigest())
            member.size = len(file.getvalue())
            tar.addfile(member, io.BytesIO(file.getvalue()))
            rows.append({"id": f"shop:{number:02}", "source": "shop", "title": "Seller's <b>", "image": member.name})
    (tmp_path / "validated").mkdir()
    write_table(tmp_path / "validated/listings.parquet", [*rows, rows[0] | {"id": "b:1", "source": "b"}], LISTINGS)
    (tmp_path / "writer").mkdir()
    monkeypatch.setattr("heddle.publishing.content.open_describer", lambda data: describer())
    return tmp_path


def published(data: Path) -> dict[str, Any]:
    listings = listing_contents(read_accepted_listings(data, "shop"), data)
    return {listing.id: listing.content for listing in listings}


def test_the_writer_is_asked_once_for_each_image(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = published(data)
    assert len(first) == COUNT
    assert first["shop:03"]["title"].startswith("Colour [3, 9, 9]")
    kept = (data / "published_content" / DESCRIPTIONS_FILE).read_bytes()
    patient = describer(patience=0)  # would be interrupted by the first question
    monkeypatch.setattr("heddle.publishing.content.open_describer", lambda data: patient)
    assert published(data) == first
    assert (data / "published_content" / DESCRIPTIONS_FILE).read_bytes() == kept


def test_stopped_in_the_middle_it_goes_on(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    undisturbed = published(data)
    (data / "published_content" / DESCRIPTIONS_FILE).unlink()
    monkeypatch.setattr("heddle.publishing.content.open_describer", lambda data: describer(patience=1))
    with pytest.raises(KeyboardInterrupt):
        published(data)
    assert 0 < len((data / "published_content" / DESCRIPTIONS_FILE).read_text().splitlines()) < COUNT
    monkeypatch.setattr("heddle.publishing.content.open_describer", lambda data: describer())
    assert published(data) == undisturbed


def test_without_a_writer_the_seller_s_words_are_taken(data: Path) -> None:
    write_skipped(data / "writer", "no words to learn from")
    assert {content["title"] for content in published(data).values()} == {"Seller's <b>"}
    assert not (data / "published_content").exists()


def test_without_listings_it_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(StageError, match="dvc repro validated"):
        read_accepted_listings(tmp_path, "shop")


def test_every_word_of_the_content_has_its_field() -> None:
    names = ("alt_text", "caption", "title", "description", "seo_title", "seo_description", "body")
    content = Content(**{name: f"{name} & <b>" for name in names}, tags=("t",), categories=("c",))
    fields = post_fields(content.as_json())
    assert fields["title"] == "title &amp; &lt;b&gt;", "no markup comes of plain text"
    text = json.dumps(fields)
    assert all(text.count(f'"{name} &') == 1 for name in names)
    assert (fields["tags"], fields["categories"]) == (["t"], ["c"])


@pytest.mark.parametrize(("min_certainty", "is_published"), [(0.4, True), (0.6, False)])
def test_content_below_the_certainty_bound_is_skipped_with_a_reason(
    data: Path, monkeypatch: pytest.MonkeyPatch, min_certainty: float, is_published: bool
) -> None:
    certainty = Certainty({objects: PlattScaling(0.0, 0.0) for objects in (True, False)})  # always 0.5
    made = describer(scorer=replace(NO_MODELS, certainty=certainty))
    made.min_certainty = min_certainty
    monkeypatch.setattr("heddle.publishing.content.open_describer", lambda data: made)
    found = list(listing_contents(read_accepted_listings(data, "shop"), data))
    assert len(found) == COUNT
    assert all((listing.skipped == "") == is_published for listing in found)
    if not is_published:
        assert found[0].skipped.startswith("certainty 0.5 is below describe.min_certainty 0.6")
    lines = map(json.loads, (data / "published_content" / DESCRIPTIONS_FILE).open())
    assert [line["certain"] for line in lines] == [is_published] * COUNT
