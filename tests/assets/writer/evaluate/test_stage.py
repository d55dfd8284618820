"""The stage writer_evaluation with a fake writer that memorised all texts."""

import csv
import io
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from assets.shards.stage import shards
from assets.writer.evaluate.claims import CLAIM_KINDS
from assets.writer.evaluate.prompting import WriterPrompter
from assets.writer.evaluate.result import METRICS
from assets.writer.evaluate.stage import writer_evaluation
from heddle.content.lexicon import KINDS, Lexicon
from heddle.core.schemas import read_rows
from heddle.core.skipped import skip_reason, write_skipped
from heddle.core.splits import SPLITS
from heddle.core.stage import Metrics
from heddle.description.certainty import Certainty
from heddle.evaluation.metric_tree import find as find_metric
from heddle.evaluation.metric_tree import leaves
from lightning_modules.clip.encoder import ClipEncoder
from lightning_modules.training.shards import ShardSample, read_samples
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


def evaluate_memorised(project: Path, output: str | None = None) -> Metrics:
    """Evaluate a writer that knows all texts by heart, but makes errors from the image only."""
    samples = [sample for part in SPLITS for sample in read_samples(project / "data/shards" / part)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ContentWriter, "from_folder", lambda folder, threads: FakeWriter(samples, SWAPS))
        return run(writer_evaluation, project, output)


def value(metrics: Metrics, path: str) -> float:
    """The value of a leaf."""
    leaf = find_metric(metrics, path)
    assert leaf is not None, path
    return leaf.value


@pytest.fixture(scope="module")
def metrics(project: Path) -> Metrics:
    return evaluate_memorised(project)


@pytest.fixture(scope="module")
def samples(project: Path) -> list[ShardSample]:
    """The test listings."""
    return list(read_samples(project / "data/shards/test"))


def test_full_system_with_memorised_texts_has_full_scores(metrics: Metrics, samples: list[ShardSample]) -> None:
    assert metrics["test_listings"] == len(samples)
    for kind in CLAIM_KINDS:
        for path in (f"full.{kind}_recall", f"full.{kind}_precision", f"seller.{kind}_recall"):
            assert value(metrics, path) == 1
    assert value(metrics, "full.bleu") == pytest.approx(100)
    for path in ("full.rouge_l", "full.valid_rate", "image_only.sampled_valid_rate", "full.error_detection_auroc"):
        assert value(metrics, path) == 1


def test_image_only_recall_is_that_of_the_fake_errors(metrics: Metrics, samples: list[ShardSample]) -> None:
    labelled = [sample.row for sample in samples if sample.row["item"] in SWAPS]
    expected = np.mean([int(row["id"][-1]) % 2 for row in labelled])
    assert value(metrics, "image_only.item_recall") == pytest.approx(expected)
    assert value(metrics, "image_only.material_recall") == value(metrics, "image_only.colour_recall") == 1
    assert value(metrics, "image_only.attributes_recall") == pytest.approx((expected + 2) / 3)
    assert value(metrics, "image_only.own_error_detection_auroc") == 1
    assert value(metrics, "image_only.own_likelihood_error_detection_auroc") == 1
    assert "own_error_detection_auroc" not in metrics["full"]  # the writer makes no errors with all inputs


def test_scene_graph_gain_is_the_recall_of_relations(metrics: Metrics) -> None:
    assert value(metrics, "no_scene_graph.relations_recall") == 0
    assert value(metrics, "no_scene_graph.item_recall") == 1
    assert metrics["scene_graph_gain"] == {"value": 1, "low": 1, "high": 1}


def test_baselines_match_brute_force(project: Path, metrics: Metrics, samples: list[ShardSample]) -> None:
    clip = ClipEncoder.from_pretrained(project / "data/clip", 1)
    train = [sample for sample in read_samples(project / "data/shards/train") if sample.row["alt_text"]]
    similarity = clip.images(one.image for one in samples) @ clip.images(one.image for one in train).T
    nearest = [train[index].row for index in similarity.argmax(axis=1)]
    same = [row["item"] == one.row["item"] for row, one in zip(nearest, samples, strict=True) if one.row["item"]]
    assert value(metrics, "nearest_neighbour.item_recall") == pytest.approx(np.mean(same))
    vision = VisionClassifier.from_pretrained(project / "data/vision", 1)
    predicted = vision.probabilities(one.image for one in samples)["item"].argmax(axis=1)
    names = [vision.config.heads["item"][index] for index in predicted]
    same = [name == one.row["item"] for name, one in zip(names, samples, strict=True) if one.row["item"]]
    assert value(metrics, "template.item_recall") == pytest.approx(np.mean(same))
    assert value(metrics, "template.relations_recall") == value(metrics, "template.colour_recall") == 0
    for other in ("nearest_neighbour", "template"):
        gap = value(metrics, "full.attributes_recall") - value(metrics, f"{other}.attributes_recall")
        assert value(metrics, f"full.attributes_recall_delta_vs_{other}") == pytest.approx(gap)
        bleu = value(metrics, f"{other}.bleu")
        assert value(metrics, f"full.bleu_delta_vs_{other}") == pytest.approx(100 - bleu)


def test_systems_table_contains_every_system_and_metric(project: Path, metrics: Metrics) -> None:
    with (project / "data/writer_evaluation/plots/systems.csv").open() as file:
        rows = list(csv.DictReader(file))
    names = ["full", "image_only", "no_scene_graph", "nearest_neighbour", "template", "seller"]
    assert list(dict.fromkeys(row["system"] for row in rows)) == names
    full = {row["metric"]: float(row["value"]) for row in rows if row["system"] == "full"}
    assert full == pytest.approx({name: value(metrics, f"full.{name}") for name in full}, abs=1e-6)
    assert {row["metric"] for row in rows} == {*METRICS} - {"bert_score"}
    assert [row["system"] for row in rows if row["metric"] == "valid_rate"] == ["full", *names[3:]]


def test_certainty_is_high_for_correct_texts(project: Path, metrics: Metrics) -> None:
    certainty = Certainty.from_folder(project / "data/writer_evaluation")
    assert certainty is not None
    sure = [certainty({"alt_text": SURE}, objects) or 0 for objects in (True, False)]
    unsure = [certainty({"alt_text": UNSURE}, objects) for objects in (True, False)]
    assert min(sure) > 0.8
    assert unsure[0] == sure[0]  # with objects there are no errors, so the likelihood predicts nothing
    assert (unsure[1] or 0) < 0.2
    assert metrics["full"]["calibration_error"] == pytest.approx(1 - sure[0], abs=1e-6)  # always correct
    assert metrics["image_only"]["calibration_error"] < 0.2


def test_corrupt_changes_about_half_of_the_texts(project: Path, samples: list[ShardSample]) -> None:
    lexicon = Lexicon.from_folder(project / "data/writer")
    prompter = WriterPrompter(FakeWriter(samples, SWAPS), lexicon, {}, seed=7)
    with_text = [sample for sample in samples if sample.row["alt_text"]]
    corrupted = prompter.corrupt(with_text)
    assert prompter.corrupt(with_text[3:]) == corrupted[3:]  # each by its own key
    assert 0.25 < np.mean([one.error is not None for one in corrupted]) < 0.75
    assert {one.error for one in corrupted} <= {None, *KINDS}
    for sample, one in zip(with_text, corrupted, strict=True):
        before, after = lexicon.read_facts(sample.row["alt_text"]), lexicon.read_facts(one.text)
        assert (one.text == sample.row["alt_text"]) == (one.error is None)
        assert one.error is None or getattr(before, one.error) != getattr(after, one.error)


def test_examples_show_both_systems_with_labelled_claims(project: Path) -> None:
    folder = project / "data/writer_evaluation"
    rows = read_rows(folder / "examples.parquet")
    assert [row["system"] for row in rows] == ["full", "image_only"] * 3
    assert all(claim["correct"] for row in rows if row["system"] == "full" for claim in row["claims"])
    assert {row["title"] for row in rows if row["system"] == "image_only"} == {""}
    assert all(Image.open(io.BytesIO(row["image"])).size == (16, 16) for row in rows)
    mistakes = read_rows(folder / "mistakes.parquet")
    assert [row["system"] for row in mistakes] == ["image_only"] * 2
    assert all(any(claim["claimed"] and not claim["correct"] for claim in row["claims"]) for row in mistakes)


def test_evaluation_twice_gives_the_same_bytes(project: Path, metrics: Metrics) -> None:
    evaluate_memorised(project, "writer_evaluation_again")
    again = contents(project / "data/writer_evaluation_again")
    assert again == contents(project / "data/writer_evaluation")


def test_evaluation_without_clip_and_vision_has_no_baselines(project: Path, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    shutil.copytree(project, folder)
    for name in ("clip", "vision"):
        shutil.rmtree(folder / "data" / name)
        (folder / "data" / name).mkdir()
        write_skipped(folder / "data" / name, "Too few.")
    found = evaluate_memorised(folder)
    assert value(found, "full.item_recall") == 1
    paths = [leaf.path for leaf in leaves(found)]
    assert not [path for path in paths if "nearest" in path or "template" in path or "clip_score" in path]


def test_template_with_unknown_labels_is_skipped(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "project"
    shutil.copytree(project, folder)
    params = folder / "params.yaml"
    params.write_text(params.read_text().replace("A {material} {item}.", "A {colour} {item}."))
    found = evaluate_memorised(folder)
    assert "bleu" in found["nearest_neighbour"]
    assert "template" not in found
    assert "template baseline skipped: stage vision does not predict colour" in capsys.readouterr().out


def test_evaluation_without_writer_or_listings_is_skipped(project: Path, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    shutil.copytree(project, folder)
    shutil.rmtree(folder / "data/shards/test")
    assert evaluate_memorised(folder) == {"test_listings": 0}
    reason = skip_reason(folder / "data/writer_evaluation") or ""
    assert reason == "data/shards/test contains no listings: add listings or raise split.test"
    write_skipped(folder / "data/writer", NO_WRITER)
    run(writer_evaluation, folder)
    assert skip_reason(folder / "data/writer_evaluation") == NO_WRITER


def test_evaluation_with_an_empty_lexicon_has_no_precision(project: Path, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    shutil.copytree(project, folder)
    Lexicon.fit([]).write(folder / "data/writer")
    found = evaluate_memorised(folder)
    assert (value(found, "full.item_recall"), value(found, "full.relations_recall")) == (0, 0)
    paths = [leaf.path for leaf in leaves(found)]
    assert not [path for path in paths if "precision" in path or "calibration" in path or "auroc" in path]
    assert Certainty.from_folder(folder / "data/writer_evaluation") is None
    rows = read_rows(folder / "data/writer_evaluation/examples.parquet")
    assert {row["certainty"] for row in rows} == {None}
