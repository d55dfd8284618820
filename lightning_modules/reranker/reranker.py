"""A trained cross-encoder as a function of a question and texts."""

from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from lightning_modules.reranker.cross_encoder import CrossEncoder, encoded
from lightning_modules.training.inference import iterate_batches, prepare_for_inference


class Reranker:
    """How well each text answers a question. A pair's score does not depend on what else is asked about.

    Args:
        network: in evaluation mode.
        tokenizer: that the network was trained with; cuts pairs to the network's context.
    """

    def __init__(self, network: CrossEncoder, tokenizer: PreTrainedTokenizerBase) -> None:
        self.network, self.tokenizer = network, tokenizer

    @classmethod
    def from_pretrained(cls, folder: Path, threads: int) -> Self:
        """The model that stage ``reranker`` wrote, on a GPU if there is one.

        Args:
            folder: a sequence classifier of transformers with one label, and its tokenizer.
            threads: of this process, from now on.

        Raises:
            OSError: there is none.
            ValueError: what is there has more labels.
        """
        network = prepare_for_inference(CrossEncoder.from_pretrained(folder), threads)
        return cls(network, AutoTokenizer.from_pretrained(folder))

    @torch.inference_mode()
    def scores(self, query: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """The sigmoid of each pair's logit, in [0, 1], (N,); what does not fit the context is cut off."""
        found = [torch.zeros(0)]
        for some in iterate_batches(texts):
            tokens = encoded(self.tokenizer, [query] * len(some), some)
            logits = self.network({name: value.to(self.network.device) for name, value in tokens.items()})
            found.append(logits.float().sigmoid().cpu())
        return torch.cat(found).numpy()
