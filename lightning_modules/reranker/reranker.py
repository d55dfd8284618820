"""A trained cross-encoder as a function of a query and texts."""

from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from lightning_modules.reranker.cross_encoder import CrossEncoder, encode_pairs
from lightning_modules.training.inference import iterate_batches, prepare_for_inference


class Reranker:
    """Scores the relevance of texts to a query. The score of a pair does not depend on the other texts.

    Args:
        network: in evaluation mode.
        tokenizer: that the network was trained with; it truncates pairs to the context of the network.
    """

    def __init__(self, network: CrossEncoder, tokenizer: PreTrainedTokenizerBase) -> None:
        self.network, self.tokenizer = network, tokenizer

    @classmethod
    def from_pretrained(cls, folder: Path, threads: int) -> Self:
        """Load the model that stage ``reranker`` wrote, onto a GPU if one is available.

        Args:
            folder: a sequence classifier of transformers with one label, and its tokenizer.
            threads: CPU threads of this process, from now on.

        Raises:
            OSError: the folder contains no model.
            ValueError: the model has more than one label.
        """
        network = prepare_for_inference(CrossEncoder.from_pretrained(folder), threads)
        return cls(network, AutoTokenizer.from_pretrained(folder))

    @torch.inference_mode()
    def scores(self, query: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """Sigmoid of the logit of each pair, in [0, 1], (N,); texts longer than the context are truncated."""
        scores = [torch.zeros(0)]
        for batch in iterate_batches(texts):
            tokens = encode_pairs(self.tokenizer, [query] * len(batch), batch)
            logits = self.network({name: value.to(self.network.device) for name, value in tokens.items()})
            scores.append(logits.float().sigmoid().cpu())
        return torch.cat(scores).numpy()
