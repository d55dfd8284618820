"""Whether an answer names the steps of a reference answer: a rule that needs no model.

The steps of an answer are its numbered items (``1. … 2. …``), or its sentences where nothing is numbered. Another text
names a step if it contains the stems of the step in a row: case, punctuation, stop words and endings do not matter, but
a paraphrase is not recognised. An answer is correct if it names *every* step of the reference.
"""

import re
from collections.abc import Sequence

from heddle.retrieval.lexical.bm25 import tokenise
from lightning_modules.assistant.copying import split_sentences

NUMBERED = re.compile(r"(?:^|\s)\d+[.)]\s+(.+?)(?=\s+\d+[.)]\s|$)", re.DOTALL)


def steps(answer: str) -> list[str]:
    """The steps of an answer; steps without words are skipped."""
    found = NUMBERED.findall(answer) or split_sentences(answer)
    return [step.strip() for step, stems in zip(found, tokenise(found), strict=True) if stems] if found else []


def named(answer: str, wanted: Sequence[str]) -> list[bool]:
    """Which of the wanted steps an answer names."""
    if not wanted:
        return []
    stems, *steps_stems = tokenise([answer, *wanted])
    return [_contains(step, stems) for step in steps_stems]


def _contains(some: Sequence[str], whole: Sequence[str]) -> bool:
    return any(list(whole[start : start + len(some)]) == list(some) for start in range(len(whole) - len(some) + 1))
