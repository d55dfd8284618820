"""Lessons in copying: a model learns to say again what stands before it rather than what it knows by heart.

A small language model that only reads finds out late that words come back (Olsson et al. 2022, In-context Learning and
Induction Heads). Texts that are said twice and contain nothing that could be guessed show it early; guides whose
sentences were swapped, in the guide and in the answer alike, show it that the answer stands in the guide
(Longpre et al. 2021, Entity-Based Knowledge Conflicts in Question Answering).
"""

import random
import re
from collections.abc import Sequence

from transformers import PreTrainedTokenizerBase

from lightning_modules.assistant.packing import IGNORED, Piece

SENTENCE_END = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])")  # noqa: RUF001 - the full-width marks are meant
LEAST = 8
"""Characters of a sentence that is worth copying: ``1.`` is none."""


def split_sentences(text: str) -> list[str]:
    """The sentences of a text that are long enough to tell something, in their order."""
    return [part.strip() for part in SENTENCE_END.split(text) if len(part.strip()) >= LEAST]


def make_copy_task(tokenizer: PreTrainedTokenizerBase, longest: int, draw: random.Random) -> Piece:
    """Different tokens drawn at random, and the same ones once more, of which only the second time is to be learned.

    Args:
        tokenizer: none of its special tokens is drawn.
        longest: how many tokens are drawn at most, at least 2.
        draw: where they come from.
    """
    special = set(tokenizer.all_special_ids)
    plain = [token for token in range(len(tokenizer)) if token not in special]
    drawn = draw.sample(plain, draw.randint(2, min(longest, len(plain))))
    first = [tokenizer.bos_token_id, *drawn, tokenizer.eos_token_id]
    second = [*drawn, tokenizer.eos_token_id]
    return Piece([*first, *second], [*[IGNORED] * len(first), *second])


def swap_sentences(
    sources: Sequence[str], answers: Sequence[str], pool: Sequence[str], draw: random.Random
) -> tuple[list[str], list[str]]:
    """Every sentence of the answers that stands in one of the sources is another one from ``pool``, in all of them."""
    changed, said = list(sources), list(answers)
    for sentence in dict.fromkeys(sentence for answer in answers for sentence in split_sentences(answer)):
        if any(sentence in source for source in sources):
            other = draw.choice(pool)
            changed = [source.replace(sentence, other) for source in changed]
            said = [answer.replace(sentence, other) for answer in said]
    return changed, said
