import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lightning_modules.writer.region_pool import region_pool

SHARE = st.integers(0, 48).map(lambda pixels: pixels / 48)


@settings(deadline=None)
@given(st.lists(st.tuples(SHARE, SHARE, SHARE, SHARE), min_size=1, max_size=4), st.sampled_from([1, 3, 4]))
def test_it_is_the_mean_of_what_lies_under_the_box(corners: list[tuple[float, ...]], side: int) -> None:
    boxes = [(min(a, c), min(b, d), max(a, c), max(b, d)) for a, b, c, d in corners if a != c and b != d]
    cells = torch.from_numpy(np.random.default_rng(0).normal(size=(1, side * side, 2))).float()
    found = region_pool(cells, torch.tensor([boxes]).view(1, len(boxes), 4))
    fine = cells.view(side, side, 2).repeat_interleave(48 // side, 0).repeat_interleave(48 // side, 1)  # 48 x 48
    for box, vector in zip(boxes, found[0], strict=True):
        x0, y0, x1, y1 = (round(48 * value) for value in box)
        torch.testing.assert_close(vector, fine[y0:y1, x0:x1].mean(dim=(0, 1)), atol=1e-4, rtol=1e-4)


def test_a_box_without_an_area_takes_the_cell_that_it_lies_in() -> None:
    cells = torch.arange(16.0).view(1, 16, 1)
    points = torch.tensor([[[0.3, 0.6, 0.3, 0.6], [1.0, 1.0, 1.0, 1.0], [0.0, 0.9, 0.0, 0.9]]])
    assert region_pool(cells, points).flatten().tolist() == [9, 15, 12]


def test_boxes_outside_are_cut_and_no_boxes_are_none() -> None:
    cells = torch.arange(16.0).view(1, 16, 1)
    assert region_pool(cells, torch.tensor([[[-3.0, -1.0, 7.0, 2.0]]])).item() == 7.5
    assert region_pool(cells, torch.zeros(1, 0, 4)).shape == (1, 0, 1)
