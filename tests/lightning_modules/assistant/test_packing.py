import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from transformers import LlamaConfig, LlamaForCausalLM

from lightning_modules.assistant.language_model import Language
from lightning_modules.assistant.packing import IGNORED, BlockBatches, Piece, collate_blocks, pack_sequences
from lightning_modules.assistant.training import PackedData

VOCABULARY = 40


@pytest.fixture(scope="module")
def model() -> LlamaForCausalLM:
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=16,
        intermediate_size=24,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        initializer_range=0.5,
    )
    return LlamaForCausalLM(config).eval()


def _pieces(lengths: list[int], learned: float = 0.6) -> list[Piece]:
    draw = torch.Generator().manual_seed(3)
    pieces = []
    for length in lengths:
        ids = torch.randint(1, VOCABULARY, (length,), generator=draw).tolist()
        told = (torch.rand(length, generator=draw) < learned).tolist()
        pieces.append(Piece(ids, [token if one else IGNORED for token, one in zip(ids, told, strict=True)]))
    return pieces


def _alone(model: LlamaForCausalLM, piece: Piece) -> Tensor:
    """The losses of a piece's learned tokens, by transformers alone."""
    logits = model(input_ids=torch.tensor([piece.ids])).logits[0, :-1]
    labels = torch.tensor(piece.labels[1:])
    return nn.functional.cross_entropy(logits, labels, ignore_index=IGNORED, reduction="none")[labels != IGNORED]


def test_packed_losses_are_the_losses_of_each_sequence_alone(model: LlamaForCausalLM) -> None:
    pieces = _pieces([7, 12, 3, 9, 5, 12, 2])
    batches = BlockBatches(pieces, size=16, batch_size=2, pad_token=0)
    assert len(batches.blocks) < len(pieces)  # something is packed
    with torch.no_grad():
        together = [
            nn.functional.cross_entropy(*Language(model)(batches[number]), reduction="none")
            for number in range(len(batches))
        ]
        order = [place for block in batches.blocks for place in block]
        alone = [_alone(model, pieces[place]) for place in order]
    torch.testing.assert_close(torch.cat(together), torch.cat(alone), rtol=1e-5, atol=1e-5)


def test_packed_gradients_are_those_of_the_sequences_alone(model: LlamaForCausalLM) -> None:
    pieces = _pieces([6, 5, 4])
    blocks = collate_blocks([pieces], pad_token=0)
    network = Language(model)
    weight = model.model.layers[0].self_attn.q_proj.weight
    (together,) = torch.autograd.grad(nn.functional.cross_entropy(*network(blocks)), weight)
    losses = torch.cat([_alone(model, piece) for piece in pieces])
    (alone,) = torch.autograd.grad(losses.mean(), weight)
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-6)


def test_no_token_sees_another_sequence_or_padding() -> None:
    blocks = collate_blocks([_pieces([3, 2]), _pieces([4])], pad_token=0)
    mask = blocks.mask()[:, 0]
    assert mask.shape == (2, 5, 5)
    seen = [(row.int().tolist()) for row in mask[0]]
    assert seen == [[1, 0, 0, 0, 0], [1, 1, 0, 0, 0], [1, 1, 1, 0, 0], [0, 0, 0, 1, 0], [0, 0, 0, 1, 1]]
    assert mask[1, :4, 4].sum() == 0
    assert mask.diagonal(dim1=1, dim2=2).all()  # padding sees itself: a row without anything would be NaN
    assert blocks.positions[0].tolist() == [0, 1, 2, 0, 1]


def test_the_first_token_of_a_sequence_is_never_learned() -> None:
    blocks = collate_blocks([[Piece([5, 6], [5, 6]), Piece([7, 8, 9], [7, 8, 9])]], pad_token=0)
    assert blocks.labels.tolist() == [[IGNORED, 6, IGNORED, 8, 9]]
    assert len(blocks) == 3


@given(st.lists(st.integers(1, 20), max_size=300))
def test_every_sequence_is_in_one_block_and_none_is_overfull(lengths: list[int]) -> None:
    blocks = pack_sequences(lengths, 20)
    assert sorted(place for block in blocks for place in block) == list(range(len(lengths)))
    assert all(sum(lengths[place] for place in block) <= 20 for block in blocks)


def test_small_sequences_fill_up_blocks() -> None:
    assert pack_sequences([6, 6, 4, 4], 10) == [[0, 2], [1, 3]]


def test_a_sequence_longer_than_a_block_is_refused() -> None:
    with pytest.raises(ValueError, match="has 21 tokens, a block has 20"):
        pack_sequences([3, 21], 20)


def test_epochs_differ_in_order_and_validation_does_not() -> None:
    drawn: list[int] = []
    pieces = _pieces([4] * 12)

    def draw(epoch: int) -> list[Piece]:
        drawn.append(epoch)
        return pieces

    data = PackedData(draw, pieces, size=8, batch_size=2, pad_token=0, seed=1)
    first, second = list(data.train_dataloader()), list(data.train_dataloader())
    assert drawn == [0, 0]
    assert [b.tokens.tolist() for b in first] == [b.tokens.tolist() for b in second]
    validation = list(data.val_dataloader())
    assert [b.tokens.tolist() for b in validation] != [b.tokens.tolist() for b in first]
    assert sum(len(b) for b in validation) == sum(len(b) for b in first)
