"""Throughput of the writer's decoder, cached, uncached and batched, compared with transformers' generate.

Both models are untrained and of one size: the decoder of the demo scale, and a BART decoder of the same width, layers,
heads and vocabulary that attends to as many states. Greedy, the same number of tokens, one thread; the median of
alternating rounds.

    python benchmarks/content_decoder.py [tokens] [rounds]
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import torch
from transformers import BartConfig, BartForConditionalGeneration
from transformers.modeling_outputs import BaseModelOutput

from assets.writer.train.parameters import WriterParameters
from heddle.core.parameters.section import load
from lightning_modules.layers.decoder import TransformerDecoder
from lightning_modules.layers.decoding import CachedDecoding
from lightning_modules.layers.embedding import TokenEmbedding
from lightning_modules.layers.generation import generate, greedy

VOCABULARY, MEMORY, BATCH = 2062, 34, 64
NEVER = -1
"""An end token that never occurs."""


def main(length: int, rounds: int) -> None:
    """Print a table of the decoding methods."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    with torch.inference_mode():
        ways = _ways(load("writer", WriterParameters, Path()), length)
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(rounds):
            for name, (_, write) in ways.items():
                begun = time.perf_counter()
                write()
                seconds[name].append(time.perf_counter() - begun)
    print("| way | contents at once | tokens/s |\n|---|---|---|")
    for name, (contents, _) in ways.items():
        print(f"| {name} | {contents} | {contents * length / median(seconds[name]):.0f} |")


def _ways(parameters: WriterParameters, length: int) -> dict[str, tuple[int, Callable[[], object]]]:
    config = parameters.network.decoder
    embedding = TokenEmbedding(VOCABULARY, config.hidden_size)
    decoder = TransformerDecoder(config, cross_attention=True).eval()
    theirs = BartForConditionalGeneration(
        BartConfig(
            vocab_size=VOCABULARY,
            d_model=config.hidden_size,
            encoder_layers=1,
            decoder_layers=config.num_layers,
            decoder_attention_heads=config.num_heads,
            decoder_ffn_dim=config.intermediate_size,
            max_position_embeddings=max(config.context_length, length + 2),
            forced_eos_token_id=None,
        )
    ).eval()

    def score(states: torch.Tensor) -> torch.Tensor:
        return states @ embedding.weight.T

    def cached(contents: int) -> object:
        decoding = CachedDecoding(embedding, decoder, score, memory=torch.randn(contents, MEMORY, config.hidden_size))
        first = torch.ones(contents, 1, dtype=torch.int64)
        return generate(decoding, first, greedy, length=length, end=NEVER, pad=0)

    def uncached() -> object:
        memory, tokens = torch.randn(1, MEMORY, config.hidden_size), torch.ones(1, 1, dtype=torch.int64)
        for _ in range(length):
            chosen = greedy(score(decoder(embedding(tokens), memory=memory)[:, -1]))
            tokens = torch.cat([tokens, chosen[:, None]], dim=1)
        return tokens

    def generated(contents: int) -> object:
        states = BaseModelOutput(last_hidden_state=torch.randn(contents, MEMORY, config.hidden_size))
        return theirs.generate(
            encoder_outputs=states, max_new_tokens=length, min_new_tokens=length, do_sample=False, num_beams=1
        )

    return {
        "cached": (1, lambda: cached(1)),
        "uncached": (1, uncached),
        "transformers": (1, lambda: generated(1)),
        "cached, batch": (BATCH, lambda: cached(BATCH)),
        "transformers, batch": (BATCH, lambda: generated(BATCH)),
    }


if __name__ == "__main__":
    main(*(int(number) for number in [*sys.argv[1:], "200", "3"][:2]))
