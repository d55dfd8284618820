import torch

from lightning_modules.layers.edge_convolution import EdgeConvolution


def _convolution() -> EdgeConvolution:
    torch.manual_seed(0)
    layer = EdgeConvolution(3, 2)
    torch.nn.init.normal_(layer.own.bias)
    return layer


def test_it_is_its_formula_on_a_graph_made_by_hand() -> None:
    layer = _convolution()
    states, features = torch.randn(4, 3), torch.randn(4, 2)
    edges = torch.tensor([[1, 2, 0, 0], [0, 0, 2, 2]])  # node 0 hears two, node 2 the same one twice, 1 and 3 none
    found = layer(states, edges, features)

    def told(source: int, edge: int) -> torch.Tensor:
        heard = layer.told.weight @ states[source]
        return (1 + layer.scale.weight @ features[edge]) * heard + layer.shift.weight @ features[edge]

    heard = {0: [told(1, 0), told(2, 1)], 2: [told(0, 2), told(0, 3)]}
    for node in range(4):
        expected = layer.own.weight @ states[node] + layer.own.bias
        if node in heard:
            expected = expected + torch.stack(heard[node]).mean(dim=0)
        assert torch.allclose(found[node], expected, atol=1e-6)


def test_without_edges_every_node_keeps_to_itself() -> None:
    layer, states = _convolution(), torch.randn(3, 3)
    alone = layer(states, torch.zeros(2, 0, dtype=torch.int64), torch.zeros(0, 2))
    assert torch.equal(alone, layer.own(states))
    nobody = layer(states[:0], torch.zeros(2, 0, dtype=torch.int64), torch.zeros(0, 2))
    assert nobody.shape == (0, 3)


def test_what_an_edge_says_changes_what_is_heard() -> None:
    layer, states = _convolution(), torch.randn(2, 3)
    edges = torch.tensor([[1], [0]])
    one, other = (layer(states, edges, features) for features in (torch.zeros(1, 2), torch.ones(1, 2)))
    assert not torch.allclose(one[0], other[0])
    assert torch.equal(one[1], other[1])
