import itertools

import pytest
import torch

from lightning_modules.layers.hierarchical_fusion import HierarchicalFusion

ALL = torch.tensor([True, True])


def _fusion(early: bool, mid: bool, late: bool) -> HierarchicalFusion:
    torch.manual_seed(0)
    fusion = HierarchicalFusion(4, early=early, mid=mid, late=late)
    for parameter in fusion.parameters():
        torch.nn.init.normal_(parameter)
    return fusion.eval()


@pytest.mark.parametrize(("early", "mid", "late"), itertools.product([False, True], repeat=3))
def test_it_is_its_formula(early: bool, mid: bool, late: bool) -> None:
    fusion, (first, second) = _fusion(early, mid, late), torch.randn(2, 2, 4)
    levels = [first, second]
    for layer, joined in ((fusion.early, [first, second]), (fusion.mid, [first * second, first + second])):
        if layer is not None:
            hidden = torch.relu(torch.cat(joined, dim=1) @ layer.hidden[0].weight.T + layer.hidden[0].bias)
            levels.append(hidden @ layer.output.weight.T + layer.output.bias)
    expected = torch.stack(levels).mean(dim=0)
    if fusion.late is not None:
        keys, values = (torch.stack([part(level) for level in levels]) for part in (fusion.late.key, fusion.late.value))
        query = fusion.late.query(fusion.query[0])  # (1, 4)
        weights = ((query * keys).sum(dim=-1) / 2).softmax(dim=0)  # (levels, 2)
        expected = (weights[..., None] * values).sum(dim=0)
    assert torch.allclose(fusion(first, second, ALL), expected, atol=1e-5)


def test_an_absent_modality_is_a_learned_vector() -> None:
    fusion, (first, second, other) = _fusion(True, True, True), torch.randn(3, 2, 4)
    present = torch.tensor([True, False])
    one, changed = (fusion(first, known, present) for known in (second, torch.stack([second[0], other[1]])))
    assert torch.equal(one, changed)
    assert torch.allclose(one[1:], fusion(first[1:], fusion.absent[None], ALL[:1]), atol=1e-6)
    assert not torch.allclose(one[1:], fusion(first[1:], second[1:], ALL[:1]))
