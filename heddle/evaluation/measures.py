"""The numbers of an evaluation, with what they mean: chance, ceiling, interval.

Beside a number `x` an evaluation may report `x_chance`, `x_ceiling`, `x_low` and `x_high` (a 95 % interval).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

BESIDE = ("_chance", "_ceiling", "_low", "_high")
TRIALS = (  # numbers of one kind that were measured in several ways
    r"(?P<seen>without_.+?|.+_alone)_(?P<number>accuracy|(macro_|weighted_)?f1)",
    r"(?P<seen>with(out)?_(guides|source))_(?P<number>.+)",
    r"(?P<seen>image_alone|without_graph|nearest|template|seller)_(?P<number>.+)",
    r"(?P<seen>(dense|sparse|rrf|weighted)(_expanded|_reranked)*)_(?P<number>(ndcg|map|mrr|recall|precision).*)",
)
SPOKEN = {
    "clip score": "CLIPScore",
    "mrr": "MRR",
    "f1": "F1",
    "ndcg": "NDCG",
    "auc": "AUC",
    "map": "MAP",
    "bleu": "BLEU",
    "rouge1": "ROUGE-1",
    "rouge2": "ROUGE-2",
    "rougel": "ROUGE-L",
    "bert score": "BERTScore",
    "step accuracy": "right answers",
    "with source": "with the right guide",
}


@dataclass(frozen=True)
class Measure:
    """One number of an evaluation.

    Attributes:
        key: its name in the metrics file.
        value: what was measured.
        chance: what guessing reaches; None where unknown.
        ceiling: the best that can be reached; None where unknown.
        interval: 95 % confidence; None where unknown.
    """

    key: str
    value: float
    chance: float | None
    ceiling: float | None
    interval: tuple[float, float] | None

    @property
    def name(self) -> str:
        """For a person."""
        return plain_name(self.key)


def measures(numbers: Mapping[str, float]) -> Iterator[Measure]:
    """Every number of a metrics file, by name (`_at_5` before `_at_10`), each with what stands beside it."""
    for key, value in sorted(numbers.items(), key=lambda pair: _natural(pair[0])):
        if any(key.endswith(suffix) and key.removesuffix(suffix) in numbers for suffix in BESIDE):
            continue
        low, high = numbers.get(f"{key}_low"), numbers.get(f"{key}_high")
        interval = (low, high) if low is not None and high is not None else None
        yield Measure(key, value, numbers.get(f"{key}_chance"), numbers.get(f"{key}_ceiling"), interval)


def plain_name(key: str) -> str:
    """``text_to_image_recall_at_10`` as "Text to image recall@10", ``words_alone_f1`` as "F1, words alone"."""
    if trial := next((found for pattern in TRIALS if (found := re.fullmatch(pattern, key))), None):
        key = f"{trial['number']},_{trial['seen']}"
    words = re.sub(r"_at_(\d+)", r"@\1", key).replace("zero_shot", "zero-shot").replace("_", " ")
    for written, spoken in SPOKEN.items():
        words = re.sub(rf"\b{written}\b", spoken, words)
    return words[:1].upper() + words[1:]


def _natural(key: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", key)]
