"""The evaluation of the writer as a whole, of one that knows all texts by heart."""

import csv
import io
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from assets.shards.stage import shards
from assets.writer.evaluate.claims import KINDS
from assets.writer.evaluate.prompting import WriterPrompter
from assets.writer.evaluate.result import MEASURES
from assets.writer.evaluate.stage import writer_evaluation
from heddle.content.lexicon import Lexicon
from heddle.core.schemas import read_rows
from heddle.core.skipped import skip_reason, write_skipped
from heddle.core.splits import SPLITS
from heddle.core.stage import Metrics
from heddle.description.certainty import Certainty
from lightning_modules.clip.encoder import ClipEncoder
from lightning_modules.training.data import ShardSample, read_samples
from lightning_modules.vision.classifier import VisionClassifier
from lightning_modules.writer.content_writer import ContentWriter
from tests.support import small_project
from tests.support.fake_writer import SURE, UNSURE, FakeWriter
from tests.support.small_project import contents, make_listings, run, write_project
from tests.support.small_writer import NO_WRITER

SWAPS = {"chair": "jar", "jar": "lamp", "lamp": "book", "book": "chair"}
COLOURS, THINGS, PREDICATES = ("red", "green", "blue"), ("ball", "cube"), ("behind", "above")
BOX = [0.1, 0.1, 0.9, 0.9]


def with_scenes(bare: bool) -> tuple[list[dict[str, Any]], dict[str, bytes]]:
    """Listings whose first object has a colour and mostly another thing beside it, all of which their alt texts say."""
    rows, images = make_listings(bare)
    for number, row in enumerate(rows):
        if not row["item"] or not row["material"]:
            continue
        colour, thing, predicate = COLOURS[number % 3], THINGS[number // 3 % 2], PREDICATES[number // 5 % 2]
        row["objects"] = [{"label": row["item"], "attributes": [colour, row["material"]], "box": BOX}]
        row["alt_text"] = f"A {colour} {row['item']} of {row['material']}"
        if number % 7:
            row["objects"].append({"label": thing, "attributes": [], "box": BOX})
            row["relations"] = [{"subject": 1, "predicate": predicate, "object": 0}]
            row["alt_text"] += f", with a {thing} {predicate} it."
    return rows, images


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten dozen listings in shards, and a writer's folder with the lexicon of the train split."""
    folder = tmp_path_factory.mktemp("writer_evaluation") / "project"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(small_project, "LISTINGS", 120)
        patch.setattr(small_project, "make_listings", with_scenes)
        write_project(folder)
    scale = folder / "scales/smoke.yaml"
    scale.write_text(scale.read_text().replace("image_size: 16", "image_size: 16, listings_per_shard: 50"))
    params = folder / "params.yaml"
    params.write_text(params.read_text() + "shards: {resize_mode: pad, quality: 90}\n")
    run(shards, folder)
    Lexicon.fit(sample.row for sample in read_samples(folder / "data/shards/train")).write(folder / "data/writer")
    return folder


def judged_by_heart(project: Path, output: str | None = None) -> Metrics:
    """The evaluation of a writer that knows all texts by heart, unless it sees an image alone."""
    samples = [sample for part in SPLITS for sample in read_samples(project / "data/shards" / part)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ContentWriter, "from_folder", lambda folder, threads: FakeWriter(samples, SWAPS))
        return run(writer_evaluation, project, output)


@pytest.fixture(scope="module")
def numbers(project: Path) -> Metrics:
    return judged_by_heart(project)


@pytest.fixture(scope="module")
def asked(project: Path) -> list[ShardSample]:
    """The test listings."""
    return list(read_samples(project / "data/shards/test"))


def test_who_knows_all_texts_by_heart_has_full_marks(numbers: Metrics, asked: list[ShardSample]) -> None:
    assert numbers["test_listings"] == len(asked)
    for kind in (*KINDS, "relations"):
        assert numbers[f"{kind}_right"] == numbers[f"{kind}_precision"] == numbers[f"seller_{kind}_right"] == 1
    assert numbers["bleu"] == pytest.approx(100)
    assert numbers["rougel"] == numbers["valid_rate"] == numbers["sampled_valid_rate"] == numbers["error_auc"] == 1


def test_by_the_image_alone_it_is_as_often_right_as_it_was_made_to_be(
    numbers: Metrics, asked: list[ShardSample]
) -> None:
    labelled = [sample.row for sample in asked if sample.row["item"] in SWAPS]
    expected = np.mean([int(row["id"][-1]) % 2 for row in labelled])
    assert numbers["image_alone_item_right"] == pytest.approx(expected)
    assert numbers["image_alone_material_right"] == numbers["image_alone_colour_right"] == 1
    assert numbers["image_alone_attributes_right"] == pytest.approx((expected + 2) / 3)
    assert numbers["image_alone_own_error_auc"] == numbers["image_alone_own_likelihood_error_auc"] == 1
    assert "own_error_auc" not in numbers  # it makes no mistakes of its own


def test_without_objects_it_says_no_relations_and_that_is_the_gain(numbers: Metrics) -> None:
    assert numbers["without_graph_relations_right"] == 0
    assert numbers["without_graph_item_right"] == 1
    assert (numbers["relations_gain"], numbers["relations_gain_low"], numbers["relations_gain_high"]) == (1, 1, 1)


def test_the_baselines_are_the_nearest_listings_text_and_the_classifiers_words(
    project: Path, numbers: Metrics, asked: list[ShardSample]
) -> None:
    clip = ClipEncoder.from_pretrained(project / "data/clip", 1)
    train = [sample for sample in read_samples(project / "data/shards/train") if sample.row["alt_text"]]
    likeness = clip.images(one.image for one in asked) @ clip.images(one.image for one in train).T
    nearest = [train[place].row for place in likeness.argmax(axis=1)]
    same = [row["item"] == one.row["item"] for row, one in zip(nearest, asked, strict=True) if one.row["item"]]
    assert numbers["nearest_item_right"] == pytest.approx(np.mean(same))
    vision = VisionClassifier.from_pretrained(project / "data/vision", 1)
    said = vision.probabilities(one.image for one in asked)["item"].argmax(axis=1)
    named = [vision.config.heads["item"][place] for place in said]
    same = [name == one.row["item"] for name, one in zip(named, asked, strict=True) if one.row["item"]]
    assert numbers["template_item_right"] == pytest.approx(np.mean(same))
    assert numbers["template_relations_right"] == numbers["template_colour_right"] == 0
    for other in ("nearest", "template"):
        gap = numbers["attributes_right"] - numbers[f"{other}_attributes_right"]
        assert numbers[f"attributes_right_over_{other}"] == pytest.approx(gap)
        assert numbers[f"bleu_over_{other}"] == pytest.approx(100 - numbers[f"{other}_bleu"])


def test_every_system_stands_in_the_table(project: Path, numbers: Metrics) -> None:
    with (project / "data/writer_evaluation/plots/systems.csv").open() as file:
        rows = list(csv.DictReader(file))
    names = ["writer", "image_alone", "without_graph", "nearest", "template", "seller"]
    assert list(dict.fromkeys(row["system"] for row in rows)) == names
    mine = {row["measure"]: float(row["value"]) for row in rows if row["system"] == "writer"}
    assert mine == pytest.approx({name: numbers[name] for name in mine}, abs=1e-6)
    assert {row["measure"] for row in rows} == {*MEASURES} - {"bert_score"}
    assert [row["system"] for row in rows if row["measure"] == "valid_rate"] == ["writer", *names[3:]]


def test_certainty_is_high_where_nothing_is_wrong_and_is_kept(project: Path, numbers: Metrics) -> None:
    certainty = Certainty.from_folder(project / "data/writer_evaluation")
    assert certainty is not None
    sure = [certainty({"alt_text": SURE}, objects) or 0 for objects in (True, False)]
    unsure = [certainty({"alt_text": UNSURE}, objects) for objects in (True, False)]
    assert min(sure) > 0.8
    assert unsure[0] == sure[0]  # with objects it was never wrong: no likelihood tells anything
    assert (unsure[1] or 0) < 0.2
    assert numbers["calibration_error"] == pytest.approx(1 - sure[0], abs=1e-6)  # it is always right and so sure
    assert numbers["image_alone_calibration_error"] < 0.2


def test_about_half_of_the_sellers_texts_get_a_mistake_of_a_known_kind(project: Path, asked: list[ShardSample]) -> None:
    lexicon = Lexicon.from_folder(project / "data/writer")
    asker = WriterPrompter(FakeWriter(asked, SWAPS), lexicon, {}, seed=7)
    told = [sample for sample in asked if sample.row["alt_text"]]
    texts, kinds = asker.spoilt(told)
    assert asker.spoilt(told[3:])[0] == texts[3:]  # each by its own key
    assert 0.25 < np.mean([kind is not None for kind in kinds]) < 0.75
    assert {*kinds} <= {None, *KINDS}
    for sample, text, kind in zip(told, texts, kinds, strict=True):
        before, after = lexicon.read_facts(sample.row["alt_text"]), lexicon.read_facts(text)
        assert (text == sample.row["alt_text"]) == (kind is None)
        assert kind is None or getattr(before, kind) != getattr(after, kind)


def test_the_gallery_shows_both_views_with_marks_and_the_mistakes_that_it_was_surest_of(project: Path) -> None:
    folder = project / "data/writer_evaluation"
    rows = read_rows(folder / "examples.parquet")
    assert [row["system"] for row in rows] == ["writer", "image_alone"] * 3
    assert all(mark["right"] for row in rows if row["system"] == "writer" for mark in row["marks"])
    assert {row["title"] for row in rows if row["system"] == "image_alone"} == {""}
    assert all(Image.open(io.BytesIO(row["image"])).size == (16, 16) for row in rows)
    mistakes = read_rows(folder / "mistakes.parquet")
    assert [row["system"] for row in mistakes] == ["image_alone"] * 2
    assert all(any(mark["said"] and not mark["right"] for mark in row["marks"]) for row in mistakes)


def test_the_same_input_gives_the_same_bytes(project: Path, numbers: Metrics) -> None:
    judged_by_heart(project, "writer_evaluation_again")
    again = contents(project / "data/writer_evaluation_again")
    assert again == contents(project / "data/writer_evaluation")


def test_without_clip_and_vision_there_are_no_baselines_and_no_clip_score(project: Path, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    shutil.copytree(project, folder)
    for name in ("clip", "vision"):
        shutil.rmtree(folder / "data" / name)
        (folder / "data" / name).mkdir()
        write_skipped(folder / "data" / name, "Too few.")
    found = judged_by_heart(folder)
    assert found["item_right"] == 1
    assert not [name for name in found if "nearest" in name or "template" in name or "clip_score" in name]


def test_a_template_with_gaps_that_vision_does_not_name_is_left_out_and_said(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "project"
    shutil.copytree(project, folder)
    params = folder / "params.yaml"
    params.write_text(params.read_text().replace("A {material} {item}.", "A {colour} {item}."))
    found = judged_by_heart(folder)
    assert "nearest_bleu" in found
    assert "template_bleu" not in found
    assert "stage vision names no colour: the template is not compared" in capsys.readouterr().out


def test_without_a_writer_or_test_listings_nothing_is_judged_and_that_is_said(project: Path, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    shutil.copytree(project, folder)
    shutil.rmtree(folder / "data/shards/test")
    assert judged_by_heart(folder) == {"test_listings": 0}
    reason = skip_reason(folder / "data/writer_evaluation") or ""
    assert reason == "data/shards/test: there are no listings; bring more or raise split.test"
    write_skipped(folder / "data/writer", NO_WRITER)
    run(writer_evaluation, folder)
    assert skip_reason(folder / "data/writer_evaluation") == NO_WRITER


def test_what_no_lexicon_reads_is_not_judged(project: Path, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    shutil.copytree(project, folder)
    Lexicon.fit([]).write(folder / "data/writer")
    found = judged_by_heart(folder)
    assert (found["item_right"], found["relations_right"]) == (0, 0)
    assert not [name for name in found if "precision" in name or "calibration" in name or "auc" in name]
    assert Certainty.from_folder(folder / "data/writer_evaluation") is None
    rows = read_rows(folder / "data/writer_evaluation/examples.parquet")
    assert {row["certainty"] for row in rows} == {None}
