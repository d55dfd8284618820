from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from lightning_modules.layers.beam_search import beam_search
from lightning_modules.layers.config import EncoderDecoderConfig, TransformerConfig
from lightning_modules.layers.encoder_decoder import EncoderDecoderTransformer
from lightning_modules.layers.generation import Sampler, generate, greedy
from tests.support.copied_weights import shake
from tests.support.kinds import KINDS, transformer

PAD, START, END = 0, 1, 2
VOCABULARY, LONGEST = 12, 8
SOURCE = torch.tensor([[3, 4, 5, 6, 7], [8, 9, PAD, PAD, PAD], [10, 11, 3, PAD, PAD]])


def _network(shape: TransformerConfig, **changes: Any) -> EncoderDecoderTransformer:
    fields = {"source_vocab_size": VOCABULARY, "target_vocab_size": VOCABULARY, "share_embeddings": True}
    tokens = {"pad_token": PAD, "start_token": START, "end_token": END}
    return EncoderDecoderTransformer(EncoderDecoderConfig(encoder=shape, decoder=shape, **fields | tokens | changes))


@pytest.mark.parametrize("kind", KINDS)
def test_cached_logits_equal_logits_of_the_whole_text(kind: dict) -> None:
    torch.manual_seed(0)
    network, sampler = _network(transformer(**kind)).eval(), Sampler(torch.Generator().manual_seed(0))
    seen: list[Tensor] = []

    def pick(step: Tensor) -> Tensor:
        seen.append(step)
        return sampler(step)

    found = generate(*network.begin(SOURCE), pick, length=9, end=-1, pad=PAD)
    assert len(set(found.flatten().tolist())) > 6
    expected = network(SOURCE, torch.cat([torch.full((3, 1), START), found[:, :-1]], dim=1))
    torch.testing.assert_close(torch.stack(seen, dim=1), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_beams_that_swap_places_take_their_memories_along(kind: dict) -> None:
    network = _network(transformer(**kind)).eval()
    shake(network)
    tokens, scores = beam_search(*network.begin(SOURCE), beams=3, length=6, end=-1, pad=PAD, penalty=0.0)
    for beam in range(3):
        target = torch.cat([torch.full((3, 1), START), tokens[:, beam]], dim=1)
        chances = network(SOURCE, target[:, :-1]).log_softmax(dim=-1)
        expected = chances.gather(2, target[:, 1:, None]).sum(dim=(1, 2))
        torch.testing.assert_close(scores[:, beam], expected, atol=1e-4, rtol=0)


def test_padding_of_the_source_changes_nothing() -> None:
    network = _network(transformer()).eval()
    target = torch.tensor([[START, 5, 6]])
    found = network(SOURCE[1:2], target)
    torch.testing.assert_close(found, network(SOURCE[1:2, :2], target), atol=1e-5, rtol=1e-5)


def test_the_papers_base_model_has_its_parameters() -> None:
    shape = TransformerConfig(
        context_length=512,
        hidden_size=512,
        num_layers=6,
        num_heads=8,
        intermediate_size=2048,
        activation="relu",
        positions="sinusoidal",
        dropout=0.1,
        norm="last",
    )
    with torch.device("meta"):
        network = _network(shape, source_vocab_size=37_000, target_vocab_size=37_000)
    attention, feed_forward, norm = 4 * (512 * 512 + 512), 2 * 512 * 2048 + 2048 + 512, 2 * 512
    encoder, decoder = attention + feed_forward + 2 * norm, 2 * attention + feed_forward + 3 * norm
    assert network.count_parameters() == 6 * (encoder + decoder) + 37_000 * 512  # about 63 million


@pytest.mark.parametrize("share", [False, True])
@pytest.mark.parametrize("tie", [False, True])
def test_a_saved_network_is_the_same_network(tmp_path: Path, share: bool, tie: bool) -> None:
    network = _network(transformer(), share_embeddings=share, tie_output=tie).eval()
    network.save_pretrained(tmp_path)
    again = EncoderDecoderTransformer.from_pretrained(tmp_path)
    target = torch.tensor([[START, 5, 6]] * 3)
    assert torch.equal(again(SOURCE, target), network(SOURCE, target))
    assert again.config == network.config
    tables = 1 + (not share) + (not tie)
    alone = _network(transformer()).count_parameters()
    assert network.count_parameters() == alone + (tables - 1) * VOCABULARY * 16 + (not tie) * VOCABULARY


def _strings(count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Random strings of 3 to 8 letters (count, 8), and the same backwards with an end (count, 9)."""
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.randint(3, LONGEST + 1, (count, 1), generator=generator)
    letters = torch.randint(3, VOCABULARY, (count, LONGEST), generator=generator)
    beyond = torch.arange(LONGEST) >= lengths
    strings = letters.masked_fill(beyond, PAD)
    backwards = strings.gather(1, (lengths - 1 - torch.arange(LONGEST)).clamp(min=0)).masked_fill(beyond, PAD)
    return strings, functional.pad(backwards, (0, 1)).scatter(1, lengths, END)


def _answers(network: EncoderDecoderTransformer, strings: Tensor) -> Tensor:
    found = generate(*network.begin(strings), greedy, length=LONGEST + 1, end=END, pad=PAD)
    return functional.pad(found, (0, LONGEST + 1 - found.shape[1]))


@pytest.mark.slow
def test_learns_to_reverse_strings() -> None:
    torch.manual_seed(0)
    shape = transformer(hidden_size=64, num_layers=1, intermediate_size=128, activation="relu", positions="sinusoidal")
    network = _network(shape)
    held_out, expected = _strings(500, seed=1)
    steps = 900
    optimizer = torch.optim.Adam(network.parameters(), betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=5e-3, total_steps=steps, pct_start=0.1)
    for step in range(steps):
        strings, target = _strings(64, seed=2 + step)
        new = ~(strings[:, None] == held_out).all(dim=2).any(dim=1)
        strings, target = strings[new], target[new]
        logits = network(strings, functional.pad(target[:, :-1], (1, 0), value=START))
        optimizer.zero_grad()
        functional.cross_entropy(logits.flatten(0, 1), target.flatten(), ignore_index=PAD).backward()
        optimizer.step()
        schedule.step()
    right = (_answers(network.eval(), held_out) == expected).all(dim=1).float().mean()
    assert right >= 0.99
