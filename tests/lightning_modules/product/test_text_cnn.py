import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from lightning_modules.product.config import WordsBranch
from lightning_modules.product.text_cnn import TextCnn

VOCABULARY, PAD = 12, 0
TEXTS = st.lists(st.lists(st.integers(1, VOCABULARY - 1), max_size=9), min_size=2, max_size=5)


def _branch(**changes: object) -> WordsBranch:
    shape = {
        "context_length": 9,
        "embedding_dim": 6,
        "kernel_sizes": (2, 3, 4),
        "num_filters": 5,
        "features": 7,
        "dropout": 0.0,
    }
    return WordsBranch(kind="text_cnn", fields=("title",), **shape | changes)  # type: ignore[arg-type]


def _network(**changes: object) -> TextCnn:
    """With batch norms that change something: their statistics and weights are drawn."""
    torch.manual_seed(1)
    network = TextCnn(_branch(**changes), VOCABULARY, PAD)
    for norm in network.norms:
        for tensor in (norm.weight.data, norm.bias.data, norm.running_mean):
            tensor.copy_(torch.randn(len(tensor)))
    return network.eval()


def _padded(texts: list[list[int]], length: int) -> torch.Tensor:
    return torch.tensor([text + [PAD] * (length - len(text)) for text in texts], dtype=torch.int64)


@given(texts=TEXTS, more=st.integers(0, 6))
@settings(deadline=None, max_examples=60)
def test_padding_changes_nothing(texts: list[list[int]], more: int) -> None:
    longest = max(len(text) for text in texts)
    network = _network()
    torch.testing.assert_close(network(_padded(texts, longest)), network(_padded(texts, longest + more)))
    for text, together in zip(texts, network(_padded(texts, longest)), strict=True):
        torch.testing.assert_close(network(_padded([text], len(text)))[0], together, atol=1e-6, rtol=1e-5)


@given(texts=TEXTS, more=st.integers(1, 6))
@settings(deadline=None, max_examples=30)
def test_padding_changes_nothing_in_training_either(texts: list[list[int]], more: int) -> None:
    longest = max(len(text) for text in texts)
    short, long = _network().train(), _network().train()
    torch.testing.assert_close(short(_padded(texts, longest)), long(_padded(texts, longest + more)))
    for one, other in zip(short.norms, long.norms, strict=True):
        torch.testing.assert_close(one.running_mean, other.running_mean)
        torch.testing.assert_close(one.running_var, other.running_var)


def test_equals_the_formula_written_out_for_one_text() -> None:
    network, text = _network(), [3, 7, 1, 4, 4, 9]
    vectors = network.embedding.weight[text]
    maxima = []
    for kernel, convolution, norm in zip(network.kernels, network.convolutions, network.norms, strict=True):
        values = []
        for start in range(len(text) - kernel + 1):
            window = vectors[start : start + kernel]  # (kernel, embedding)
            value = torch.einsum("fek,ke->f", convolution.weight, window) + convolution.bias
            scaled = (value.relu() - norm.running_mean) / (norm.running_var + norm.eps).sqrt()
            values.append(scaled * norm.weight + norm.bias)
        maxima.append(torch.stack(values).amax(dim=0))
    dense = functional.linear(torch.cat(maxima), network.dense.weight, network.dense.bias)
    assert isinstance(network.dense.norm, torch.nn.BatchNorm1d)
    expected = network.dense.norm(dense[None]).relu()[0]
    torch.testing.assert_close(network(torch.tensor([text]))[0], expected, atol=1e-6, rtol=1e-5)


def test_a_short_text_is_one_window_and_an_empty_one_is_known() -> None:
    network = _network()
    features = network(_padded([[5], [], [6], []], 1))
    assert features.isfinite().all()
    torch.testing.assert_close(features[1], features[3], atol=1e-6, rtol=1e-5)
    assert not torch.allclose(features[0], features[1], atol=1e-3)
    assert not torch.allclose(features[0], features[2], atol=1e-3)
    nothing = network(torch.zeros(2, 0, dtype=torch.int64))[0]
    torch.testing.assert_close(nothing, features[1], atol=1e-6, rtol=1e-5)


def test_the_order_of_words_matters_within_a_window_only() -> None:
    network = _network(kernel_sizes=(1,))
    torch.testing.assert_close(network(torch.tensor([[3, 5, 8]])), network(torch.tensor([[8, 3, 5]])))
    network = _network(kernel_sizes=(2,))
    assert not torch.equal(network(torch.tensor([[3, 5, 8]])), network(torch.tensor([[8, 3, 5]])))


def test_the_documents_widths() -> None:
    branch = _branch(context_length=60, embedding_dim=128, num_filters=64, features=128, dropout=0.3)
    network = TextCnn(branch, vocabulary=15_001, pad_token=PAD)
    assert network(torch.ones(4, 60, dtype=torch.int64)).shape == (4, 128)
    assert network.embedding.weight.shape == (15_001, 128)
    assert [tuple(layer.weight.shape) for layer in network.convolutions] == [(64, 128, kernel) for kernel in (2, 3, 4)]
    assert [norm.num_features for norm in network.norms] == [64, 64, 64]
    assert network.dense.weight.shape == (128, 192)
    assert isinstance(network.dense.norm, torch.nn.BatchNorm1d)
    assert network.dense.dropout is not None
    assert network.dense.dropout.p == 0.3
