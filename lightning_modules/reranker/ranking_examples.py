"""Groups of relevant guides and negatives for each query, sampled again in every epoch."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils.data import Dataset

from lightning_modules.training.settings import GroupSettings

Encode = Callable[[Sequence[str], Sequence[str]], dict[str, Tensor]]
"""Queries and texts, pair by pair -> input tensors of a cross-encoder, each (P, T)."""


@dataclass(frozen=True)
class RankingExample:
    """A query with its relevant guides and hard negatives. A guide is identified by its index.

    Attributes:
        query: the text.
        gains: relevant guide -> 2 ** relevance - 1; at least one.
        hard_negatives: guides that rankings put first without being judged relevant, hardest first.
    """

    query: str
    gains: Mapping[int, float]
    hard_negatives: Sequence[int]


@dataclass  # not frozen: Lightning moves its tensors to the device
class GroupBatch:
    """The pairs of several queries, group after group."""

    tokens: dict[str, Tensor]
    """Input of a cross-encoder, each (P, T)."""
    gains: Tensor
    """Gain of the guide of each pair, float32, (P,); 0 if it is not relevant."""
    sizes: list[int]
    """Number of pairs in each group."""

    def __len__(self) -> int:
        return len(self.sizes)


def listwise_loss(logits: Tensor, gains: Tensor, sizes: Sequence[int]) -> Tensor:
    """Mean over the groups of the cross-entropy between their normalised gains and the softmax of their logits, scalar.

    Source: Cao et al., "Learning to Rank: From Pairwise Approach to Listwise Approach", ICML 2007 (ListNet).

    Args:
        logits: (P,).
        gains: (P,); at least one is above 0 in each group.
        sizes: of the groups; their sum is P.
    """
    pairs = zip(logits.float().split(list(sizes)), gains.split(list(sizes)), strict=True)
    losses = [-(gain / gain.sum() * logit.log_softmax(0)).sum() for logit, gain in pairs]
    return torch.stack(losses).mean()


def sample_group(example: RankingExample, num_guides: int, settings: GroupSettings, draw: random.Random) -> list[int]:
    """Sample one group: the most relevant guide, other relevant ones, hard negatives and random negatives.

    Args:
        example: the query.
        num_guides: number of all guides.
        settings: maximum number of guides of each kind.
        draw: random number generator.
    """
    relevant = draw.sample(sorted(example.gains), len(example.gains))
    relevant.sort(key=lambda guide: -example.gains[guide])  # stable, so the first of equally relevant guides is random
    best, others = relevant[:1], draw.sample(relevant[1:], min(settings.relevant, len(relevant)) - 1)
    hard = draw.sample(example.hard_negatives, min(settings.hard_negatives, len(example.hard_negatives)))
    rest = sorted(set(range(num_guides)) - set(example.gains) - set(hard))
    return [*best, *others, *hard, *draw.sample(rest, min(settings.random_negatives, len(rest)))]


class GroupBatches(Dataset):
    """Batches of groups.

    Args:
        groups: examples with the guides of their groups, in order.
        guides: texts of all guides.
        encode: computes the input of the cross-encoder.
        batch_size: queries in a batch.
    """

    def __init__(
        self,
        groups: Sequence[tuple[RankingExample, Sequence[int]]],
        guides: Sequence[str],
        encode: Encode,
        batch_size: int,
    ) -> None:
        self.groups, self.guides, self.encode, self.batch_size = groups, guides, encode, batch_size

    def __len__(self) -> int:
        return -(-len(self.groups) // self.batch_size)

    def __getitem__(self, number: int) -> GroupBatch:
        if number >= len(self):
            raise IndexError(number)
        groups = self.groups[number * self.batch_size : (number + 1) * self.batch_size]
        pairs = [(example, guide) for example, group in groups for guide in group]
        return GroupBatch(
            self.encode([example.query for example, _ in pairs], [self.guides[guide] for _, guide in pairs]),
            torch.tensor([example.gains.get(guide, 0.0) for example, guide in pairs]),
            [len(group) for _, group in groups],
        )
