"""Transitions between tokens in a text: an automaton over UTF-8 bytes, tabulated for a vocabulary's tokens."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lightning_modules.writer.content_fields import FORBIDDEN, INVISIBLE

Ints = NDArray[np.int64]
DEAD = -1
FINISHED = 0
"""The state between two characters; all other states are within a character."""
_FORBIDDEN, _INVISIBLE, _VISIBLE = 0, 1, 2


@dataclass(frozen=True)
class ByteTable:
    """Transitions of S states by T tokens."""

    following: Tensor
    """The state after the token, :data:`DEAD` where the token is not allowed, (S, T)."""
    visible: Tensor
    """Whether the token completes a visible character, (S, T)."""
    hopeful: Tensor
    """Whether the token completes a visible character or ends within a possibly visible one, (S, T)."""
    characters: Tensor
    """Number of characters that the token begins, (T,)."""

    @classmethod
    def of(cls, tokens: Sequence[bytes]) -> "ByteTable":
        """Tabulate tokens by their bytes. A token without bytes is not allowed anywhere."""
        step, shows = build_automaton()
        may_show = _may_show(step, shows)
        state = np.repeat(np.arange(len(step))[:, None], len(tokens), axis=1)  # (S, T)
        visible = np.zeros(state.shape, dtype=np.bool_)
        for position in range(max(map(len, tokens), default=0)):
            longer = np.array([len(token) > position for token in tokens])
            byte = np.array([token[position] if len(token) > position else 0 for token in tokens])[longer]
            before = state[:, longer]
            visible[:, longer] |= shows[before, byte] & (before != DEAD)
            state[:, longer] = np.where(before == DEAD, DEAD, step[before, byte])
        state[:, [not token for token in tokens]] = DEAD
        hopeful = visible | may_show[state]
        begun = [sum(byte & 0xC0 != 0x80 for byte in token) for token in tokens]
        return cls(
            *map(torch.from_numpy, (state, visible & (state != DEAD), hopeful & (state != DEAD), np.array(begun)))
        )


def build_automaton() -> tuple[Ints, NDArray[np.bool_]]:
    """Build the minimal automaton of UTF-8 (RFC 3629) without the characters that :mod:`content_fields` forbids.

    Returns:
        The next state by state and byte, (S, 256), and whether the byte completes a visible character, (S, 256).
    """
    kinds = np.full((0x110000 // 64, 64), _VISIBLE)
    for ranges, kind in ((INVISIBLE, _INVISIBLE), (FORBIDDEN, _FORBIDDEN)):
        for start, end in ranges:
            kinds.reshape(-1)[start : end + 1] = kind
    step = [np.full(256, DEAD)]
    shows = [np.zeros(256, dtype=np.bool_)]
    step[0][:128] = np.where(kinds[:2].reshape(-1) > _FORBIDDEN, FINISHED, DEAD)
    shows[0][:128] = kinds[:2].reshape(-1) == _VISIBLE

    def add_states(following: Ints, visible: NDArray[np.bool_]) -> Ints:
        """Add one state for each distinct row of transitions by the 64 continuation bytes."""
        rows, row_index = np.unique(following * 2 + visible, axis=0, return_inverse=True)
        numbers = []
        for row in rows:
            numbers.append(len(step) if (row >> 1 != DEAD).any() else DEAD)
            if numbers[-1] != DEAD:
                step.append(np.concatenate([np.full(128, DEAD), row >> 1, np.full(64, DEAD)]))
                shows.append(
                    np.concatenate(
                        [np.zeros(128, dtype=np.bool_), (row & 1).astype(np.bool_), np.zeros(64, dtype=np.bool_)]
                    )
                )
        return np.array(numbers)[row_index.reshape(-1)]

    last = add_states(np.where(kinds > _FORBIDDEN, FINISHED, DEAD), kinds == _VISIBLE)  # by code point // 64
    step[0][0xC2:0xE0] = last[2:32]
    shorter = last.copy()
    shorter[:32] = DEAD  # overlong: a shorter form exists
    none = np.zeros((len(last) // 64, 64), dtype=np.bool_)
    middle = add_states(shorter.reshape(-1, 64), none)  # by code point // 4096
    step[0][0xE0:0xF0] = middle[:16]
    planes = np.full(5 * 64, DEAD)
    planes[16 : len(middle)] = middle[16:]
    step[0][0xF0:0xF5] = add_states(planes.reshape(-1, 64), none[:5])
    return np.stack(step), np.stack(shows)


def _may_show(step: Ints, shows: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """For each state whether its unfinished character may be visible, (S + 1,); the last entry is DEAD's."""
    may = np.zeros(len(step) + 1, dtype=np.bool_)
    for _ in range(3):  # at most three continuation bytes follow
        may[1:-1] = (shows | (may[step] & (step != FINISHED)))[1:].any(axis=1)
    return may
