"""The relations that predicted edges have, by the types of the nodes that they link."""

from dataclasses import dataclass

import numpy as np

from heddle.core.splits import SPLITS
from heddle.graph.tables import CatalogGraph


@dataclass(frozen=True)
class RecommendedEdge:
    """An edge that a recommendation predicts, in the direction of the graph's own edges.

    Attributes:
        source: text or id of the node that the edge starts at.
        relation: as the edges of the graph name it.
        target: text or id of the node that the edge points at.
    """

    source: str
    relation: str
    target: str

    def __str__(self) -> str:
        return f"{self.source} -> {self.relation} -> {self.target}"


class RelationIndex:
    """The relations of predicted edges, by the types of source and target.

    Args:
        graph: with its predicted edges.
    """

    def __init__(self, graph: CatalogGraph) -> None:
        self._graph = graph
        predicted = np.isin(graph.parts.astype(str), SPLITS)
        joined = zip(graph.edges[predicted].tolist(), graph.relations[predicted].tolist(), strict=True)
        types = graph.types
        self._triples = sorted({(types[source], relation, types[target]) for (source, target), relation in joined})

    def between(self, node: int, other: int) -> list[RecommendedEdge]:
        """The edges that can link two nodes, each in its direction.

        The score of a pair has no direction. Where the graph has several relations between the two types, or one in
        both directions, all of them are possible.
        """
        types = self._graph.types
        found = []
        for source_type, relation, target_type in self._triples:
            for source, target in ((node, other), (other, node)):
                if (types[source], types[target]) == (source_type, target_type):
                    found.append(RecommendedEdge(self._name(source), relation, self._name(target)))
        return found

    def _name(self, node: int) -> str:
        return self._graph.texts[node] or self._graph.ids[node]


def partner_types(graph: CatalogGraph) -> dict[str, set[str]]:
    """Type of a node -> types that predicted edges link it to, in either direction."""
    found: dict[str, set[str]] = {}
    for source, targets in graph.targets_of.items():
        for target in targets:
            found.setdefault(source, set()).add(target)
            found.setdefault(target, set()).add(source)
    return found
