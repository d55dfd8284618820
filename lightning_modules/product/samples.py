"""Inputs of the product classifier: one tensor per modality, and a mask of the rows with data."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from lightning_modules.image.augmentation import Image, augment, drop_words, sample_generator
from lightning_modules.product.config import LABEL, Branch, ImageBranch, NumbersBranch, ProductConfig, WordsBranch
from lightning_modules.training.labels import encode_labels
from lightning_modules.training.settings import AugmentationSettings
from lightning_modules.training.shards import Row, ShardSample, stack_pixels

Inputs = dict[str, Tensor]
"""Pixels, tokens or numbers by modality; see :meth:`lightning_modules.product.product.Product.forward`."""
Present = dict[str, Tensor]
"""Modality -> True for rows with data, bool (B,)."""


@dataclass  # not frozen: Lightning moves its tensors to the device
class ProductBatch:
    """Inputs and classes of listings."""

    inputs: Inputs
    views: list[Present]
    """Masks of the modalities to use: first all available ones; in training also with modality dropout."""
    labels: Tensor
    """Class ids or ``MISSING``, int64, (B,)."""

    def __len__(self) -> int:
        return len(self.labels)


class ProductReader:
    """Converts images and rows to a network's inputs.

    Args:
        config: of the network.
        tokenizer: required by a network that reads text; adds no special tokens, does not truncate or pad.
    """

    def __init__(self, config: ProductConfig, tokenizer: Tokenizer | None) -> None:
        self.config, self.tokenizer = config, tokenizer

    def __call__(
        self, images: Sequence[Image | None], rows: Sequence[Row], without: Collection[str] = ()
    ) -> tuple[Inputs, Present]:
        """Convert a batch to inputs and masks.

        Args:
            images: (image_size, image_size, 3) or None, one per row.
            rows: of the listings.
            without: modalities to ignore in all rows.
        """
        inputs, present = {}, {}
        for name, branch in self.config.modalities.items():
            match branch:
                case WordsBranch():
                    inputs[name], present[name] = self._read_tokens(branch, rows)
                case ImageBranch():
                    inputs[name], present[name] = self._read_pixels(images)
                case NumbersBranch():
                    inputs[name], present[name] = _read_numbers(branch, rows)
            if name in without:
                present[name] = torch.zeros_like(present[name])
        return inputs, present

    def _read_tokens(self, branch: WordsBranch, rows: Sequence[Row]) -> tuple[Tensor, Tensor]:
        assert self.tokenizer is not None
        texts = [join_texts(row, branch.fields) for row in rows]
        encodings = self.tokenizer.encode_batch(texts, add_special_tokens=False)
        ids = [torch.tensor(encoding.ids[: branch.context_length], dtype=torch.int64) for encoding in encodings]
        tokens = pad_sequence(ids, batch_first=True, padding_value=self.config.pad_token)
        return tokens, torch.tensor([len(text) > 0 for text in ids])

    def _read_pixels(self, images: Sequence[Image | None]) -> tuple[Tensor, Tensor]:
        blank = np.zeros((self.config.image_size, self.config.image_size, 3), np.uint8)
        pixels = stack_pixels([blank if image is None else image for image in images])
        return pixels, torch.tensor([image is not None for image in images])


class ProductCollate:
    """Collates listings; in training they are augmented and get a second view with modality dropout.

    Args:
        reader: converts listings to the network's inputs.
        augmentation: settings for training images and texts.
        modality_dropout: probability that a second view loses one of its modalities, never the only one.
        seed: of augmentation and modality dropout.
    """

    def __init__(
        self, reader: ProductReader, augmentation: AugmentationSettings, modality_dropout: float, seed: int
    ) -> None:
        self.reader, self.augmentation = reader, augmentation
        self.modality_dropout, self.seed = modality_dropout, seed
        branches = reader.config.modalities.values()
        self.fields = sorted(
            {field for branch in branches if isinstance(branch, WordsBranch) for field in branch.fields}
        )
        self.has_images = any(isinstance(branch, ImageBranch) for branch in branches)

    def __call__(self, samples: Sequence[ShardSample], epoch: int | None) -> ProductBatch:
        draws = [] if epoch is None else [sample_generator(sample.key, epoch, self.seed) for sample in samples]
        if draws:
            samples = [self._augment(sample, draw) for sample, draw in zip(samples, draws, strict=True)]
        rows = [sample.row for sample in samples]
        inputs, present = self.reader([sample.image for sample in samples], rows)
        views = [present, self._drop_modalities(present, draws)] if draws else [present]
        return ProductBatch(inputs, views, encode_labels(rows, LABEL, self.reader.config.classes))

    def _augment(self, sample: ShardSample, draw: np.random.Generator) -> ShardSample:
        image = augment(sample.image, "", self.augmentation, draw) if self.has_images else sample.image
        texts = {field: sample.row.get(field) for field in self.fields}
        thinned = {
            field: drop_words(text, self.augmentation.word_dropout, draw)
            for field, text in texts.items()
            if isinstance(text, str) and text.strip()
        }
        return ShardSample(sample.key, image, sample.row | thinned)

    def _drop_modalities(self, present: Present, draws: Sequence[np.random.Generator]) -> Present:
        remaining = {name: mask.clone() for name, mask in sorted(present.items())}
        for index, draw in enumerate(draws):
            drop, choice = draw.random(2)
            available = [name for name in remaining if remaining[name][index]]
            if drop < self.modality_dropout and len(available) > 1:
                remaining[available[int(choice * len(available))]][index] = False
        return remaining


def join_texts(row: Row, fields: Sequence[str]) -> str:
    """Concatenate the texts of a row's fields, lists joined by commas; empty without texts."""
    texts = (row.get(field) or "" for field in fields)
    joined = " ".join(text if isinstance(text, str) else ", ".join(text) for text in texts)
    return " ".join(joined.split())


def signed_log(row: Row, field: str) -> float | None:
    """``sign(x) log(1 + |x|)`` of a row's number; None if it is missing or not finite."""
    value = row.get(field)
    if not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return math.copysign(math.log1p(abs(value)), value)


def is_missing(branch: Branch, row: Row) -> bool:
    """Whether a listing has no data for a branch; every listing in the shards has an image."""
    match branch:
        case WordsBranch():
            return not join_texts(row, branch.fields)
        case NumbersBranch():
            return any(signed_log(row, field) is None for field in branch.fields)
        case ImageBranch():
            return False


def _read_numbers(branch: NumbersBranch, rows: Sequence[Row]) -> tuple[Tensor, Tensor]:
    sizes = [[signed_log(row, field) or 0.0 for field in branch.fields] for row in rows]
    return torch.tensor(sizes, dtype=torch.float32), torch.tensor([not is_missing(branch, row) for row in rows])
