"""Whether an answer names the right steps: a rule that needs nothing but the catalogue's own answers.

The steps of an answer are its numbered items (``1. … 2. …``), or its sentences where nothing is numbered. A step is
named in another text where all its stems stand in a row there: case, punctuation, stop words and endings do not matter,
but other words do, so a paraphrase is not recognised. An answer is right if it names *every* step of the reference; the
last step alone, which in a disposal says where the thing goes, would be a laxer rule.
"""

import re
from collections.abc import Sequence

from heddle.retrieval.lexical.bm25 import tokenise
from lightning_modules.assistant.copying import split_sentences

NUMBERED = re.compile(r"(?:^|\s)\d+[.)]\s+(.+?)(?=\s+\d+[.)]\s|$)", re.DOTALL)


def steps(answer: str) -> list[str]:
    """The steps that an answer consists of; those without words are left out."""
    found = NUMBERED.findall(answer) or split_sentences(answer)
    return [step.strip() for step, stems in zip(found, tokenise(found), strict=True) if stems] if found else []


def named(said: str, wanted: Sequence[str]) -> list[bool]:
    """Which of the wanted steps a text names."""
    if not wanted:
        return []
    stems, *steps_stems = tokenise([said, *wanted])
    return [_stands_in(step, stems) for step in steps_stems]


def _stands_in(some: Sequence[str], whole: Sequence[str]) -> bool:
    return any(list(whole[start : start + len(some)]) == list(some) for start in range(len(whole) - len(some) + 1))
