"""The numbers of an evaluation, with what they mean: chance, ceiling, interval.

Beside a number `x` an evaluation may report `x_chance`, `x_ceiling`, `x_low` and `x_high` (a 95 % interval).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

BESIDE = ("_chance", "_ceiling", "_low", "_high")


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
        return self.key.replace("_", " ").capitalize()


def measures(numbers: Mapping[str, float]) -> Iterator[Measure]:
    """Every number of a metrics file, by name, each with what stands beside it."""
    for key, value in sorted(numbers.items()):
        if any(key.endswith(suffix) and key.removesuffix(suffix) in numbers for suffix in BESIDE):
            continue
        low, high = numbers.get(f"{key}_low"), numbers.get(f"{key}_high")
        interval = (low, high) if low is not None and high is not None else None
        yield Measure(key, value, numbers.get(f"{key}_chance"), numbers.get(f"{key}_ceiling"), interval)
