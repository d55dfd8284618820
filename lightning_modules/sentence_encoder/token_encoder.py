"""Contextual token embeddings by an encoder of transformers: BERT, RoBERTa, MiniLM, …"""

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
    """Tokens of one text, without special tokens."""

    ids: list[int]
    vectors: NDArray[np.float32]
    """Contextual unit vectors, (T, width)."""


class TokenEncoder:
    """An encoder and its tokenizer, in evaluation mode.

    Args:
        network: that outputs the hidden states of all layers.
        tokenizer: of the same checkpoint.
    """

    def __init__(self, network: Any, tokenizer: Any) -> None:
        self.network, self.tokenizer = network.eval(), tokenizer
        self.context = min(tokenizer.model_max_length, network.config.max_position_embeddings)

    @classmethod
    def from_pretrained(cls, folder: Path) -> Self:
        """Load a checkpoint from a local folder, onto a GPU if one is available.

        Raises:
            FileNotFoundError: the folder contains no checkpoint; the hub is not searched.
        """
        if not (folder / "config.json").is_file():
            raise FileNotFoundError(f"{folder}: no checkpoint of an encoder, config.json is missing")
        network = AutoModel.from_pretrained(folder, local_files_only=True)
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        return cls(network.to("cuda" if torch.cuda.is_available() else "cpu"), tokenizer)

    def __call__(self, texts: list[str], layer: int) -> list[Tokens]:
        """Embed the tokens of texts; texts longer than the context are truncated.

        Args:
            texts: to embed.
            layer: index of the hidden states: 0 for the input of the first layer, -1 for the output of the last one.

        Raises:
            IndexError: the encoder has fewer layers.
        """
        starts = range(0, len(texts), BATCH)
        return [tokens for start in starts for tokens in self._batch(texts[start : start + BATCH], layer)]

    @torch.inference_mode()
    def _batch(self, texts: list[str], layer: int) -> list[Tokens]:
        inputs = self.tokenizer(
            texts,
            padding=True,
            truncation=True,
            max_length=self.context,
            return_special_tokens_mask=True,
            return_tensors="pt",
        ).to(self.network.device)
        is_text = inputs.pop("special_tokens_mask") == 0  # (B, T)
        hidden = self.network(**inputs, output_hidden_states=True).hidden_states[layer].float()  # (B, T, width)
        unit = torch.nn.functional.normalize(hidden, dim=-1)
        return [
            Tokens(ids[mask].tolist(), vectors[mask].cpu().numpy())
            for ids, vectors, mask in zip(inputs["input_ids"], unit, is_text, strict=True)
        ]
