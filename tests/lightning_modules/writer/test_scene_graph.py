from dataclasses import replace

import pytest
import torch
from torch import Tensor

from lightning_modules.writer.config import SceneShape
from lightning_modules.writer.scene_graph import BOX_FEATURES, Scene, SceneGraph, box_features

WORDS, CELLS = 6, 5
SHAPE = SceneShape(node_dim=8, edge_dim=4, num_layers=3, relation_tokens=True, max_objects=9)


def _graph(shape: SceneShape = SHAPE) -> SceneGraph:
    torch.manual_seed(0)
    graph = SceneGraph(shape, WORDS, CELLS, 0.0)
    for parameter in graph.parameters():
        torch.nn.init.normal_(parameter, std=0.4)
    return graph.eval()


def _scene(ends: list[list[tuple[int, int]]], counts: tuple[int, ...] = (3, 2)) -> tuple[Scene, list[Tensor]]:
    """Objects and relations, and the vectors of their words and regions; the tokens themselves are not looked at."""
    torch.manual_seed(1)
    rows, most, longest = len(counts), max(counts), max(map(len, ends))
    corners = torch.rand(rows, most, 4).sort(dim=-1).values
    padded = torch.zeros(rows, longest, 2, dtype=torch.int64)
    for row, pairs in enumerate(ends):
        padded[row, : len(pairs)] = torch.tensor(pairs, dtype=torch.int64).view(-1, 2)
    tokens = torch.zeros(rows, most, 1, dtype=torch.int64)
    scene = Scene(
        tokens,
        tokens,
        corners[..., [0, 1, 2, 3]],
        torch.arange(most) < torch.tensor(counts)[:, None],
        torch.zeros(rows, longest, 1, dtype=torch.int64),
        padded,
        torch.arange(longest) < torch.tensor([len(pairs) for pairs in ends])[:, None],
    )
    vectors = [torch.randn(rows, most, WORDS) for _ in range(2)]
    return scene, [*vectors, torch.randn(rows, longest, WORDS), torch.randn(rows, most, CELLS)]


ENDS = [[(1, 0), (2, 0), (1, 2)], [(1, 0)]]


def test_one_layer_is_its_formula() -> None:
    graph = _graph(replace(SHAPE, num_layers=1))
    scene, (labels, attributes, predicates, regions) = _scene([[(1, 0)]], (2,))
    found, _ = graph(scene, labels, attributes, predicates, regions)
    states = graph.node(torch.cat([labels[0], attributes[0], box_features(scene.boxes[0]), regions[0]], dim=1))
    feature, (forth, back) = graph.edge(predicates[0, 0]), graph.direction.weight
    layer, normal = graph.convolutions[0], graph.norms[0](states)
    for node, other, way in ((0, 1, forth), (1, 0, back)):
        heard = layer.told.weight @ normal[other]
        told = (1 + layer.scale.weight @ (feature + way)) * heard + layer.shift.weight @ (feature + way)
        state = states[node] + torch.relu(layer.own(normal[node]) + told)
        expected = graph.object_token(state) + labels[0, node] + attributes[0, node]
        torch.testing.assert_close(found[0, node], expected, atol=1e-5, rtol=1e-5)


def test_objects_in_another_order_are_the_same_objects() -> None:
    graph, (scene, (labels, attributes, predicates, regions)) = _graph(), _scene(ENDS, (3, 3))
    order = torch.tensor([2, 0, 1])
    place = order.argsort()  # where each object has gone
    moved = replace(scene, boxes=scene.boxes[:, order], ends=place[scene.ends])
    one = graph(scene, labels, attributes, predicates, regions)
    other = graph(moved, labels[:, order], attributes[:, order], predicates, regions[:, order])
    torch.testing.assert_close(other[0], one[0][:, order], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(other[1], one[1], atol=1e-5, rtol=1e-5)


def test_an_image_does_not_hear_of_another_ones_objects() -> None:
    graph, (scene, (labels, attributes, predicates, regions)) = _graph(), _scene(ENDS)
    both = graph(scene, labels, attributes, predicates, regions)
    alone = Scene(*(part[1:] for part in vars(scene).values()))
    second = graph(alone, labels[1:], attributes[1:], predicates[1:], regions[1:])
    for one, other, there in zip(both, second, (alone.objects_present, alone.relations_present), strict=True):
        torch.testing.assert_close(one[1:][there], other[there], atol=1e-5, rtol=1e-5)


def test_a_relation_has_a_direction_and_a_meaning() -> None:
    graph, (scene, (labels, attributes, predicates, regions)) = _graph(), _scene(ENDS)
    one = graph(scene, labels, attributes, predicates, regions)[0]
    turned = graph(replace(scene, ends=scene.ends.flip(-1)), labels, attributes, predicates, regions)[0]
    said = graph(scene, labels, attributes, predicates + 1, regions)[0]
    none = replace(scene, relations_present=torch.zeros_like(scene.relations_present))
    silent = graph(none, labels, attributes, predicates, regions)[0]
    for other in (turned, said, silent):
        assert (one - other)[scene.objects_present].abs().amax(dim=-1).min() > 1e-4  # of every object


def test_relations_that_are_not_there_say_nothing() -> None:
    graph, (scene, (labels, attributes, predicates, regions)) = _graph(), _scene(ENDS)
    there = scene.relations_present
    junk = replace(scene, ends=torch.where(there[..., None], scene.ends, torch.tensor([2, 1])))
    one, other = (
        graph(scene, labels, attributes, predicates, regions),
        graph(junk, labels, attributes, predicates, regions),
    )
    assert torch.equal(one[0], other[0])
    assert torch.equal(one[1][there], other[1][there])


@pytest.mark.parametrize("layers", [0, 3])
def test_without_objects_or_relations_there_are_no_tokens(layers: int) -> None:
    graph = _graph(replace(SHAPE, num_layers=layers))
    scene, vectors = _scene([[], []], (0, 0))
    objects, relations = graph(scene, *vectors)
    assert objects.shape == (2, 0, WORDS)
    assert relations.shape == (2, 0, WORDS)
    scene, vectors = _scene([[], []], (2, 0))
    objects, relations = graph(scene, *vectors)
    assert objects.shape == (2, 2, WORDS)
    assert objects[scene.objects_present].isfinite().all()
    assert relations.shape == (2, 0, WORDS)


def test_tokens_of_relations_are_a_setting() -> None:
    graph, (scene, vectors) = _graph(replace(SHAPE, relation_tokens=False)), _scene(ENDS)
    assert graph(scene, *vectors)[1] is None


def test_places_are_corners_sides_and_area() -> None:
    found = box_features(torch.tensor([[0.1, 0.2, 0.5, 0.8]]))
    assert found.shape == (1, BOX_FEATURES)
    torch.testing.assert_close(found[0], torch.tensor([0.1, 0.2, 0.5, 0.8, 0.4, 0.6, 0.24]))
