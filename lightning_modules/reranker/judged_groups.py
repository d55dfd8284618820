"""Groups of guides around a question: those that answer it and others that only look so, drawn anew each epoch."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from lightning import Callback, LightningDataModule, LightningModule, Trainer
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torchmetrics.functional.retrieval import retrieval_normalized_dcg

from lightning_modules.training.settings import GroupSettings

Encode = Callable[[Sequence[str], Sequence[str]], dict[str, Tensor]]
"""Questions and texts, pair by pair -> what a cross-encoder reads, each (P, T)."""


@dataclass(frozen=True)
class Lesson:
    """A question and what is known about the guides, which are known by their places.

    Attributes:
        gains: of the relevant ones, 2 ** relevance - 1; at least one.
        hard: ones that rankings put first though nobody judged them relevant, hardest first.
    """

    question: str
    gains: Mapping[int, float]
    hard: Sequence[int]


@dataclass  # not frozen: Lightning moves its tensors to the device
class Groups:
    """The pairs of several questions, one group after the other."""

    tokens: dict[str, Tensor]
    """What a cross-encoder reads, each (P, T)."""
    gains: Tensor
    """Of the pairs' guides, float32, (P,); 0 where one is not relevant."""
    sizes: list[int]
    """Pairs of each group."""

    def __len__(self) -> int:
        return len(self.sizes)


def listwise_loss(logits: Tensor, gains: Tensor, sizes: Sequence[int]) -> Tensor:
    """Cross-entropy of each group's shares of the gain and the softmax of its logits, the mean over groups, scalar.

    Source: Cao et al., "Learning to Rank: From Pairwise Approach to Listwise Approach", ICML 2007 (ListNet).

    Args:
        logits: (P,).
        gains: (P,); some are above 0 in each group.
        sizes: of the groups, which add up to P.
    """
    pairs = zip(logits.float().split(list(sizes)), gains.split(list(sizes)), strict=True)
    losses = [-(gain / gain.sum() * logit.log_softmax(0)).sum() for logit, gain in pairs]
    return torch.stack(losses).mean()


def drawn_group(lesson: Lesson, guides: int, settings: GroupSettings, draw: random.Random) -> list[int]:
    """One group: the most relevant guide, some of the others, some hard negatives and some that nobody looked at.

    Args:
        lesson: whose question it is.
        guides: how many there are.
        settings: how many of each, as far as there are so many.
        draw: where chance comes from.
    """
    relevant = draw.sample(sorted(lesson.gains), len(lesson.gains))
    relevant.sort(key=lambda place: -lesson.gains[place])  # stable: which of the best comes first is chance
    best, others = relevant[:1], draw.sample(relevant[1:], min(settings.relevant, len(relevant)) - 1)
    hard = draw.sample(lesson.hard, min(settings.hard_negatives, len(lesson.hard)))
    rest = sorted(set(range(guides)) - set(lesson.gains) - set(hard))
    return [*best, *others, *hard, *draw.sample(rest, min(settings.random_negatives, len(rest)))]


class GroupBatches(Dataset):
    """Batches of groups.

    Args:
        lessons: with the guides of their groups, in their order.
        guides: what each says.
        encode: of the cross-encoder.
        batch_size: questions to a batch.
    """

    def __init__(
        self, lessons: Sequence[tuple[Lesson, Sequence[int]]], guides: Sequence[str], encode: Encode, batch_size: int
    ) -> None:
        self.lessons, self.guides, self.encode, self.batch_size = lessons, guides, encode, batch_size

    def __len__(self) -> int:
        return -(-len(self.lessons) // self.batch_size)

    def __getitem__(self, number: int) -> Groups:
        if number >= len(self):
            raise IndexError(number)
        some = self.lessons[number * self.batch_size : (number + 1) * self.batch_size]
        pairs = [(lesson, place) for lesson, group in some for place in group]
        return Groups(
            self.encode([lesson.question for lesson, _ in pairs], [self.guides[place] for _, place in pairs]),
            torch.tensor([lesson.gains.get(place, 0.0) for lesson, place in pairs]),
            [len(group) for _, group in some],
        )


class GroupData(LightningDataModule):
    """Train and validation batches for Lightning.

    Validation groups are the same each time: every relevant guide and every hard negative of a question.

    Args:
        training: lessons to learn from.
        validation: lessons that steer the training.
        guides: what each says.
        encode: of the cross-encoder.
        settings: of the groups that are drawn.
        seed: of the drawing and of the order.
    """

    def __init__(
        self,
        training: Sequence[Lesson],
        validation: Sequence[Lesson],
        guides: Sequence[str],
        encode: Encode,
        settings: GroupSettings,
        seed: int,
    ) -> None:
        super().__init__()
        self.training, self.validation, self.guides = training, validation, guides
        self.encode, self.settings, self.seed = encode, settings, seed

    def train_dataloader(self) -> DataLoader:
        epoch = self.trainer.current_epoch if self.trainer else 0
        draw = random.Random(f"{self.seed} {epoch}")
        order = draw.sample(self.training, len(self.training))
        return self._loader([(one, drawn_group(one, len(self.guides), self.settings, draw)) for one in order])

    def val_dataloader(self) -> DataLoader:
        return self._loader([(one, [*sorted(one.gains), *one.hard]) for one in self.validation])

    def _loader(self, lessons: Sequence[tuple[Lesson, Sequence[int]]]) -> DataLoader:
        batches = GroupBatches(lessons, self.guides, self.encode, self.settings.batch_size)
        rank, ranks = (self.trainer.global_rank, self.trainer.world_size) if self.trainer else (0, 1)
        share = len(batches) // ranks  # equal for all: a process with one more would wait for ever
        return DataLoader(batches, batch_size=None, sampler=range(rank, share * ranks, ranks))


class RankingProgress(Callback):
    """Logs after each epoch the NDCG@10 of the validation groups: relevant guides among hard negatives."""

    def __init__(self) -> None:
        self._values: list[Tensor] = []

    def on_validation_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Groups,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        groups = zip(outputs["logits"].split(batch.sizes), batch.gains.split(batch.sizes), strict=True)
        self._values += [retrieval_normalized_dcg(logits.float(), gains, top_k=10) for logits, gains in groups]

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        pl_module.log("validation_ndcg_at_10", torch.stack(self._values).mean(), sync_dist=True)
        self._values = []
