"""Catalogues with guides only or listings only: every stage runs, and each skipped model has its reason.

Each catalogue needs its own run: no other test has these inputs. The stages run in this process, without DVC.
"""

import csv
import json
import shutil
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from ruamel.yaml import YAML

from dagster_project.checks import verdicts
from dagster_project.dvc.project import DvcProject
from dagster_project.publish import publish
from heddle.core.skipped import skip_reason
from heddle.core.stage import read_json
from heddle.inference.search import SearchError, search_guides, search_listings
from heddle.retrieval.config import MODES, RetrievalConfig
from heddle.stores.lance import LanceStore
from heddle.stores.store import StoreQuery
from tests.support.small_project import run

pytestmark = pytest.mark.xdist_group("partial_catalogues")  # each catalogue is run through once

ROOT = Path(__file__).parents[2]
THINGS = ("chair", "table", "lamp", "jar", "book", "shelf", "mirror", "basket", "bottle", "door", "window", "crate")
MODELS = ("clip", "vision", "product", "assistant")


def _project(folder: Path, source: dict[str, object]) -> Path:
    """This checkout's graph and parameters at smoke scale, with one source."""
    for name in ("scales", "data"):
        (folder / name).mkdir(parents=True)
    for name in ("dvc.yaml", "scales/smoke.yaml"):
        shutil.copy(ROOT / name, folder / name)
    yaml = YAML()
    params = yaml.load(ROOT / "params.yaml")
    params["scale"], params["compute"]["threads"], params["catalog"]["sources"] = "smoke", 1, [source]
    yaml.dump(params, folder / "params.yaml")
    return folder


def _run_every_stage(folder: Path) -> None:
    for name, stage in DvcProject(ROOT).graph.items():
        module = stage.command.removeprefix("python -m ")
        run(getattr(import_module(f"{module}.stage"), name), folder)


@pytest.fixture(scope="module")
def guides_only(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A handbook in BEIR's layout, after every stage and `published_index`."""
    folder = _project(
        tmp_path_factory.mktemp("guides_only") / "project", {"name": "handbook", "kind": "beir", "path": "handbook"}
    )
    (folder / "handbook/qrels").mkdir(parents=True)
    lines = {
        "corpus": [{"_id": thing, "title": f"Mend a {thing}", "text": f"Glue the old {thing}."} for thing in THINGS],
        "queries": [{"_id": thing, "text": f"my {thing} is broken"} for thing in THINGS],
    }
    for name, rows in lines.items():
        (folder / f"handbook/{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "handbook/qrels/test.tsv").write_text("".join(f"{thing}\t{thing}\t3\n" for thing in THINGS))
    _run_every_stage(folder)
    publish(folder)
    return folder


@pytest.fixture(scope="module")
def listings_only(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of listings with every label, after every stage and `published_index`."""
    columns = {"id": "id", "image": "image", "title": "title", "item": "item", "product_class": "kind"}
    source = {"name": "shop", "kind": "table", "path": "shop/listings.csv", "columns": columns}
    folder = _project(tmp_path_factory.mktemp("listings_only") / "project", source)
    (folder / "shop").mkdir()
    with (folder / "shop/listings.csv").open("w") as file:
        writer = csv.writer(file)
        writer.writerow(columns.values())
        for number in range(96):
            pixels = np.random.default_rng(number).integers(0, 256, (8, 8, 3), np.uint8)
            Image.fromarray(pixels).resize((40, 40), Image.Resampling.NEAREST).save(folder / f"shop/{number}.png")
            thing = THINGS[number % 4]
            writer.writerow([number, f"{number}.png", f"An old {thing}, number {number}", thing, f"{thing}: reuse"])
    _run_every_stage(folder)
    publish(folder)
    return folder


def test_guides_only_run_skips_every_model_with_its_reason(guides_only: Path) -> None:
    data = guides_only / "data"
    reasons = {name: skip_reason(data / name) for name in MODELS}
    assert "0 of 0 listings have text" in reasons["clip"]
    assert "none of item, material, bin has two classes" in reasons["vision"]
    assert "0 classes of product_class" in reasons["product"]
    assert "at least one of each is needed" in reasons["assistant"]
    for name, reason in reasons.items():
        assert skip_reason(data / f"{name}_evaluation") == reason
    for name in ("alignment", "alignment_evaluation"):
        assert skip_reason(data / name) == f"no image embeddings: {reasons['vision']}"
    assert read_json(data / "release/metrics.json")["models"] == 0
    assert read_json(data / "retrieval_evaluation/metrics.json")["rrf"]["mrr_at_10"]["value"] > 0.9
    with LanceStore(data / "published_index") as store:
        assert [hit.id for hit in store.search("guides", StoreQuery(text="mirrors"))] == ["handbook:mirror"]
        assert (store.count("guides"), store.count("listings")) == (12, 0)
    page = (data / "report/index.html").read_text()
    for name in ("clip", "vision", "product"):
        assert reasons[name] in page
    assert "The sources contain 12 guides and no listing." in page
    assert "No points." not in page


def test_gates_of_skipped_models_fail_with_the_reason(guides_only: Path) -> None:
    for verdict in verdicts(guides_only):
        assert not verdict.passed
        reason = skip_reason(guides_only / "data" / verdict.model)
        assert verdict.description.endswith(f"reports no such metric: {reason}")


@pytest.mark.parametrize("mode", MODES)
def test_guides_only_index_answers_about_guides_only(guides_only: Path, mode) -> None:
    data = guides_only / "data"
    assert search_guides("glue for a mirror", RetrievalConfig(mode), 1, data).hits[0].id == "handbook:mirror"
    for kind in ("dense", "bm25"):
        with pytest.raises(
            SearchError, match="contains no listings: add a source of listings to `catalog`, or search the guides"
        ):
            search_listings("mirror", mode=kind, data=data)


def test_listings_only_run_trains_all_but_the_assistant(listings_only: Path) -> None:
    data = listings_only / "data"
    assert {name for name in MODELS if skip_reason(data / name)} == {"assistant"}
    assert "0 train conversations" in skip_reason(data / "assistant")
    released = {path.name for path in (data / "release").iterdir() if path.is_dir()}
    assert released == {"clip", "vision", "product", "writer"}
    assert skip_reason(data / "base_language") is None
    for name in ("alignment", "alignment_evaluation"):
        assert skip_reason(data / name) == f"no graph embeddings: {skip_reason(data / 'graph')}"
    assert "none with a relevant guide" in skip_reason(data / "retrieval_evaluation")
    assert len(search_listings("a lamp", data=data)) == 10
    assert search_guides("a lamp", RetrievalConfig(), 1, data).hits == []
