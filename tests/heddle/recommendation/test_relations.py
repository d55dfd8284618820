"""The edges that a recommendation predicts keep the direction of the graph's own edges."""

from itertools import product

from heddle.core.splits import SPLITS
from heddle.recommendation.relations import RecommendedEdge, RelationIndex
from tests.support.small_graph import made, shop_rows


def test_every_predicted_edge_is_found_from_both_ends() -> None:
    graph = made(*shop_rows())
    index = RelationIndex(graph)
    for (source, target), relation, part in zip(graph.edges.tolist(), graph.relations, graph.parts, strict=True):
        edge = RecommendedEdge(str(graph.texts[source]), relation, str(graph.texts[target]))
        found = part in SPLITS
        assert (edge in index.between(source, target)) == found
        assert (edge in index.between(target, source)) == found


def test_direction_follows_the_types_and_not_the_query() -> None:
    graph = made(*shop_rows())
    index = RelationIndex(graph)
    items, products = ([node for node, each in enumerate(graph.types) if each == kind] for kind in ("item", "product"))
    for item, made_of_it in product(items, products[:5]):
        (edge,) = index.between(made_of_it, item)
        assert edge == RecommendedEdge(str(graph.texts[item]), "becomes", str(graph.texts[made_of_it]))
        assert str(edge) == f"{graph.texts[item]} -> becomes -> {graph.texts[made_of_it]}"


def test_relation_within_a_type_has_both_directions() -> None:
    nodes = [{"id": f"paper:{name}", "type": "paper", "text": name} for name in "abcdefghijkl"]
    names = [row["id"] for row in nodes]
    edges = [{"source": one, "relation": "becomes", "target": other} for one in names for other in names if one < other]
    found = RelationIndex(made(nodes, edges)).between(3, 5)
    assert found == [RecommendedEdge("d", "becomes", "f"), RecommendedEdge("f", "becomes", "d")]
