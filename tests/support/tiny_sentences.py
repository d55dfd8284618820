"""A sentence encoder of a few thousand random weights, on disk as sentence-transformers keeps it."""

from pathlib import Path

from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Pooling, Transformer

from tests.support.tiny_bert import write_bert


def write_sentence_encoder(folder: Path, pooling: str = "mean", prompts: dict[str, str] | None = None) -> Path:
    """A folder for ``SentenceEncoder.from_pretrained``: 16 dimensions, no layer that makes unit vectors.

    Args:
        folder: to be made; ``<folder>_bert`` beside it holds the BERT alone.
        pooling: of the tokens: "mean", "cls" or "max".
        prompts: "query" or "document" -> the instruction that the folder declares.
    """
    words = Transformer(str(write_bert(folder.with_name(f"{folder.name}_bert"))))
    pool = Pooling(words.get_embedding_dimension(), pooling_mode=pooling)
    SentenceTransformer(modules=[words, pool], device="cpu", prompts=prompts).save_pretrained(str(folder))
    return folder
