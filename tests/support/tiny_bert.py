"""A BERT of a few thousand random weights, on disk as transformers keeps it."""

from pathlib import Path

import torch
from transformers import BertConfig, BertModel, BertTokenizerFast

WORDS = ["chair", "oak", "old", "paint", "sand", "table", "the", "wax"]
CONTEXT = 24


def write_bert(folder: Path) -> Path:
    """A folder for ``from_pretrained``; it knows ``WORDS`` and takes ``CONTEXT`` tokens, [CLS] and [SEP] included."""
    folder.mkdir(parents=True)
    (folder / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]))
    config = BertConfig(
        vocab_size=5 + len(WORDS),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=CONTEXT,
        initializer_range=0.2,  # larger than usual: the words must differ from each other
    )
    with torch.random.fork_rng():
        torch.manual_seed(1)
        BertModel(config).save_pretrained(folder)
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    return folder
