"""The grammar of content: which tokens may follow, so that all written content follows the published schema.

Content is a sequence of fields, each with its marker (forced), its text and the end. A text is valid UTF-8 without
forbidden characters. It may exceed its limit by one character, so that :meth:`ContentTokens.decode` knows whether its
last word is complete. Required texts, items and blocks contain a visible character within the limit. Every state has an
allowed token, and every content ends.
"""

from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from lightning_modules.writer.content_bytes import DEAD, FINISHED, ByteTable
from lightning_modules.writer.content_fields import FIELDS
from lightning_modules.writer.content_tokens import ContentTokens

NEVER = 2**15 - 1
"""A length above every limit, which forbids a token."""


@dataclass(frozen=True)
class GrammarState:
    """State of B unfinished contents."""

    field: Tensor
    """Index in FIELDS of the current or next field; the number of fields when all are written, (B,)."""
    inside: Tensor
    """Whether that field's marker is written, (B,)."""
    parts: Tensor
    """Number of items or blocks that the field has begun, (B,)."""
    characters: Tensor
    """Characters begun in the line, in the item or in all blocks together, (B,)."""
    visible: Tensor
    """Whether the current line, item or block contains a visible character, (B,)."""
    byte: Tensor
    """The state of the automaton over bytes, (B,)."""
    done: Tensor
    """Whether all fields are written, (B,)."""
    forced: Tensor
    """Whether only one token is allowed next, (B,)."""

    def select(self, rows: Tensor) -> "GrammarState":
        """The rows of these indices (M,), in this order."""
        return GrammarState(**{each.name: getattr(self, each.name)[rows] for each in fields(self)})


class ContentGrammar:
    """The allowed next tokens of a batch of contents.

    Args:
        tokens: the vocabulary, for which tables are built once.
        device: device of states and masks.
    """

    def __init__(self, tokens: ContentTokens, device: torch.device | str = "cpu") -> None:
        self.tokens = tokens
        table = ByteTable.of(tokens.bytes)
        self.following, self.visible = table.following.to(device), table.visible.to(device)
        self.begun = table.characters.to(device)
        # Characters within the limit that a token needs, by state and by whether the text has a visible character,
        # (S, 2, texts): one less than it writes if it has; else one more unless the token is visible, which reserves
        # room for a visible character.
        hidden = table.characters + (~table.hopeful).long()
        need = torch.stack([hidden, (table.characters - 1).expand_as(hidden)], dim=1)
        self.need = need.masked_fill(table.following[:, None] == DEAD, NEVER).to(torch.int16).to(device)
        self.limit = torch.tensor([*(field.limit for field in FIELDS), 0], device=device)
        self.most = torch.tensor([*(field.most for field in FIELDS), 0], device=device)
        self.required = torch.tensor([*(field.required for field in FIELDS), False], device=device)
        self.listed, self.blocks = (
            torch.tensor([*(field.kind == kind for field in FIELDS), False], device=device)
            for kind in ("list", "blocks")
        )
        self.marker = torch.tensor([*tokens.field.values(), tokens.pad], device=device)
        self.fields = len(FIELDS)  # the tables' last row is the state after the last field

    def begin(self, batch: int) -> GrammarState:
        """The state after the start."""
        zeros = torch.zeros(batch, dtype=torch.long, device=self.limit.device)
        no = torch.zeros(batch, dtype=torch.bool, device=self.limit.device)
        return GrammarState(zeros, no, zeros, zeros, no, zeros, done=no, forced=~no)

    def allowed(self, state: GrammarState) -> Tensor:
        """Mask of the allowed next tokens, (B, size): at least one; after the last field only padding."""
        mask = torch.zeros(len(state.field), self.tokens.size, dtype=torch.bool, device=self.limit.device)
        writes = state.inside & (~self.blocks[state.field] | (state.parts > 0))  # a block needs its marker first
        room = torch.where(writes, self.limit[state.field] - state.characters, -2).to(torch.int16)
        mask[:, : self.tokens.texts] = self.need[state.byte, state.visible.long()] <= room[:, None]
        ends, separates, opens = self._forms(state)
        mask[:, self.tokens.end] = ends
        mask[:, self.tokens.separator] = separates
        for token in self.tokens.block.values():
            mask[:, token] = opens
        return mask.scatter_(1, self.marker[state.field][:, None], ~state.inside[:, None])

    def advance(self, state: GrammarState, chosen: Tensor) -> GrammarState:
        """The state after the chosen tokens (B,), each of which must be allowed."""
        is_text = state.inside & (chosen < self.tokens.texts)
        text = torch.where(is_text, chosen, 0)
        ends = state.inside & (chosen == self.tokens.end)
        opens = state.inside & ~is_text & ~ends  # a separator or a block's marker
        marks = ~state.inside & ~state.done
        field = state.field + ends.long()
        fresh = ends | marks
        listed = self.listed[field]
        new = GrammarState(
            field=field,
            inside=(state.inside | marks) & ~ends,
            parts=torch.where(fresh, listed.long(), state.parts + opens.long()),
            characters=torch.where(fresh | (opens & listed), 0, state.characters + is_text * self.begun[text]),
            visible=~(fresh | opens) & (state.visible | (is_text & self.visible[state.byte, text])),
            byte=torch.where(is_text, self.following[state.byte, text], FINISHED),
            done=field == self.fields,
            forced=state.forced,
        )
        return replace(new, forced=self._forced(new))

    def _forms(self, state: GrammarState) -> tuple[Tensor, Tensor, Tensor]:
        """Whether the end, a separator or a block's marker is allowed next, (B,) each."""
        whole = state.inside & (state.byte == FINISHED)
        field = state.field
        shows = whole & state.visible
        more = state.parts < self.most[field]
        nothing = (state.characters == 0) & (state.parts == self.listed[field].long())
        ends = shows | (state.inside & nothing & ~self.required[field])
        separates = shows & self.listed[field] & more
        room = state.characters < self.limit[field]
        opens = whole & self.blocks[field] & more & room & (state.visible | (state.parts == 0))
        return ends, separates, opens

    def _forced(self, state: GrammarState) -> Tensor:
        """Whether only one token is allowed next: a marker, padding, or the end of a full text."""
        _, separates, opens = self._forms(state)
        full = (state.characters > self.limit[state.field]) & (state.byte == FINISHED) & ~separates & ~opens
        return ~state.inside | full
