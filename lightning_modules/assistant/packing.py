"""Sequence packing: sequences of different lengths share blocks of one size, so that few tokens are padding.

A sequence attends only to itself: its positions start at 0, and the attention mask is block-diagonal.
Source: Krell et al. 2021, Efficient Sequence Packing without Cross-contamination.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.utils.data import Dataset

IGNORED = -100
"""Label of a token without loss."""
MAX_OPEN_BLOCKS = 64
"""Number of incomplete blocks that are kept open for further sequences."""


class Piece(NamedTuple):
    """One sequence of tokens with labels."""

    ids: list[int]
    labels: list[int]
    """Per token its id or ``IGNORED``; the first label is never used, because no token precedes it."""


@dataclass  # not frozen: Lightning moves its tensors to the device
class Blocks:
    """B blocks of T tokens, all int64, (B, T)."""

    tokens: Tensor
    labels: Tensor
    """``IGNORED`` for tokens without loss: prompts, padding and the first token of each sequence."""
    positions: Tensor
    """Position of a token within its sequence."""
    sequences: Tensor
    """Number of the token's sequence in its block, from 1; 0 is padding."""

    def __len__(self) -> int:
        """Number of labels: losses are means over labels, so averages over batches are weighted by this number."""
        return int((self.labels != IGNORED).sum())

    def mask(self) -> Tensor:
        """Causal, block-diagonal attention mask, bool (B, 1, T, T): query on the third axis, key on the fourth."""
        same = self.sequences[:, None, :, None] == self.sequences[:, None, None, :]
        steps = torch.arange(self.tokens.shape[1], device=self.tokens.device)
        return same & (steps[:, None] >= steps)


def pack_sequences(lengths: Sequence[int], size: int) -> list[list[int]]:
    """Assign sequences to blocks: each goes into the first open block with enough room.

    Args:
        lengths: of the sequences in tokens, in packing order.
        size: tokens per block.

    Returns:
        Indices of the sequences in each block.

    Raises:
        ValueError: a sequence is longer than a block.
    """
    blocks: list[list[int]] = []
    room: dict[int, int] = {}  # of the open blocks, by number
    for index, length in enumerate(lengths):
        if length > size:
            raise ValueError(f"sequence {index} has {length} tokens, a block has {size}; raise the block size")
        number = next((number for number, left in room.items() if left >= length), len(blocks))
        if number == len(blocks):
            blocks.append([])
            room[number] = size
            if len(room) > MAX_OPEN_BLOCKS:
                del room[min(room, key=lambda one: room[one])]
        blocks[number].append(index)
        if number in room:
            room[number] -= length
    return blocks


def collate_blocks(blocks: Sequence[Sequence[Piece]], pad_token: int) -> Blocks:
    """Pad blocks to the longest of them and stack them to tensors."""
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
        pieces: the sequences, in packing order.
        size: tokens per block.
        batch_size: blocks per batch.
        pad_token: id of the padding token.
    """

    def __init__(self, pieces: Sequence[Piece], size: int, batch_size: int, pad_token: int) -> None:
        self.pieces, self.batch_size, self.pad_token = pieces, batch_size, pad_token
        self.blocks = pack_sequences([len(piece.ids) for piece in pieces], size)

    def __len__(self) -> int:
        return -(-len(self.blocks) // self.batch_size)

    def __getitem__(self, number: int) -> Blocks:
        if number >= len(self):
            raise IndexError(number)
        blocks = self.blocks[number * self.batch_size : (number + 1) * self.batch_size]
        return collate_blocks([[self.pieces[index] for index in block] for block in blocks], self.pad_token)
