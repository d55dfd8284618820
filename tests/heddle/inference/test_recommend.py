"""What is recommended: for nodes, words, listings and images; and clear words where there is nothing."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from ruamel.yaml import YAML

from assets.graph.stage import graph
from assets.recommender.train.stage import recommender
from heddle.core.stage import read_json, write_json
from heddle.evaluation.platt_scaling import PlattScaling
from heddle.inference.classify import predict_labels
from heddle.inference.recommend import Recommendations, RecommenderIndex, RecommendError, recommend
from heddle.recommendation.calibration import RecommenderCalibration
from heddle.recommendation.relations import RecommendedEdge
from lightning_modules.sentence_encoder.sentence_encoder import SentenceEncoder
from tests.support.small_graph import NO_GRAPH, SECTION, shop_rows, write_tables
from tests.support.small_project import run, write_project
from tests.support.tiny_sentences import write_sentence_encoder

BAG = "shop:item:bag"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop with a graph, a trained recommender and a tiny encoder; one listing is a cotton bag."""
    folder = write_project(tmp_path_factory.mktemp("recommend") / "project")
    for name in ("graph", "recommender", "validated"):
        shutil.rmtree(folder / "data" / name)
    encoder = write_sentence_encoder(folder / "encoder")
    params = YAML().load((folder / "params.yaml").read_text())
    params["index"]["encoder"]["name"] = str(encoder)
    YAML().dump(params, folder / "params.yaml")
    YAML().dump({"recommender": SECTION}, folder / "scales/smoke.yaml")
    listing = {"id": "shop:1", "source": "shop", "title": "A bag", "item": "bag", "material": "cotton"}
    write_tables(folder / "data/validated", *shop_rows(), [listing])
    run(graph, folder)
    run(recommender, folder)
    shutil.rmtree(folder / "data/recommender_evaluation")
    return folder / "data"


def _products(found: Recommendations) -> list[str]:
    return [hit.id for hit in found.hits]


@pytest.mark.parametrize("query", [BAG, "bag", "Bag", " bag "])
def test_query_names_a_node_by_id_or_text(data: Path, query: str) -> None:
    found = recommend(query, 5, data)
    assert [(one.id, one.type, one.similarity) for one in found.query_nodes] == [(BAG, "item", None)]
    assert found == recommend(BAG, 5, data)


def test_hits_are_sorted_and_exclude_known_edges(data: Path) -> None:
    _, edges = shop_rows()
    known = {row["target"] for row in edges if row["source"] == BAG and row["relation"] == "becomes"}
    found = recommend(BAG, 1000, data)
    assert {hit.type for hit in found.hits} == {"product"}
    assert set(_products(found)) == {row["id"] for row in shop_rows()[0] if row["type"] == "product"} - known
    scores = [hit.score for hit in found.hits]
    assert scores == sorted(scores, reverse=True)
    assert all(hit.probability is None for hit in found.hits)  # no evaluation has run
    assert _products(recommend(BAG, 3, data)) == _products(found)[:3]


def test_scores_are_dot_products_of_embeddings(data: Path) -> None:
    index = RecommenderIndex.open(data / "recommender")
    place = {name: number for number, name in enumerate(index.graph.ids)}
    for hit in recommend(BAG, 5, data).hits:
        expected = float(index.embeddings[place[BAG]] @ index.embeddings[place[hit.id]])
        assert hit.score == pytest.approx(expected, abs=1e-5)


def _calibrate(data: Path, folder: Path, calibration: RecommenderCalibration) -> Path:
    """A copy of the recommender with a calibration."""
    shutil.copytree(data / "recommender", folder / "recommender")
    calibration.save(folder / "recommender")
    return folder


def test_probabilities_are_those_of_the_calibration(data: Path, tmp_path: Path) -> None:
    calibrated = _calibrate(data, tmp_path, RecommenderCalibration(PlattScaling(2.0, -1.0)))
    hits = recommend(BAG, 1000, calibrated).hits
    assert [hit.probability for hit in hits] == pytest.approx([1 / (1 + np.exp(1 - 2 * hit.score)) for hit in hits])


def test_edges_have_the_direction_of_the_graph(data: Path) -> None:
    for hit in recommend(BAG, 5, data).hits:
        assert hit.edges == (RecommendedEdge("bag", "becomes", hit.text),)
    name = next(row["text"] for row in shop_rows()[0] if row["type"] == "product")
    relation = {"item": "becomes", "material": "suits"}
    for hit in recommend(name, 50, data).hits:
        assert hit.edges == (RecommendedEdge(hit.text, relation[hit.type], name),)
    for hit in recommend("shop:1", 5, data).hits:
        expected = (RecommendedEdge("bag", "becomes", hit.text), RecommendedEdge("cotton", "suits", hit.text))
        assert hit.edges == expected


def test_text_below_the_smallest_similarity_is_refused(data: Path, tmp_path: Path) -> None:
    query = "bag bag of wool"
    (nearest,) = recommend(query, 1, data).query_nodes
    assert nearest.similarity is not None
    accepting = _calibrate(data, tmp_path / "low", RecommenderCalibration(None, nearest.similarity - 0.01))
    assert recommend(query, 1, accepting).query_nodes == (nearest,)
    refusing = _calibrate(data, tmp_path / "high", RecommenderCalibration(None, nearest.similarity + 0.01))
    with pytest.raises(
        RecommendError,
        match=f"nothing in the catalogue is similar to {query!r}: the nearest is {nearest.type} {nearest.text!r} with "
        f"similarity {nearest.similarity:.2f}, at least {nearest.similarity + 0.01:.2f} is needed",
    ):
        recommend(query, 1, refusing)
    assert recommend("bag", 1, refusing).hits  # names a node, so it needs no similarity


def test_hit_lists_shared_neighbours(data: Path) -> None:
    nodes, edges = shop_rows()
    text = {row["id"]: row["text"] for row in nodes}
    near: dict[str, set[str]] = {}
    for row in edges:
        near.setdefault(row["source"], set()).add(row["target"])
        near.setdefault(row["target"], set()).add(row["source"])
    count = 0
    for hit in recommend(BAG, 40, data).hits:
        both = {text[node] for node in near[BAG] & near[hit.id]}
        assert set(hit.shared) <= both
        assert len(hit.shared) == min(4, len(both))
        count += len(both)
    assert count


def test_product_query_recommends_items_and_materials(data: Path) -> None:
    name = next(row["text"] for row in shop_rows()[0] if row["type"] == "product")
    assert {hit.type for hit in recommend(name, 50, data).hits} == {"item", "material"}


def test_listing_query_uses_its_labels(data: Path) -> None:
    found = recommend("shop:1", 5, data)
    assert [one.id for one in found.query_nodes] == [BAG, "shop:material:cotton"]
    index = RecommenderIndex.open(data / "recommender")
    place = {name: number for number, name in enumerate(index.graph.ids)}
    both = [index.embeddings[place[one.id]] for one in found.query_nodes]
    for hit in found.hits:
        assert hit.score == pytest.approx(float(np.mean(both, axis=0) @ index.embeddings[place[hit.id]]), abs=1e-5)


def test_other_text_matches_the_most_similar_node(data: Path) -> None:
    query = "bag bag of wool"
    (node,) = recommend(query, 1, data).query_nodes
    index = RecommenderIndex.open(data / "recommender")
    encoder = SentenceEncoder.from_pretrained(read_json(data / "graph/encoder.json")["name"], threads=1)
    texts = [text or "" for text in index.graph.texts[: index.graph.num_transductive]]
    mean = encoder.documents(texts).mean(axis=0)
    likeness = [
        float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))
        for other in [encoder.documents([query])[0] - mean]
        for one in encoder.documents(texts) - mean
    ]
    assert node.similarity is not None
    assert node.similarity > np.quantile(likeness, 0.9)  # of few dimensions, so not the very same order
    assert node.text in texts


def test_image_query_uses_predicted_labels(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image = tmp_path / "seen.png"
    Image.new("RGB", (20, 20), (9, 200, 3)).save(image)
    seen = {"item": {"bag": 0.7, "rocket": 0.3}, "material": {"wool": 1.0}}
    monkeypatch.setattr("heddle.inference.classify.predict_labels", lambda *of: seen)
    assert [one.id for one in recommend(str(image), 5, data).query_nodes] == [BAG, "shop:material:wool"]
    seen |= {"item": {"rocket": 1.0}, "material": {"moondust": 1.0}}
    with pytest.raises(
        RecommendError, match=r"seen\.png: predicted item rocket, material moondust, none of which is a node"
    ):
        recommend(str(image), 5, data)
    (tmp_path / "notes.txt").write_text("no image")
    monkeypatch.undo()
    shown = {
        label: max(probabilities, key=probabilities.get) for label, probabilities in predict_labels(image, data).items()
    }
    assert set(shown) == {"item", "material"}  # as the small project's classifier has it
    with pytest.raises(RecommendError, match=r"notes\.txt: not an image that can be read"):
        recommend(str(tmp_path / "notes.txt"), 5, data)


def test_errors_name_reason_and_remedy(data: Path, tmp_path: Path) -> None:
    with pytest.raises(RecommendError, match=r"recommender lacks nodes\.parquet, edges\.parquet: run `heddle run`"):
        recommend("bag", 5, tmp_path)
    bare = write_project(tmp_path / "bare", bare=True) / "data"
    with pytest.raises(RecommendError, match="there is no recommender: " + NO_GRAPH):
        recommend("bag", 5, bare)
    shutil.copytree(data / "recommender", tmp_path / "recommender")
    write_json(tmp_path / "recommender/encoder.json", {"name": str(tmp_path / "gone"), "query_instruction": ""})
    with pytest.raises(RecommendError, match=r"cannot load encoder '.*gone', which computed the features"):
        recommend("something else", 5, tmp_path)
    (tmp_path / "recommender/projection.safetensors").unlink()
    with pytest.raises(RecommendError, match=r"'something else' is not a node, and no node has a text to compare with"):
        recommend("something else", 5, tmp_path)
