"""How well listings are named."""

import re
import shutil
from pathlib import Path

from assets.index.stage import index
from assets.report.charts.svg import readable
from assets.report.stage import report
from heddle.core.schemas import read_rows
from heddle.core.stage import read_json, write_json
from tests.support.report_page import Page, read_page
from tests.support.small_project import run, write_project


def test_classifiers_show_their_numbers_and_what_each_modality_is_worth(page: Page, project: Path) -> None:
    section = page.section("Classification", "Finding guides")
    numbers = read_json(project / "data" / "vision_evaluation" / "metrics.json")
    for label in ("item", "material"):
        keys = ("accuracy", "accuracy_low", "accuracy_high", "accuracy_chance", "macro_f1", "calibration_error")
        row = section.partition(f" {label} {numbers[f'{label}_listings']} ")[2][:120]
        for key in keys:
            assert readable(numbers[f"{label}_{key}"]) in row, (label, key)
    assert re.search(r"words alone 0\.512 0\.300 0\.350 0\.125 all modalities 0\.750", section)
    matrices = [one["aria-label"] or "" for one in page.attributes("svg") if one["class"] == "chart wide"]
    assert len(matrices) == 4  # zero-shot items; items, materials, product classes
    assert any("How often the product class is right" in (one["aria-label"] or "") for one in page.attributes("svg"))


def test_surest_mistakes_are_cards_with_what_was_said(page: Page, project: Path) -> None:
    section = page.section("Classification", "Finding guides")
    rows = read_rows(project / "data" / "vision_evaluation" / "mistakes.parquet")
    assert rows
    for row in rows:
        said = f"{row['actual']} ✗ {row['predicted']} {round(row['probability'] * 100, 1)}"
        assert " ".join(said.split()) in section


def test_classifiers_without_numbers_say_so(tmp_path: Path) -> None:
    folder = write_project(tmp_path / "project")
    run(index, folder)
    for model in ("vision", "product"):
        evaluation = folder / "data" / f"{model}_evaluation"
        shutil.rmtree(evaluation)
        evaluation.mkdir()
        write_json(evaluation / "metrics.json", {"test_listings": 8, "item_listings": 0, "product_class_listings": 0})
    run(report, folder)
    page = read_page(folder)
    assert page.words.count("so nothing was measured") == 2
