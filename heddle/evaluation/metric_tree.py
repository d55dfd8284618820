"""The nested numbers of ``metrics.json``: ``{system: {metric: {value, low, high, chance, upper_bound}}}``.

A node is a mapping of names to nodes. A leaf is a plain number (counts, for example) or a mapping with ``value`` and,
optionally, ``low`` and ``high`` (the bootstrap interval), ``chance`` (what guessing reaches) and ``upper_bound`` (the
best that any model can reach). DVC flattens the tree for ``dvc metrics show``, joining names with dots.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MetricTree = Mapping[str, Any]
"""Names to numbers, to leaves with a ``value``, or to further trees."""

VALUE = "value"


@dataclass(frozen=True)
class MetricValue:
    """One leaf of the tree.

    Attributes:
        path: names from the root to the leaf, joined with dots: ``text_to_image.recall_at_10``.
        value: what was measured.
        low: lower end of the bootstrap interval; None where none was computed.
        high: upper end of the bootstrap interval; None where none was computed.
        chance: what guessing reaches; None where unknown.
        upper_bound: the best that any model can reach; None where unknown.
    """

    path: str
    value: float
    low: float | None = None
    high: float | None = None
    chance: float | None = None
    upper_bound: float | None = None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The bootstrap interval; None where none was computed."""
        return None if self.low is None or self.high is None else (self.low, self.high)


def leaves(tree: MetricTree, prefix: str = "") -> Iterator[MetricValue]:
    """Every leaf of a tree, in the order of the tree."""
    for name, node in tree.items():
        path = f"{prefix}.{name}" if prefix else name
        if not isinstance(node, Mapping):
            yield MetricValue(path, node)
        elif VALUE in node:
            yield MetricValue(path, **node)
        else:
            yield from leaves(node, path)


def find(tree: MetricTree, path: str) -> MetricValue | None:
    """The leaf at a path such as ``text_to_image.recall_at_10``; None where the tree has no such leaf."""
    return next((leaf for leaf in leaves(tree) if leaf.path == path), None)


def flat_values(tree: MetricTree) -> dict[str, float]:
    """The values of all leaves by their paths: ``{"text_to_image.recall_at_10": 0.71}``."""
    return {leaf.path: leaf.value for leaf in leaves(tree)}
