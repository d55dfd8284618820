"""Training examples for copying from the context.

Small language models learn late to copy from their context (Olsson et al. 2022, In-context Learning and Induction
Heads). Copy tasks, random tokens that occur twice, teach copying early. Counterfactual guides, in which sentences are
swapped in guide and answer alike, teach the model to answer from the guide instead of from memory (Longpre et al. 2021,
Entity-Based Knowledge Conflicts in Question Answering).
"""

import random
import re
from collections.abc import Sequence

from transformers import PreTrainedTokenizerBase

from lightning_modules.assistant.packing import IGNORED, Piece

SENTENCE_END = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])")  # noqa: RUF001 - the full-width marks are meant
MIN_CHARACTERS = 8
"""Length of the shortest sentence; excludes list markers such as ``1.``."""


def split_sentences(text: str) -> list[str]:
    """Split a text into its sentences, without very short ones."""
    return [part.strip() for part in SENTENCE_END.split(text) if len(part.strip()) >= MIN_CHARACTERS]


def make_copy_task(tokenizer: PreTrainedTokenizerBase, max_length: int, generator: random.Random) -> Piece:
    """Sample distinct tokens and repeat them; only the repetition has labels.

    Args:
        tokenizer: its special tokens are never sampled.
        max_length: maximum number of sampled tokens, at least 2.
        generator: source of the samples.
    """
    special = set(tokenizer.all_special_ids)
    plain = [token for token in range(len(tokenizer)) if token not in special]
    sampled = generator.sample(plain, generator.randint(2, min(max_length, len(plain))))
    first = [tokenizer.bos_token_id, *sampled, tokenizer.eos_token_id]
    second = [*sampled, tokenizer.eos_token_id]
    return Piece([*first, *second], [*[IGNORED] * len(first), *second])


def swap_sentences(
    sources: Sequence[str], answers: Sequence[str], candidates: Sequence[str], generator: random.Random
) -> tuple[list[str], list[str]]:
    """Replace every sentence of the answers that occurs in a source by a random candidate, in sources and answers.

    Returns:
        The new sources and the new answers.
    """
    new_sources, new_answers = list(sources), list(answers)
    for sentence in dict.fromkeys(sentence for answer in answers for sentence in split_sentences(answer)):
        if any(sentence in source for source in sources):
            replacement = generator.choice(candidates)
            new_sources = [source.replace(sentence, replacement) for source in new_sources]
            new_answers = [answer.replace(sentence, replacement) for answer in new_answers]
    return new_sources, new_answers
