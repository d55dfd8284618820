"""A cross-encoder of a few thousand random weights, on disk as stage `reranker` leaves it."""

from pathlib import Path

import torch

from lightning_modules.reranker.cross_encoder import CrossEncoder, load_classifier, load_pair_tokenizer
from lightning_modules.tokenization.saved import save_tokenizer
from tests.support.tiny_bert import CONTEXT, write_bert


def write_reranker(folder: Path, context: int = CONTEXT) -> Path:
    """A folder for ``Reranker.from_pretrained``; its scores are chance, but differ."""
    bert = str(write_bert(folder.with_name(f"{folder.name}_bert")))
    with torch.random.fork_rng():
        torch.manual_seed(2)
        network = CrossEncoder(load_classifier(bert, None, 0.0))
    network.calibrate(40.0, -15.0)  # transformers begins a head near 0: all scores would be 0.5
    network.save_pretrained(folder)
    save_tokenizer(load_pair_tokenizer(bert, context), folder)
    return folder
