"""Batches of image-text pairs for CLIP."""

from collections.abc import Callable, Sequence

import torch
from tokenizers import Tokenizer
from torch import Tensor

from lightning_modules.image.augmentation import augment, drop_words, sample_generator
from lightning_modules.training.settings import AugmentationSettings
from lightning_modules.training.shards import ImageTextBatch, Row, ShardSample, stack_pixels


class PairCollate:
    """Collates images and texts, augmented in training and unchanged otherwise.

    Args:
        tokenizer: adds special tokens, truncates and pads.
        words: returns the text of a row, sampled for an epoch, fixed for None.
        augmentation: settings for training samples.
        seed: of the augmentation.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        words: Callable[[Row, int | None], str],
        augmentation: AugmentationSettings,
        seed: int,
    ) -> None:
        self.tokenizer, self.words, self.augmentation, self.seed = tokenizer, words, augmentation, seed

    def __call__(self, samples: Sequence[ShardSample], epoch: int | None) -> ImageTextBatch:
        texts = [self.words(sample.row, epoch) for sample in samples]
        images = [sample.image for sample in samples]
        if epoch is not None:
            draws = [sample_generator(sample.key, epoch, self.seed) for sample in samples]
            images = [
                augment(image, text, self.augmentation, draw)
                for image, text, draw in zip(images, texts, draws, strict=True)
            ]
            texts = [
                drop_words(text, self.augmentation.word_dropout, draw) for text, draw in zip(texts, draws, strict=True)
            ]
        return ImageTextBatch(stack_pixels(images), encode_texts(self.tokenizer, texts))


def encode_texts(tokenizer: Tokenizer, texts: Sequence[str]) -> Tensor:
    """Texts -> token ids, int64 (B, T), padded to the longest text."""
    return torch.tensor([encoding.ids for encoding in tokenizer.encode_batch(list(texts))], dtype=torch.int64)
