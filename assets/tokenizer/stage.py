"""A byte-level BPE vocabulary, learned from the words of the train split and the guides."""

import os
from collections.abc import Iterable, Iterator

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from assets.tokenizer.parameters import TokenizerParameters
from heddle.core.listing_text import all_texts
from heddle.core.parameters.shared import Split
from heddle.core.schemas import read_rows
from heddle.core.splits import split_of
from heddle.core.stage import Metrics, Stage
from lightning_modules.tokenization.vocabulary import SPECIAL_TOKENS


def tokenizer(stage: Stage) -> Metrics:
    """Learn the vocabulary and write ``tokenizer.json``."""
    validated = stage.input("validated")
    split = stage.parameters(Split, "split")
    listings = read_rows(validated / "listings.parquet")
    texts: list[str] = []
    held_out: list[str] = []
    for listing in listings:
        (texts if split_of(listing["id"], split) == "train" else held_out).extend(all_texts(listing))
    for guide in read_rows(validated / "guides.parquet"):
        texts += [guide["title"] or "", guide["text"]]
    stage.progress(f"learning from {len(texts)} texts" if any(texts) else "no words: the vocabulary is single bytes")
    learned = learn(texts, stage.parameters(TokenizerParameters))
    learned.save(str(stage.output / "tokenizer.json"))
    numbers: dict[str, float] = {"vocabulary": learned.get_vocab_size(), "texts": len(texts)}
    for name, some in (("train", texts), ("held_out", held_out)):
        if any(some):
            numbers[f"bytes_per_token_{name}"] = _bytes_per_token(learned, some)
    return numbers


def learn(texts: Iterable[str], parameters: TokenizerParameters) -> Tokenizer:
    """Byte-level BPE (Sennrich et al. 2016, on bytes as in GPT-2): any text goes in, and comes back in form NFC."""
    learned = Tokenizer(models.BPE())
    learned.normalizer = normalizers.NFC()
    learned.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    learned.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=parameters.vocab_size,
        min_frequency=parameters.min_frequency,
        special_tokens=list(SPECIAL_TOKENS),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    learned.train_from_iterator(_sorted(texts), trainer)
    return learned


def _sorted(texts: Iterable[str]) -> Iterator[str]:
    """Counts do not depend on the order; sorting makes sure that nothing else does."""
    return iter(sorted(texts))


def _bytes_per_token(learned: Tokenizer, texts: list[str]) -> float:
    tokens = sum(len(encoding.ids) for encoding in learned.encode_batch(texts))
    return sum(len(text.encode()) for text in texts) / tokens
