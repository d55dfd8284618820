"""Sample training examples of the writer: listings in two views, with content of some of their fields."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from lightning_modules.image.augmentation import augment, sample_generator
from lightning_modules.tokenization.vocabulary import UNKNOWN
from lightning_modules.training.settings import AugmentationSettings
from lightning_modules.training.shards import Row, ShardSample
from lightning_modules.writer.content_fields import FIELDS, Block
from lightning_modules.writer.content_tokens import ContentTokens
from lightning_modules.writer.corruption import Corruption
from lightning_modules.writer.samples import Box, Inputs, WriterInputs, WriterReader, read_inputs
from lightning_modules.writer.settings import SamplingSettings

Fields = Mapping[str, Any]
"""Content as :class:`ContentTokens` encodes it; empty fields may be missing."""
VALIDATION_EPOCH = -1
"""Epoch in the seed of the validation examples, which are the same each time."""


@dataclass(frozen=True)
class TrainingExample:
    """Content of some fields as T tokens."""

    tokens: list[int]
    """Tokens with the start."""
    is_target: list[bool]
    """True for tokens with a generation loss."""
    has_error: list[bool]
    """True where a field with an inserted error ends."""


@dataclass  # not frozen: Lightning moves its tensors to the device
class TrainingExamples:
    """A bucket of L examples of similar length."""

    rows: Tensor
    """Index of each example's view among the 2 B views, int64 (L,)."""
    tokens: Tensor
    """Tokens with the start, right-padded, int64 (L, T)."""
    is_target: Tensor
    """True for tokens with a generation loss, (L, T): not for the start, markers and padding."""
    ends: Tensor
    """True where a field ends, (L, T)."""
    has_error: Tensor
    """True where a field with an inserted error ends, (L, T). Such an example has no other loss."""


@dataclass
class WriterBatch:
    """A training batch of B listings."""

    inputs: WriterInputs
    """Pixels of the B listings, and 2 B rows of everything else: first all inputs, then the inputs without objects and,
    for some listings, without context or facts."""
    examples: list[TrainingExamples]
    """Examples of both views, in buckets; shortest first."""
    text: Tensor
    """Tokens of the first field of each listing, padded, int64 (B, T)."""
    masked: Tensor
    """True for tokens that the text tower must predict, (B, T)."""
    hidden: Tensor
    """The text with the masked tokens replaced, (B, T)."""
    quality: Tensor
    """Quality scores of the listings' content in [0, 1], NaN where unknown, (B,)."""

    def __len__(self) -> int:
        return len(self.text)


class WriterCollate:
    """Makes a training batch of listings.

    Each listing occurs in two views: with all its inputs, and without its objects. The example of a view contains a
    random subset of the content's fields, since the whole content is long.

    Args:
        reader: reads the inputs.
        tokens: encodes the content.
        fields_of: returns a row's content.
        quality_of: returns a row's quality score in [0, 1], or None.
        corruption: inserts errors.
        ratios: SHA-256 of an original image to its width / height.
        fit: resize mode of the images.
        settings: settings of the sampling.
        augmentation: augmentation of training images.
        seed: random seed.
    """

    def __init__(
        self,
        reader: WriterReader,
        tokens: ContentTokens,
        fields_of: Callable[[Row], Fields],
        quality_of: Callable[[Row], float | None],
        corruption: Corruption,
        ratios: Mapping[str, float],
        fit: Any,
        settings: SamplingSettings,
        augmentation: AugmentationSettings,
        seed: int,
    ) -> None:
        self.reader, self.tokens, self.fields_of, self.quality_of = reader, tokens, fields_of, quality_of
        self.corruption, self.ratios, self.fit = corruption, ratios, fit
        self.settings, self.augmentation, self.seed = settings, augmentation, seed
        unknown = reader.tokenizer.token_to_id(UNKNOWN)
        if unknown is None:
            raise ValueError(f"the tokenizer lacks {UNKNOWN}; train it with the stage tokenizer")
        self.unknown = unknown

    def __call__(self, samples: Sequence[ShardSample], epoch: int | None) -> WriterBatch:
        number = VALIDATION_EPOCH if epoch is None else epoch
        # The suffix " lesson" is part of the random seed: another one would change the weights.
        generators = [sample_generator(f"{sample.key} lesson", number, self.seed) for sample in samples]
        inputs = [self._inputs(sample, epoch) for sample in samples]
        fields = [drop_empty(self.fields_of(sample.row)) for sample in samples]
        full_view = self.reader(inputs)
        examples = self._examples([*fields, *fields], [*generators, *generators])
        text, masked = self._text(fields, generators)
        hidden = text.masked_fill(masked, self.unknown)
        scores = [self.quality_of(sample.row) for sample in samples]
        quality = torch.tensor([np.nan if score is None else score for score in scores], dtype=torch.float32)
        return WriterBatch(self._add_second_view(full_view, generators), examples, text, masked, hidden, quality)

    def _inputs(self, sample: ShardSample, epoch: int | None) -> Inputs:
        inputs = read_inputs(sample, self.ratios.get(sample.row["image"], 1.0), self.fit)
        if epoch is None:
            return inputs
        image = augment(sample.image, "", self.augmentation, sample_generator(sample.key, epoch, self.seed))
        shift = self._box_shift(sample.key, epoch, len(image))
        return replace(inputs, image=image, objects=[replace(one, box=shift(one.box)) for one in inputs.objects])

    def _box_shift(self, key: str, epoch: int, side: int) -> Callable[[Box], Box]:
        """Shift boxes as :func:`augment` shifts the image: with the first two random numbers of the same generator."""
        across, down = sample_generator(key, epoch, self.seed).uniform(-1, 1, size=5)[:2]
        reach = self.augmentation.translate * side
        return lambda box: shift_box(box, round(across * reach) / side, round(down * reach) / side)

    def _add_second_view(self, full: WriterInputs, generators: Sequence[np.random.Generator]) -> WriterInputs:
        """Append the view without objects, in which some listings also lack context or facts."""
        numbers = np.array([generator.random(2) for generator in generators])
        dropped = torch.tensor(numbers < self.settings.context_dropout)  # (B, 2)
        context = full.context.masked_fill(dropped[:, :1, None], self.reader.pad)
        facts = full.facts.masked_fill(dropped[:, 1:], torch.nan)
        scene = full.scene.append_empty_copy()
        return WriterInputs(full.pixels, scene, torch.cat([full.context, context]), torch.cat([full.facts, facts]))

    def _examples(
        self, contents: Sequence[Fields], generators: Sequence[np.random.Generator]
    ) -> list[TrainingExamples]:
        examples = [self._example(fields, random) for fields, random in zip(contents, generators, strict=True)]
        order = sorted(range(len(examples)), key=lambda row: len(examples[row].tokens))
        size = -(-len(order) // self.settings.length_buckets)
        return [self._bucket(order[start : start + size], examples) for start in range(0, len(order), size)]

    def _example(self, fields: Fields, random: np.random.Generator) -> TrainingExample:
        """Some fields of a content, one of them with an error in some examples."""
        shares: Mapping[str, float] = {str(name): share for name, share in self.settings.field_shares.items()}
        kept: dict[str, Any] = {}
        for field, number in zip(FIELDS, random.random(len(FIELDS)), strict=True):
            if field.name in fields and number < shares.get(field.name, 1.0):
                kept[field.name] = fields[field.name]
        if not kept:
            kept = dict(list(fields.items())[:1])
        corrupted = self._corrupt(kept, random) if random.random() < self.settings.corruption_ratio else None
        if corrupted is not None:
            kept[corrupted[0]] = corrupted[1]
        encoded = self.tokens.encode(kept)
        has_error = [False] * len(encoded.tokens)
        if corrupted is not None:
            marker = self.tokens.field[corrupted[0]]
            if marker in encoded.tokens:  # a field of spaces alone is not encoded
                has_error[encoded.tokens.index(self.tokens.end, encoded.tokens.index(marker))] = True
        return TrainingExample(encoded.tokens, encoded.is_target, has_error)

    def _corrupt(self, fields: Fields, random: np.random.Generator) -> tuple[str, Any] | None:
        """The name of a random field and its value with an inserted error; None if no field contains a phrase."""
        for name in random.permutation(sorted(fields)):
            value = fields[name]
            parts = [value] if isinstance(value, str) else [_part_text(part) for part in value]
            for index in random.permutation(len(parts)):
                corrupted = self.corruption(parts[index], random)
                if corrupted is None:
                    continue
                if isinstance(value, str):
                    return str(name), corrupted
                part = corrupted if isinstance(value[index], str) else (value[index][0], corrupted)
                return str(name), [*value[:index], part, *value[index + 1 :]]
        return None

    def _bucket(self, rows: Sequence[int], examples: Sequence[TrainingExample]) -> TrainingExamples:
        chosen = [examples[row] for row in rows]
        tokens = _pad([example.tokens for example in chosen], self.tokens.pad)
        is_target = _pad([example.is_target for example in chosen], False)
        has_error = _pad([example.has_error for example in chosen], False)
        return TrainingExamples(torch.tensor(rows), tokens, is_target, tokens == self.tokens.end, has_error)

    def _text(self, contents: Sequence[Fields], generators: Sequence[np.random.Generator]) -> tuple[Tensor, Tensor]:
        """Tokens of the first field of each listing, (B, T), and the mask of the hidden ones, (B, T)."""
        texts = [self.reader.tokens([first_field_text(fields)])[: self.settings.max_text_tokens] for fields in contents]
        masks = [
            random.random(len(text)) < self.settings.mask_ratio for text, random in zip(texts, generators, strict=True)
        ]
        return _pad(texts, self.reader.pad), pad_sequence([torch.from_numpy(mask) for mask in masks], batch_first=True)


def shift_box(box: Box, across: float, down: float) -> Box:
    """A box shifted by shares of the side, clipped to the image."""
    x0, x1 = (min(max(x + across, 0.0), 1.0) for x in (box[0], box[2]))
    y0, y1 = (min(max(y + down, 0.0), 1.0) for y in (box[1], box[3]))
    return x0, y0, x1, y1


def drop_empty(fields: Fields) -> Fields:
    """The fields that are not empty, in the order of writing."""
    return {field.name: fields[field.name] for field in FIELDS if fields.get(field.name)}


def first_field_text(fields: Fields) -> str:
    """The first field as plain words."""
    first = next(iter(fields.values()))
    return first if isinstance(first, str) else " ".join(map(_part_text, first))


def _part_text(part: str | Block) -> str:
    """The text of a list's item or of a block."""
    return part if isinstance(part, str) else part[1]


def _pad(rows: Sequence[Sequence[int]], value: float) -> Tensor:
    return pad_sequence([torch.tensor(row) for row in rows], batch_first=True, padding_value=value)
