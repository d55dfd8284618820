"""The stage `tokenizer`: train a byte-level BPE tokenizer on the texts of the train split and the guides."""

import os
from collections.abc import Iterable, Iterator

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from assets.tokenizer.parameters import TokenizerParameters
from heddle.core.listing_text import all_texts
from heddle.core.parameters.shared import Split
from heddle.core.schemas import read_rows
from heddle.core.splits import split_of_listing
from heddle.core.stage import Metrics, Stage
from lightning_modules.tokenization.vocabulary import SPECIAL_TOKENS


def tokenizer(stage: Stage) -> Metrics:
    """Train the tokenizer and write ``tokenizer.json``."""
    validated = stage.input("validated")
    split = stage.parameters(Split, "split")
    listings = read_rows(validated / "listings.parquet")
    texts: list[str] = []
    held_out: list[str] = []
    for listing in listings:
        if split_of_listing(listing, split) == "train":
            texts += all_texts(listing)
        else:
            held_out += all_texts(listing)
    for guide in read_rows(validated / "guides.parquet"):
        texts += [guide["title"] or "", guide["text"]]
    if any(texts):
        stage.progress(f"training on {len(texts)} texts")
    else:
        stage.progress("no texts: the vocabulary contains single bytes only")
    trained = learn(texts, stage.parameters(TokenizerParameters))
    trained.save(str(stage.output / "tokenizer.json"))
    metrics: dict[str, float] = {"vocabulary": trained.get_vocab_size(), "texts": len(texts)}
    for name, some in (("train", texts), ("held_out", held_out)):
        if any(some):
            metrics[f"bytes_per_token_{name}"] = _bytes_per_token(trained, some)
    return metrics


def learn(texts: Iterable[str], parameters: TokenizerParameters) -> Tokenizer:
    """Train byte-level BPE (Sennrich et al. 2016, on bytes as in GPT-2). Decoding returns any text in form NFC."""
    trained = Tokenizer(models.BPE())
    trained.normalizer = normalizers.NFC()
    trained.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trained.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=parameters.vocab_size,
        min_frequency=parameters.min_frequency,
        special_tokens=list(SPECIAL_TOKENS),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    trained.train_from_iterator(_sorted(texts), trainer)
    return trained


def _sorted(texts: Iterable[str]) -> Iterator[str]:
    """Sort the texts, so that the vocabulary cannot depend on their order."""
    return iter(sorted(texts))


def _bytes_per_token(trained: Tokenizer, texts: list[str]) -> float:
    tokens = sum(len(encoding.ids) for encoding in trained.encode_batch(texts))
    return sum(len(text.encode()) for text in texts) / tokens
