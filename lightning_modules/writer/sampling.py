"""What a writer learns from: listings in two views, and content of some of their fields."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from lightning_modules.image.augmentation import augment, drawn_for
from lightning_modules.tokenization.vocabulary import UNKNOWN
from lightning_modules.training.data import Row, Sample
from lightning_modules.training.settings import AugmentationSettings
from lightning_modules.writer.content_fields import FIELDS
from lightning_modules.writer.content_tokens import ContentTokens
from lightning_modules.writer.corruption import Corruption
from lightning_modules.writer.samples import Box, Inputs, WriterInputs, WriterReader, inputs_of
from lightning_modules.writer.settings import SamplingSettings

Fields = Mapping[str, Any]
"""Content as :class:`ContentTokens` encodes it; what is not there is missing or empty."""
VALIDATION = -1
"""The epoch of which validation's lessons are drawn: the same each time."""


@dataclass  # not frozen: Lightning moves its tensors to the device
class Lessons:
    """Texts of similar length."""

    rows: Tensor
    """Which of the 2 B views they are of, int64 (L,)."""
    tokens: Tensor
    """From the start on, padded behind, int64 (L, T)."""
    judged: Tensor
    """Which of them a writer chooses, (L, T): not the start, the markers and the padding."""
    ends: Tensor
    """Which of them end a field, (L, T)."""
    wrong: Tensor
    """Which of the ends close a field with an error, (L, T); nothing else is learned from a lesson that has one."""


@dataclass
class WriterBatch:
    """B listings as a writer learns from them."""

    inputs: WriterInputs
    """The pixels of the listings; of everything else 2 B rows: all that is known, then the same without objects and, of
    some, without context or facts."""
    lessons: list[Lessons]
    """Of both views, shortest first."""
    text: Tensor
    """Tokens of the plainest text of each listing, padded, int64 (B, T)."""
    masked: Tensor
    """Those that the text tower must guess, (B, T)."""
    hidden: Tensor
    """The text with these left out, (B, T)."""
    quality: Tensor
    """Scores of the listings' content in [0, 1], NaN where there is none, (B,)."""

    def __len__(self) -> int:
        return len(self.text)


class WriterCollate:
    """Listings to lessons.

    Each listing is seen twice: with all that is known of it, and without its objects. In each view it is told in some
    of its fields only, since whole content is long; a field is written all the same, whichever came before it.

    Args:
        reader: of the inputs.
        tokens: of the content.
        fields_of: a row's content.
        quality_of: its score in [0, 1], or None.
        corruption: makes errors.
        ratios: SHA-256 of an original image -> its width / height.
        fit: how images were made square.
        settings: how lessons are drawn.
        augmentation: of training images.
        seed: of the drawing.
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
            raise ValueError(f"the tokenizer lacks {UNKNOWN}; learn it with the stage tokenizer")
        self.unknown = unknown

    def __call__(self, samples: Sequence[Sample], epoch: int | None) -> WriterBatch:
        lesson = VALIDATION if epoch is None else epoch
        draws = [drawn_for(f"{sample.key} lesson", lesson, self.seed) for sample in samples]
        inputs = [self._inputs(sample, epoch) for sample in samples]
        fields = [present(self.fields_of(sample.row)) for sample in samples]
        whole = self.reader(inputs)
        lessons = self._lessons([*fields, *fields], [*draws, *draws])
        text, masked = self._text(fields, draws)
        hidden = text.masked_fill(masked, self.unknown)
        scores = [self.quality_of(sample.row) for sample in samples]
        quality = torch.tensor([np.nan if score is None else score for score in scores], dtype=torch.float32)
        return WriterBatch(self._twice(whole, draws), lessons, text, masked, hidden, quality)

    def _inputs(self, sample: Sample, epoch: int | None) -> Inputs:
        inputs = inputs_of(sample, self.ratios.get(sample.row["image"], 1.0), self.fit)
        if epoch is None:
            return inputs
        image = augment(sample.image, "", self.augmentation, drawn_for(sample.key, epoch, self.seed))
        shift = self._move(sample.key, epoch, len(image))
        return replace(inputs, image=image, objects=[replace(one, box=shift(one.box)) for one in inputs.objects])

    def _move(self, key: str, epoch: int, side: int) -> Callable[[Box], Box]:
        """What :func:`augment`, whose first two draws these are, does to boxes."""
        across, down = drawn_for(key, epoch, self.seed).uniform(-1, 1, size=5)[:2]
        reach = self.augmentation.translate * side
        return lambda box: moved(box, round(across * reach) / side, round(down * reach) / side)

    def _twice(self, whole: WriterInputs, draws: Sequence[np.random.Generator]) -> WriterInputs:
        """Everything but the pixels once more without objects, and of some without context, without facts."""
        lost = torch.tensor(np.array([draw.random(2) for draw in draws]) < self.settings.context_dropout)  # (B, 2)
        context = whole.context.masked_fill(lost[:, :1, None], self.reader.pad)
        facts = whole.facts.masked_fill(lost[:, 1:], torch.nan)
        scene = whole.scene.with_emptied()
        return WriterInputs(whole.pixels, scene, torch.cat([whole.context, context]), torch.cat([whole.facts, facts]))

    def _lessons(self, fields: Sequence[Fields], draws: Sequence[np.random.Generator]) -> list[Lessons]:
        drawn = [self._drawn(known, draw) for known, draw in zip(fields, draws, strict=True)]
        order = sorted(range(len(drawn)), key=lambda row: len(drawn[row][0]))
        size = -(-len(order) // self.settings.length_buckets)
        return [self._bucket(order[start : start + size], drawn) for start in range(0, len(order), size)]

    def _drawn(self, known: Fields, draw: np.random.Generator) -> tuple[list[int], list[bool], list[bool]]:
        """One lesson: its tokens, which of them are judged, and which end a field that has an error."""
        chances = draw.random(len(FIELDS))
        shares: Mapping[str, float] = {str(name): share for name, share in self.settings.field_shares.items()}
        told = {
            field.name: known[field.name]
            for field, chance in zip(FIELDS, chances, strict=True)
            if field.name in known and chance < shares.get(field.name, 1.0)
        } or dict(list(known.items())[:1])
        error = draw.random() < self.settings.corruption_ratio
        spoilt = self._spoil(told, draw) if error else None
        lesson = self.tokens.encode(told if spoilt is None else told | {spoilt[0]: spoilt[1]})
        wrong = [False] * len(lesson.tokens)
        if spoilt is None:
            return lesson.tokens, lesson.judged, wrong
        marker = self.tokens.field[spoilt[0]]
        if marker in lesson.tokens:  # a text of spaces alone has none
            wrong[lesson.tokens.index(self.tokens.end, lesson.tokens.index(marker))] = True
        return lesson.tokens, lesson.judged, wrong

    def _spoil(self, told: Fields, draw: np.random.Generator) -> tuple[str, Any] | None:
        """A field that can be given an error, and the field with it."""
        for name in draw.permutation(sorted(told)):
            value = told[name]
            parts = (
                [value] if isinstance(value, str) else [part if isinstance(part, str) else part[1] for part in value]
            )
            for place in draw.permutation(len(parts)):
                spoilt = self.corruption(parts[place], draw)
                if spoilt is None:
                    continue
                if isinstance(value, str):
                    return str(name), spoilt
                part = spoilt if isinstance(value[place], str) else (value[place][0], spoilt)
                return str(name), [*value[:place], part, *value[place + 1 :]]
        return None

    def _bucket(self, rows: Sequence[int], drawn: Sequence[tuple[list[int], list[bool], list[bool]]]) -> Lessons:
        tokens, judged, wrong = (
            pad_sequence([torch.tensor(drawn[row][part]) for row in rows], batch_first=True, padding_value=filling)
            for part, filling in enumerate((self.tokens.pad, False, False))
        )
        return Lessons(torch.tensor(rows), tokens, judged, tokens == self.tokens.end, wrong)

    def _text(self, fields: Sequence[Fields], draws: Sequence[np.random.Generator]) -> tuple[Tensor, Tensor]:
        """The plainest text of each listing and the tokens of it that are hidden."""
        texts = [self.reader.tokens([spoken(known)])[: self.settings.max_text_tokens] for known in fields]
        hidden = [draw.random(len(text)) < self.settings.mask_ratio for text, draw in zip(texts, draws, strict=True)]
        tokens = pad_sequence([torch.tensor(text) for text in texts], batch_first=True, padding_value=self.reader.pad)
        return tokens, pad_sequence([torch.from_numpy(mask) for mask in hidden], batch_first=True)


def moved(box: Box, across: float, down: float) -> Box:
    """A box moved by shares of the side; what leaves the image is cut off."""
    x0, x1 = (min(max(x + across, 0.0), 1.0) for x in (box[0], box[2]))
    y0, y1 = (min(max(y + down, 0.0), 1.0) for y in (box[1], box[3]))
    return x0, y0, x1, y1


def present(fields: Fields) -> Fields:
    """The fields that say something, in the order in which they are written."""
    return {field.name: fields[field.name] for field in FIELDS if fields.get(field.name)}


def spoken(fields: Fields) -> str:
    """The first field as plain words."""
    first = next(iter(fields.values()))
    return first if isinstance(first, str) else " ".join(part if isinstance(part, str) else part[1] for part in first)
