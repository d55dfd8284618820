import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from lightning_modules.training.label_accuracy import LabelAccuracy
from lightning_modules.training.labels import MISSING, LabelledBatch, encode_labels, masked_label_loss


def test_label_ids_are_places_in_the_classes() -> None:
    rows = [{"item": "lamp"}, {"item": None}, {"item": "chair"}, {"item": "never seen"}]
    assert encode_labels(rows, "item", ("chair", "lamp")).tolist() == [1, MISSING, 0, MISSING]


@given(st.lists(st.sampled_from([0, 1, 2, MISSING]), min_size=1, max_size=12), st.sampled_from([0.0, 0.1, 0.5]))
def test_the_loss_is_the_mean_over_the_labelled_rows(target: list[int], smoothing: float) -> None:
    logits = torch.randn(len(target), 3, generator=torch.Generator().manual_seed(len(target)), requires_grad=True)
    loss = masked_label_loss(logits, torch.tensor(target), smoothing)
    known = [row for row, label in enumerate(target) if label != MISSING]
    if known:
        expected = functional.cross_entropy(
            logits[known], torch.tensor([target[row] for row in known]), label_smoothing=smoothing
        )
        torch.testing.assert_close(loss, expected)
    else:
        assert loss.item() == 0
    loss.backward()
    assert logits.grad is not None
    missing = [row for row, label in enumerate(target) if label == MISSING]
    assert not logits.grad[missing].any()
    assert logits.grad.isfinite().all()


def test_smoothing_by_hand() -> None:
    loss = masked_label_loss(torch.tensor([[math.log(3.0), 0.0]]), torch.tensor([0]), 0.2)
    assert loss.item() == pytest.approx(-(0.9 * math.log(0.75) + 0.1 * math.log(0.25)))


def test_a_batch_is_as_long_as_its_images() -> None:
    assert len(LabelledBatch(torch.zeros(3, 3, 2, 2, dtype=torch.uint8), {})) == 3


class Logged:
    """Stands for trainer, strategy and module: one process, and a log that is kept."""

    def __init__(self) -> None:
        self.values: dict[str, float] = {}
        self.strategy = self
        self.device = torch.device("cpu")

    def reduce(self, tensor: torch.Tensor, reduce_op: str) -> torch.Tensor:
        assert reduce_op == "sum"
        return tensor

    def log(self, name: str, value: float) -> None:
        self.values[name] = value


def test_accuracy_over_several_batches_and_anew_each_epoch() -> None:
    callback, told = LabelAccuracy(["item", "bin"]), Logged()
    eye = torch.eye(3)
    batches = [([0, 1], [0, MISSING]), ([2, 1, 0], [2, 2, MISSING])]  # said, is
    for _ in range(2):
        for said, actual in batches:
            outputs = {
                "logits": {"item": eye[said], "bin": eye[said]},
                "labels": {"item": torch.tensor(actual), "bin": torch.full((len(actual),), MISSING)},
            }
            callback.on_validation_batch_end(told, told, outputs, None, 0)  # type: ignore[arg-type]
        callback.on_validation_epoch_end(told, told)  # type: ignore[arg-type]
        assert told.values == {"validation_item_accuracy": pytest.approx(2 / 3)}
