"""The stages `alignment` and `alignment_evaluation`, on real shards and models that have learned nothing."""

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest

from assets.alignment.embedding_spaces.embedding_spaces import listing_neighbours, listing_node_vectors
from assets.alignment.evaluate.cross_modal_retrieval import METRICS
from assets.alignment.evaluate.image_nodes import ImageNodes
from assets.alignment.evaluate.image_products import product_values
from assets.alignment.evaluate.stage import alignment_evaluation
from assets.alignment.train.stage import alignment
from heddle.core.skipped import skip_reason, write_skipped
from heddle.core.stage import read_json
from heddle.graph.tables import CatalogGraph
from lightning_modules.alignment.alignment import Alignment
from lightning_modules.recommender.embedder import GraphEmbedder
from tests.support.small_alignment import SECTION
from tests.support.small_graph import made, shop_rows
from tests.support.small_project import contents, run

STAGES = (alignment, alignment_evaluation)


@pytest.fixture(scope="module")
def project(trained_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = Path(shutil.copytree(trained_project, tmp_path_factory.mktemp("alignment") / "project"))
    with (folder / "scales/smoke.yaml").open("a") as file:
        file.write(SECTION)
    for stage in STAGES:
        run(stage, folder)
    return folder


@pytest.fixture
def changeable(project: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(project, tmp_path / "project"))


def test_every_direction_is_measured_with_baselines(project: Path) -> None:
    network = Alignment.from_pretrained(project / "data/alignment")
    assert set(network.config.spaces) == {"image", "text", "graph"}
    metrics = read_json(project / "data/alignment_evaluation/metrics.json")
    with (project / "data/alignment_evaluation/plots/retrieval.csv").open() as file:
        rows = list(csv.DictReader(file))
    directions = {(row["from"], row["to"]) for row in rows if row["method"] == "random projections"}
    assert len(directions) == 6
    for row in rows:
        if row["method"] == "aligned" and row["to"] != "products":
            found = metrics[f"{row['from']}_to_{row['to']}"][row["metric"]]
            assert float(row["value"]) == pytest.approx(found["value"], abs=1e-6)
            assert float(row["chance"]) == pytest.approx(found["chance"], abs=1e-6)
            assert found["low"] <= found["value"] <= found["high"]
    assert 0 <= metrics["image_to_graph"]["image_classifier"]["ndcg_at_10"]["value"] <= 1


def test_the_same_input_gives_the_same_bytes(project: Path) -> None:
    for stage in STAGES:
        run(stage, project, f"{stage.__name__}_again")
        assert contents(project / f"data/{stage.__name__}_again") == contents(project / f"data/{stage.__name__}")


def _set(folder: Path, old: str, new: str) -> None:
    file = folder / "scales/smoke.yaml"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))


def test_two_spaces_need_no_model_of_the_third(changeable: Path) -> None:
    shutil.rmtree(changeable / "data/recommender")
    _set(changeable, "spaces: [image, text, graph]", "spaces: [text, image]")
    for stage in STAGES:
        run(stage, changeable)
    metrics = read_json(changeable / "data/alignment_evaluation/metrics.json")
    assert {name for name in metrics if "_to_" in name} == {"image_to_text", "text_to_image"}


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("spaces: [image, text, graph]", "spaces: []", "alignment.spaces is empty; set at least two"),
        (
            "  batch_size: 4\n  learning_rate: 1e-2\n  schedule: {kind: cosine, warmup_epochs: 0, min_lr_ratio: 0.1}",
            "  batch_size: 400\n  learning_rate: 1e-2\n  schedule: {kind: cosine, warmup_epochs: 0, min_lr_ratio: 0.1}",
            "listings have image and text and graph, fewer than one batch of 400",
        ),
    ],
)
def test_with_nothing_to_align_both_stages_say_why(changeable: Path, old: str, new: str, reason: str) -> None:
    _set(changeable, old, new)
    for stage in STAGES:
        run(stage, changeable)
        assert reason in (skip_reason(changeable / "data" / stage.__name__) or "")


@pytest.mark.parametrize(("space", "model"), [("image", "vision"), ("graph", "recommender")])
def test_without_a_spaces_model_its_reason_is_told(changeable: Path, space: str, model: str) -> None:
    shutil.rmtree(changeable / "data" / model)
    (changeable / "data" / model).mkdir()
    write_skipped(changeable / "data" / model, "no labels")
    for stage in STAGES:
        run(stage, changeable)
        assert skip_reason(changeable / "data" / stage.__name__) == f"no {space} embeddings: no labels"


def test_graph_vector_depends_on_neighbours_not_on_the_title(project: Path) -> None:
    graph = CatalogGraph.open(project / "data/recommender")
    embedder = GraphEmbedder.from_pretrained(project / "data/recommender", 1)
    neighbours = listing_neighbours(graph)
    vectors = listing_node_vectors(graph, neighbours, embedder)
    assert set(vectors) == set(neighbours.values())
    renamed = graph.features.copy()
    renamed[graph.num_transductive :] += 1
    again = listing_node_vectors(CatalogGraph(**{**vars(graph), "features": renamed}), neighbours, embedder)
    for named, vector in vectors.items():
        assert (again[named] == vector).all()


def test_node_sets_have_the_likelihood_of_their_classes() -> None:
    image_nodes = ImageNodes(
        {"item": np.array([4, -1]), "material": np.array([7, 8])},
        {"item": np.array([[0.8, 0.2]], np.float32), "material": np.array([[0.3, 0.7]], np.float32)},
    )
    found = np.exp(image_nodes.log_likelihoods([(4, 7), (4, 8), (4,)]))
    assert found[0].tolist() == pytest.approx([0.24, 0.56, 0.4])
    assert image_nodes.most_probable() == [(4, 8)]
    unsure = ImageNodes(
        image_nodes.nodes,
        {"item": np.array([[0.2, 0.8]], np.float32), "material": image_nodes.probabilities["material"]},
    )
    assert unsure.most_probable() == [(8,)]  # the most probable item is no node


def test_product_ranking_uses_test_edges_only() -> None:
    graph = made(*shop_rows())
    test = graph.predicted("test")
    source = int(test[0, 0])
    right = {int(target) for node, target in test if node == source}
    embeddings = np.zeros((len(graph.ids), 2), np.float32)
    embeddings[source] = [1, 0]
    embeddings[sorted(right)] = [1, 0]
    wrong = next(node for node in range(len(graph.ids)) if node not in right and node != source)
    embeddings[wrong] = [0, 1]
    values, chance = product_values(graph, embeddings, [(source,), ()], {"knows": [(source,)] * 2, "lost": [(), ()]})
    assert len(values["knows"]["ndcg_at_10"]) == 1  # nothing is right for the listing that names nothing
    assert values["knows"]["ndcg_at_10"][0] == 1
    assert values["lost"]["ndcg_at_10"][0] < 0.2
    assert set(chance) == set(METRICS)
