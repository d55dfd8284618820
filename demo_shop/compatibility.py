"""The compatibility graph: items, materials and upcycled products, with edges sampled from latent factors.

Each node has a hidden vector; an edge exists with probability ``sigmoid(sharpness * (cosine - threshold))``. Products
take their vector from the two words of their name, so names are informative. No model can exceed the AUROC of the
true probabilities, :attr:`CompatibilityGraph.upper_bound`.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from demo_shop import vocabulary as words
from demo_shop.facts import stream

BASES: Sequence[str] = (
    "planter",
    "lantern",
    "wall shelf",
    "stool",
    "tote bag",
    "rug",
    "coaster",
    "birdhouse",
    "picture frame",
    "pencil pot",
    "wind chime",
    "cushion",
    "bowl",
    "candle holder",
    "key rack",
    "doorstop",
    "toy",
    "quilt",
    "jewellery box",
    "mobile",
)
STYLES: Sequence[str] = (
    "woven",
    "hanging",
    "folding",
    "painted",
    "patchwork",
    "nested",
    "polished",
    "rustic",
    "miniature",
    "stacked",
    "carved",
    "lined",
)
FACTORS = 6
SHARPNESS = 11.0
THRESHOLD = 0.42

Vector = tuple[float, ...]


@dataclass(frozen=True)
class CompatibilityGraph:
    """Nodes and edges as rows of the tables, and the best possible AUROC for ``becomes`` and ``suits`` edges."""

    nodes: list[dict[str, str]]
    edges: list[dict[str, str]]
    upper_bound: float


@cache
def graph(seed: int, products: int) -> CompatibilityGraph:
    """The graph with ``products`` upcycled products (at most 240).

    Edges: item ``made_of`` material (:data:`demo_shop.vocabulary.MATERIALS_OF`); item ``becomes`` product; material
    ``suits`` product.
    """
    names = stream(seed, "products").sample([f"{style} {base}" for base in BASES for style in STYLES], products)
    nodes = [{"id": f"item:{name}", "type": "item", "text": name} for name in words.ITEMS]
    nodes += [{"id": f"material:{name}", "type": "material", "text": name} for name in words.MATERIALS]
    nodes += [{"id": f"product:{name}", "type": "product", "text": name} for name in names]
    edges = [
        {"source": f"item:{item}", "relation": "made_of", "target": f"material:{material}"}
        for item, materials in words.MATERIALS_OF.items()
        for material in materials
    ]
    drawn: list[tuple[float, bool]] = []
    for relation, kind, sources in (("becomes", "item", words.ITEMS), ("suits", "material", words.MATERIALS)):
        for source in sources:
            for name in names:
                likely = probability(seed, kind, source, name)
                present = stream(seed, "edge", source, name).random() < likely
                drawn.append((likely, present))
                if present:
                    edges.append({"source": f"{kind}:{source}", "relation": relation, "target": f"product:{name}"})
    return CompatibilityGraph(nodes, edges, auroc(drawn))


def probability(seed: int, kind: str, source: str, product: str) -> float:
    """P(edge from the item or material to the product)."""
    style, _, base = product.partition(" ")
    target = _normal(
        [a + 0.7 * b for a, b in zip(_vector(seed, "base", base), _vector(seed, "style", style), strict=True)]
    )
    cosine = sum(a * b for a, b in zip(_vector(seed, kind, source), target, strict=True))
    return 1 / (1 + math.exp(-SHARPNESS * (cosine - THRESHOLD)))


@cache
def _vector(seed: int, kind: str, name: str) -> Vector:
    rng = stream(seed, "factor", kind, name)
    return _normal([sum(rng.random() for _ in range(6)) - 3 for _ in range(FACTORS)])


def _normal(vector: Sequence[float]) -> Vector:
    length = math.sqrt(sum(value * value for value in vector))
    return tuple(value / length for value in vector)


def auroc(scored: Sequence[tuple[float, bool]]) -> float:
    """Area under the ROC curve by ranks, ties counted half (Mann and Whitney)."""
    ranked = sorted(scored)
    positives = sum(present for _, present in ranked)
    total, place = 0.0, 0
    while place < len(ranked):
        end = place
        while end < len(ranked) and ranked[end][0] == ranked[place][0]:
            end += 1
        total += (place + 1 + end) / 2 * sum(present for _, present in ranked[place:end])
        place = end
    return (total - positives * (positives + 1) / 2) / (positives * (len(ranked) - positives))


def product_count(guides: int) -> int:
    """Number of products of a shop with this number of guides: 40 at smoke scale, 200 at demo scale."""
    return min(len(BASES) * len(STYLES), 40 + max(0, guides - 24) * 160 // 276)


UNKNOWN_EDGES: Sequence[Mapping[str, str]] = (
    {"source": "item:chair", "relation": "becomes", "target": "product:forgotten thing"},
    {"source": "item:unlisted item", "relation": "made_of", "target": "material:wood"},
)
"""Planted faults: edges with a missing node."""
