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
from heddle.inference.classify import predict_labels
from heddle.inference.recommend import Recommendations, RecommenderIndex, RecommendError, recommend
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
    return folder / "data"


def _products(found: Recommendations) -> list[str]:
    return [hit.id for hit in found.hits]


@pytest.mark.parametrize("query", [BAG, "bag", "Bag", " bag "])
def test_a_node_is_named_by_id_or_text(data: Path, query: str) -> None:
    found = recommend(query, 5, data)
    assert [(one.id, one.type, one.likeness) for one in found.asked] == [(BAG, "item", None)]
    assert found == recommend(BAG, 5, data)


def test_hits_fall_in_score_and_are_what_no_edge_says_yet(data: Path) -> None:
    _, edges = shop_rows()
    known = {row["target"] for row in edges if row["source"] == BAG and row["relation"] == "becomes"}
    found = recommend(BAG, 1000, data)
    assert {hit.type for hit in found.hits} == {"product"}
    assert set(_products(found)) == {row["id"] for row in shop_rows()[0] if row["type"] == "product"} - known
    scores = [hit.score for hit in found.hits]
    assert scores == sorted(scores, reverse=True)
    assert all(hit.probability == pytest.approx(1 / (1 + np.exp(-hit.score))) for hit in found.hits)
    assert _products(recommend(BAG, 3, data)) == _products(found)[:3]


def test_scores_are_the_dot_products_of_the_embeddings(data: Path) -> None:
    advisor = RecommenderIndex.open(data / "recommender")
    place = {name: number for number, name in enumerate(advisor.graph.ids)}
    for hit in recommend(BAG, 5, data).hits:
        expected = float(advisor.embeddings[place[BAG]] @ advisor.embeddings[place[hit.id]])
        assert hit.score == pytest.approx(expected, abs=1e-5)


def test_what_both_go_with_explains_a_hit(data: Path) -> None:
    nodes, edges = shop_rows()
    text = {row["id"]: row["text"] for row in nodes}
    near: dict[str, set[str]] = {}
    for row in edges:
        near.setdefault(row["source"], set()).add(row["target"])
        near.setdefault(row["target"], set()).add(row["source"])
    told = 0
    for hit in recommend(BAG, 40, data).hits:
        both = {text[node] for node in near[BAG] & near[hit.id]}
        assert set(hit.shared) <= both
        assert len(hit.shared) == min(4, len(both))
        told += len(both)
    assert told


def test_a_product_is_asked_what_it_can_come_from(data: Path) -> None:
    name = next(row["text"] for row in shop_rows()[0] if row["type"] == "product")
    assert {hit.type for hit in recommend(name, 50, data).hits} == {"item", "material"}


def test_a_listing_is_asked_about_through_what_it_names(data: Path) -> None:
    found = recommend("shop:1", 5, data)
    assert [one.id for one in found.asked] == [BAG, "shop:material:cotton"]
    advisor = RecommenderIndex.open(data / "recommender")
    place = {name: number for number, name in enumerate(advisor.graph.ids)}
    both = [advisor.embeddings[place[one.id]] for one in found.asked]
    for hit in found.hits:
        assert hit.score == pytest.approx(float(np.mean(both, axis=0) @ advisor.embeddings[place[hit.id]]), abs=1e-5)


def test_other_words_stand_for_the_node_of_the_likest_text(data: Path) -> None:
    said = "bag bag of wool"
    (asked,) = recommend(said, 1, data).asked
    advisor = RecommenderIndex.open(data / "recommender")
    encoder = SentenceEncoder.from_pretrained(read_json(data / "graph/encoder.json")["name"], threads=1)
    texts = [text or "" for text in advisor.graph.texts[: advisor.graph.num_transductive]]
    mean = encoder.documents(texts).mean(axis=0)
    likeness = [
        float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))
        for other in [encoder.documents([said])[0] - mean]
        for one in encoder.documents(texts) - mean
    ]
    assert asked.likeness is not None
    assert asked.likeness > np.quantile(likeness, 0.9)  # of few dimensions, so not the very same order
    assert asked.text in texts


def test_an_image_is_asked_about_through_what_it_shows(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = tmp_path / "seen.png"
    Image.new("RGB", (20, 20), (9, 200, 3)).save(image)
    seen = {"item": {"bag": 0.7, "rocket": 0.3}, "material": {"wool": 1.0}}
    monkeypatch.setattr("heddle.inference.classify.predict_labels", lambda *of: seen)
    assert [one.id for one in recommend(str(image), 5, data).asked] == [BAG, "shop:material:wool"]
    seen |= {"item": {"rocket": 1.0}, "material": {"moondust": 1.0}}
    with pytest.raises(
        RecommendError, match=r"seen\.png shows item rocket, material moondust, none of which is a node"
    ):
        recommend(str(image), 5, data)
    (tmp_path / "notes.txt").write_text("no image")
    monkeypatch.undo()
    shown = {label: max(said, key=said.get) for label, said in predict_labels(image, data).items()}
    assert set(shown) == {"item", "material"}  # as the small project's classifier has it
    with pytest.raises(RecommendError, match=r"notes\.txt: not an image that can be read"):
        recommend(str(tmp_path / "notes.txt"), 5, data)


def test_mistakes_are_told(data: Path, tmp_path: Path) -> None:
    with pytest.raises(RecommendError, match=r"recommender lacks nodes\.parquet, edges\.parquet: run `heddle run`"):
        recommend("bag", 5, tmp_path)
    bare = write_project(tmp_path / "bare", bare=True) / "data"
    with pytest.raises(RecommendError, match="there is no recommender: " + NO_GRAPH):
        recommend("bag", 5, bare)
    shutil.copytree(data / "recommender", tmp_path / "recommender")
    write_json(tmp_path / "recommender/encoder.json", {"name": str(tmp_path / "gone"), "query_instruction": ""})
    with pytest.raises(RecommendError, match="gone' that made the features is gone"):
        recommend("something else", 5, tmp_path)
    (tmp_path / "recommender/projection.safetensors").unlink()
    with pytest.raises(RecommendError, match=r"'something else' is no node, and there are no texts to compare it with"):
        recommend("something else", 5, tmp_path)
