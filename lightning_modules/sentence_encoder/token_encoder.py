"""Texts to one vector a token, by an encoder of transformers: BERT, RoBERTa, MiniLM, …"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoModel, AutoTokenizer

BATCH = 64


@dataclass(frozen=True)
class Tokens:
    """One text's own tokens, without those that the tokenizer frames it with."""

    ids: list[int]
    vectors: NDArray[np.float32]
    """Unit vectors in context, (T, width)."""


class TokenEncoder:
    """An encoder and its tokenizer, in evaluation mode.

    Args:
        network: gives the hidden states of all its layers.
        tokenizer: of the same checkpoint.
    """

    def __init__(self, network: Any, tokenizer: Any) -> None:
        self.network, self.tokenizer = network.eval(), tokenizer
        self.context = min(tokenizer.model_max_length, network.config.max_position_embeddings)

    @classmethod
    def from_pretrained(cls, folder: Path) -> Self:
        """The checkpoint in a local folder, on a GPU if there is one.

        Raises:
            FileNotFoundError: there is no checkpoint in the folder; none is looked for anywhere else.
        """
        if not (folder / "config.json").is_file():
            raise FileNotFoundError(f"{folder}: no config.json, so no checkpoint of an encoder")
        network = AutoModel.from_pretrained(folder, local_files_only=True)
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        return cls(network.to("cuda" if torch.cuda.is_available() else "cpu"), tokenizer)

    def __call__(self, texts: list[str], layer: int) -> list[Tokens]:
        """The texts' tokens; what does not fit the context is cut off.

        Args:
            texts: of any length.
            layer: whose output is taken, 0 for the first layer's input, -1 for the last one's output.

        Raises:
            IndexError: the encoder has no such layer.
        """
        starts = range(0, len(texts), BATCH)
        return [tokens for start in starts for tokens in self._batch(texts[start : start + BATCH], layer)]

    @torch.inference_mode()
    def _batch(self, texts: list[str], layer: int) -> list[Tokens]:
        words = self.tokenizer(
            texts,
            padding=True,
            truncation=True,
            max_length=self.context,
            return_special_tokens_mask=True,
            return_tensors="pt",
        ).to(self.network.device)
        own = words.pop("special_tokens_mask") == 0  # (B, T)
        hidden = self.network(**words, output_hidden_states=True).hidden_states[layer].float()  # (B, T, width)
        unit = torch.nn.functional.normalize(hidden, dim=-1)
        return [
            Tokens(ids[mask].tolist(), vectors[mask].cpu().numpy())
            for ids, vectors, mask in zip(words["input_ids"], unit, own, strict=True)
        ]
