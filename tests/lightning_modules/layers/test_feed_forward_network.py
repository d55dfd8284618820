from pathlib import Path

import torch
from torch.nn import functional

from lightning_modules.layers.config import FeedForwardConfig
from lightning_modules.layers.feed_forward_network import FeedForwardClassifier, FeedForwardNN

CONFIG = FeedForwardConfig(
    in_features=2, hidden=(16, 16), out_features=2, activation="relu", norm="layer", dropout=0.1, residual=True
)


def test_classifier_learns_xor_and_survives_saving(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = FeedForwardClassifier(CONFIG)
    x = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    classes = torch.tensor([0, 1, 1, 0])
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    for _ in range(200):
        optimizer.zero_grad()
        functional.cross_entropy(network(x), classes).backward()
        optimizer.step()
    network.save_pretrained(tmp_path)
    again = FeedForwardClassifier.from_pretrained(tmp_path)
    assert again.predict(x).tolist() == classes.tolist()
    probabilities = again.predict_proba(x)
    torch.testing.assert_close(probabilities.sum(dim=-1), torch.ones(4))
    assert torch.equal(probabilities.argmax(dim=-1), again.predict(x))
    assert probabilities[torch.arange(4), classes].min() > 0.9


def test_the_documents_digits_network_has_its_parameters() -> None:
    config = FeedForwardConfig(in_features=784, hidden=(128, 64), out_features=10)
    expected = (784 * 128 + 128) + (128 * 64 + 64) + (64 * 10 + 10)
    assert FeedForwardNN(config).count_parameters() == expected
