"""Sequences of different lengths packed into blocks of one size, so that little is computed on padding.

A sequence sees only itself: its positions begin at 0, and the attention mask is block-diagonal.
Source: Krell et al. 2021, Efficient Sequence Packing without Cross-contamination.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from lightning import LightningDataModule
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

IGNORED = -100
"""Label of a token that is not learned."""
OPEN = 64
"""Blocks that wait for something that fits into their rest."""


class Piece(NamedTuple):
    """One sequence of tokens, and what is to be learned of it."""

    ids: list[int]
    labels: list[int]
    """As ``ids``, or ``IGNORED``, token by token; the first one is never learned, for nothing stands before it."""


@dataclass  # not frozen: Lightning moves its tensors to the device
class Blocks:
    """B blocks of T tokens, all int64, (B, T)."""

    tokens: Tensor
    labels: Tensor
    """``IGNORED`` where nothing is learned: prompts, padding, each sequence's first token."""
    positions: Tensor
    """Of a token within its sequence."""
    sequences: Tensor
    """Which sequence of the block a token belongs to, from 1 on; 0 is padding."""

    def __len__(self) -> int:
        """Tokens that are learned: losses are means over them, and so are averages of losses that this weighs."""
        return int((self.labels != IGNORED).sum())

    def mask(self) -> Tensor:
        """Which token (third axis) sees which (fourth), bool (B, 1, T, T): those before it in its own sequence."""
        same = self.sequences[:, None, :, None] == self.sequences[:, None, None, :]
        steps = torch.arange(self.tokens.shape[1], device=self.tokens.device)
        return same & (steps[:, None] >= steps)


def pack_sequences(lengths: Sequence[int], size: int) -> list[list[int]]:
    """Which sequences share a block: each goes into the first open block that has room for it.

    Args:
        lengths: of the sequences, in the order in which they are packed.
        size: of a block, tokens.

    Raises:
        ValueError: a sequence is longer than a block.
    """
    blocks: list[list[int]] = []
    room: dict[int, int] = {}  # of the open blocks, by number
    for place, length in enumerate(lengths):
        if length > size:
            raise ValueError(f"a sequence of {length} tokens does not fit into a block of {size}")
        number = next((number for number, left in room.items() if left >= length), len(blocks))
        if number == len(blocks):
            blocks.append([])
            room[number] = size
            if len(room) > OPEN:
                del room[min(room, key=lambda one: room[one])]
        blocks[number].append(place)
        if number in room:
            room[number] -= length
    return blocks


def collate_blocks(blocks: Sequence[Sequence[Piece]], pad_token: int) -> Blocks:
    """Blocks as tensors, as long as the fullest of them."""
    longest = max(sum(len(piece.ids) for piece in block) for block in blocks)
    tokens = torch.full((len(blocks), longest), pad_token)
    labels = torch.full((len(blocks), longest), IGNORED)
    positions, sequences = torch.zeros_like(tokens), torch.zeros_like(tokens)
    for row, block in enumerate(blocks):
        start = 0
        for number, piece in enumerate(block, 1):
            part = slice(start, start + len(piece.ids))
            tokens[row, part] = torch.tensor(piece.ids)
            labels[row, part] = torch.tensor([IGNORED, *piece.labels[1:]])
            positions[row, part] = torch.arange(len(piece.ids))
            sequences[row, part] = number
            start = part.stop
    return Blocks(tokens, labels, positions, sequences)


class BlockBatches(Dataset):
    """Batches of packed sequences.

    Args:
        pieces: the sequences, in the order in which they are packed.
        size: of a block, tokens.
        batch_size: blocks to a batch.
        pad_token: fills blocks up.
    """

    def __init__(self, pieces: Sequence[Piece], size: int, batch_size: int, pad_token: int) -> None:
        self.pieces, self.batch_size, self.pad_token = pieces, batch_size, pad_token
        self.blocks = pack_sequences([len(piece.ids) for piece in pieces], size)

    def __len__(self) -> int:
        return -(-len(self.blocks) // self.batch_size)

    def __getitem__(self, number: int) -> Blocks:
        if number >= len(self):
            raise IndexError(number)
        some = self.blocks[number * self.batch_size : (number + 1) * self.batch_size]
        return collate_blocks([[self.pieces[place] for place in block] for block in some], self.pad_token)


class PackedData(LightningDataModule):
    """Train and validation batches for Lightning.

    Args:
        draw: the train sequences of an epoch, from 0 on.
        validation: the same each time.
        size: of a block, tokens.
        batch_size: blocks to a batch, on each device.
        pad_token: fills blocks up.
        seed: of the order in each epoch.
    """

    def __init__(
        self,
        draw: Callable[[int], Sequence[Piece]],
        validation: Sequence[Piece],
        size: int,
        batch_size: int,
        pad_token: int,
        seed: int,
    ) -> None:
        super().__init__()
        self.draw, self.validation, self.seed = draw, validation, seed
        self.size, self.batch_size, self.pad_token = size, batch_size, pad_token

    def train_dataloader(self) -> DataLoader:
        epoch = self.trainer.current_epoch if self.trainer else 0
        pieces = list(self.draw(epoch))
        random.Random(f"{self.seed} {epoch}").shuffle(pieces)
        return self._loader(pieces)

    def val_dataloader(self) -> DataLoader:
        return self._loader(self.validation)

    def _loader(self, pieces: Sequence[Piece]) -> DataLoader:
        batches = BlockBatches(pieces, self.size, self.batch_size, self.pad_token)
        rank, ranks = (self.trainer.global_rank, self.trainer.world_size) if self.trainer else (0, 1)
        share = len(batches) // ranks  # equal for all: a process with one more would wait for ever
        mine = range(rank, share * ranks, ranks)
        return DataLoader(batches, batch_size=None, sampler=mine)
