"""The tables of ``data/graph``: nodes with features, edges with their part, negatives.

Edges name their nodes by index in ``nodes.parquet``. The part of an edge is its use: ``train``, ``validation`` and
``test`` edges are predicted. ``message`` edges have a relation that is not predicted; messages pass along them and
along ``train`` edges. ``inductive`` edges join a listing with a node that its labels name; messages pass to the listing
only, so listings are embedded without training.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from heddle.core.schemas import read_table, write_table
from heddle.core.splits import SPLITS
from heddle.core.vectors import matrix
from lightning_modules.negatives.negatives import Pairs, pair_keys

NODES_FILE, EDGES_FILE, NEGATIVES_FILE = "nodes.parquet", "edges.parquet", "negatives.parquet"
HELD_OUT = SPLITS[1:]
MESSAGE, INDUCTIVE = "message", "inductive"
PARTS = (*SPLITS, MESSAGE, INDUCTIVE)
LISTING = "listing"
"""Type of the nodes that are listings."""

EDGES = pa.schema(
    [
        pa.field("source", pa.int64(), nullable=False),  # row of nodes.parquet, from 0
        pa.field("relation", pa.string(), nullable=False),
        pa.field("target", pa.int64(), nullable=False),  # row of nodes.parquet, from 0
        pa.field("part", pa.string(), nullable=False),  # one of PARTS
    ]
)
NEGATIVES = pa.schema(
    [
        pa.field("source", pa.int64(), nullable=False),  # as in EDGES; no edge joins the pair
        pa.field("target", pa.int64(), nullable=False),
        pa.field("part", pa.string(), nullable=False),  # validation or test
    ]
)


def nodes_schema(**vectors: int) -> pa.Schema:
    """Schema of a table of nodes, with a column of vectors per keyword: name -> dimensions."""
    return pa.schema(
        [
            pa.field("id", pa.string(), nullable=False),  # nodes of the catalogue, sorted; then listings, sorted
            pa.field("type", pa.string(), nullable=False),
            pa.field("text", pa.string()),
            *(pa.field(name, pa.list_(pa.float32(), width), nullable=False) for name, width in vectors.items()),
        ]
    )


@dataclass(frozen=True)
class CatalogGraph:
    """Nodes and edges of the catalogue's graph in memory.

    Attributes:
        ids, types, texts: of the nodes, N each.
        features: features of the nodes' texts, float32 (N, D).
        edges: source and target index of each edge, (E, 2).
        relations: relation of each edge, (E,).
        parts: part of each edge, one of ``PARTS``, (E,).
        negatives: held-out split -> pairs without an edge, (P, 2).
    """

    ids: list[str]
    types: list[str]
    texts: list[str | None]
    features: NDArray[np.float32]
    edges: Pairs
    relations: NDArray[np.object_]
    parts: NDArray[np.object_]
    negatives: dict[str, Pairs]

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Read the tables of ``data/graph`` or of ``data/recommender``, which has no negatives."""
        nodes, edges = read_table(folder / NODES_FILE), read_table(folder / EDGES_FILE)
        negatives: dict[str, Pairs] = {}
        if (folder / NEGATIVES_FILE).is_file():
            table = read_table(folder / NEGATIVES_FILE)
            negatives = {split: _read_pairs(table)[_is_any(table["part"].to_numpy(), [split])] for split in HELD_OUT}
        return cls(
            nodes["id"].to_pylist(),
            nodes["type"].to_pylist(),
            nodes["text"].to_pylist(),
            matrix(nodes, "features").copy(),
            _read_pairs(edges),
            edges["relation"].to_numpy(),
            edges["part"].to_numpy(),
            negatives,
        )

    def save(self, folder: Path) -> None:
        """Write the three tables into an existing folder."""
        self.save_without_negatives(folder)
        pairs = np.concatenate([self.negatives[split] for split in HELD_OUT])
        parts = [split for split in HELD_OUT for _ in self.negatives[split]]
        columns = {"source": pairs[:, 0], "target": pairs[:, 1], "part": pa.array(parts, pa.string())}
        write_table(folder / NEGATIVES_FILE, pa.table(columns), NEGATIVES)

    def save_without_negatives(self, folder: Path, **vectors: NDArray[np.float32]) -> None:
        """Write nodes and edges; ``vectors`` adds columns of node vectors, name -> (N, D)."""
        every = {"features": self.features, **vectors}
        schema = nodes_schema(**{name: each.shape[1] for name, each in every.items()})
        columns = [pa.array(list(values), pa.string()) for values in (self.ids, self.types, self.texts)]
        columns += [pa.FixedSizeListArray.from_arrays(pa.array(each.ravel()), each.shape[1]) for each in every.values()]
        write_table(folder / NODES_FILE, pa.table(columns, names=schema.names), schema)
        relations, parts = (pa.array(values.tolist(), pa.string()) for values in (self.relations, self.parts))
        ends = {"source": self.edges[:, 0], "relation": relations, "target": self.edges[:, 1], "part": parts}
        write_table(folder / EDGES_FILE, pa.table(ends), EDGES)

    @property
    def message_edges(self) -> Pairs:
        """Unique pairs along which messages pass, in training and in evaluation, (M, 2)."""
        return unique_pairs(self.edges[_is_any(self.parts, ("train", MESSAGE))], len(self.ids))

    @property
    def num_transductive(self) -> int:
        """Number of nodes that training uses; they come first. The other nodes are listings."""
        sources = self.edges[self.parts == INDUCTIVE, 0]
        return int(sources.min()) if len(sources) else len(self.ids)

    @property
    def inductive_edges(self) -> Pairs:
        """Edges from an item or a material to a listing that has it as a label, (L, 2)."""
        return self.edges[self.parts == INDUCTIVE][:, ::-1].copy()

    def predicted(self, *splits: str) -> Pairs:
        """Unique pairs (source, target) of the predicted edges of these splits, (P, 2)."""
        return unique_pairs(self.edges[_is_any(self.parts, splits)], len(self.ids))

    @cached_property
    def targets_of(self) -> dict[str, list[str]]:
        """Type of a node -> types of the targets of its predicted edges."""
        predicted = self.edges[_is_any(self.parts, SPLITS)]
        joined = sorted({(self.types[source], self.types[target]) for source, target in predicted.tolist()})
        return {source: [target for one, target in joined if one == source] for source, _ in joined}


def unique_pairs(pairs: Pairs, nodes: int) -> Pairs:
    """Unique pairs regardless of direction, sorted by :func:`pair_keys`; the first of equal pairs is kept."""
    _, first = np.unique(pair_keys(pairs, nodes), return_index=True)
    return pairs[first]


def _is_any(parts: NDArray[np.object_], names: Sequence[str]) -> NDArray[np.bool_]:
    return np.isin(parts.astype(str), names)


def _read_pairs(table: pa.Table) -> Pairs:
    return np.stack([table["source"].to_numpy(), table["target"].to_numpy()], axis=1).astype(np.int64)
