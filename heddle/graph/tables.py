"""The folder ``data/graph``: nodes with features, edges with their part, negatives; written once, read by many.

An edge joins two nodes by their places in ``nodes.parquet``. Its part says what it is for: ``train``, ``validation``
and ``test`` edges are predicted; ``message`` edges, of relations that are not, tell of the nodes that they join; so do
``train`` edges. ``listening`` edges tell a listing of what it names and nobody of the listing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from heddle.core.schemas import write_table
from heddle.core.splits import SPLITS
from heddle.core.vectors import matrix
from lightning_modules.negatives.negatives import Pairs, pair_keys

NODES_FILE, EDGES_FILE, NEGATIVES_FILE = "nodes.parquet", "edges.parquet", "negatives.parquet"
HELD_OUT = SPLITS[1:]
MESSAGE, INDUCTIVE = "message", "listening"
PARTS = (*SPLITS, MESSAGE, INDUCTIVE)
LISTING = "listing"
"""Type of the nodes that are listings."""

EDGES = pa.schema(
    [
        pa.field("source", pa.int64(), nullable=False),  # place in nodes.parquet, from 0
        pa.field("relation", pa.string(), nullable=False),
        pa.field("target", pa.int64(), nullable=False),  # place in nodes.parquet, from 0
        pa.field("part", pa.string(), nullable=False),  # one of PARTS
    ]
)
NEGATIVES = pa.schema(
    [
        pa.field("source", pa.int64(), nullable=False),  # as in EDGES: a pair that no edge joins
        pa.field("target", pa.int64(), nullable=False),
        pa.field("part", pa.string(), nullable=False),  # validation or test
    ]
)


def nodes_schema(**vectors: int) -> pa.Schema:
    """Columns of a table of nodes: what is known of each, and vectors of these names and dimensions."""
    return pa.schema(
        [
            pa.field("id", pa.string(), nullable=False),  # of the catalogue, sorted; then those of listings, sorted
            pa.field("type", pa.string(), nullable=False),
            pa.field("text", pa.string()),
            *(pa.field(name, pa.list_(pa.float32(), width), nullable=False) for name, width in vectors.items()),
        ]
    )


@dataclass(frozen=True)
class CatalogGraph:
    """Nodes and edges in memory.

    Attributes:
        ids, types, texts: of the nodes, N of each.
        features: of the nodes' texts, float32 (N, D).
        edges: source and target of each edge, (E, 2).
        relations: of each edge, (E,).
        parts: of each edge, (E,).
        negatives: split -> pairs that no edge joins.
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
        """Read what :meth:`save` wrote, or the recommender, which keeps no negatives."""
        nodes, edges = pq.read_table(folder / NODES_FILE), pq.read_table(folder / EDGES_FILE)
        negatives: dict[str, Pairs] = {}
        if (folder / NEGATIVES_FILE).is_file():
            drawn = pq.read_table(folder / NEGATIVES_FILE)
            negatives = {split: _pairs(drawn)[_among(drawn["part"].to_numpy(), [split])] for split in HELD_OUT}
        return cls(
            nodes["id"].to_pylist(),
            nodes["type"].to_pylist(),
            nodes["text"].to_pylist(),
            matrix(nodes, "features").copy(),
            _pairs(edges),
            edges["relation"].to_numpy(),
            edges["part"].to_numpy(),
            negatives,
        )

    def save(self, folder: Path) -> None:
        """Write the three tables into an existing folder."""
        self.save_known(folder)
        drawn = np.concatenate([self.negatives[split] for split in HELD_OUT])
        parts = [split for split in HELD_OUT for _ in self.negatives[split]]
        columns = {"source": drawn[:, 0], "target": drawn[:, 1], "part": pa.array(parts, pa.string())}
        write_table(folder / NEGATIVES_FILE, pa.table(columns), NEGATIVES)

    def save_known(self, folder: Path, **vectors: NDArray[np.float32]) -> None:
        """Write nodes, with further vectors (N, D) by name, and edges."""
        every = {"features": self.features, **vectors}
        schema = nodes_schema(**{name: each.shape[1] for name, each in every.items()})
        columns = [pa.array(list(values), pa.string()) for values in (self.ids, self.types, self.texts)]
        columns += [pa.FixedSizeListArray.from_arrays(pa.array(each.ravel()), each.shape[1]) for each in every.values()]
        write_table(folder / NODES_FILE, pa.table(columns, names=schema.names), schema)
        relations, parts = (pa.array(values.tolist(), pa.string()) for values in (self.relations, self.parts))
        ends = {"source": self.edges[:, 0], "relation": relations, "target": self.edges[:, 1], "part": parts}
        write_table(folder / EDGES_FILE, pa.table(ends), EDGES)

    @property
    def messages(self) -> Pairs:
        """Each pair that may pass messages while learning and while being judged, once, (M, 2)."""
        return unique_pairs(self.edges[_among(self.parts, ("train", MESSAGE))], len(self.ids))

    @property
    def core(self) -> int:
        """How many nodes, the first, are no listings that only listen."""
        sources = self.edges[self.parts == INDUCTIVE, 0]
        return int(sources.min()) if len(sources) else len(self.ids)

    @property
    def heard(self) -> Pairs:
        """From item or material to the listing that names it, (L, 2)."""
        return self.edges[self.parts == INDUCTIVE][:, ::-1].copy()

    def predicted(self, *splits: str) -> Pairs:
        """Source and target of the predicted edges of these splits, each pair once."""
        return unique_pairs(self.edges[_among(self.parts, splits)], len(self.ids))

    @cached_property
    def targets_of(self) -> dict[str, list[str]]:
        """Type of a predicted edge's source -> types of such edges' targets."""
        predicted = self.edges[_among(self.parts, SPLITS)]
        joined = sorted({(self.types[source], self.types[target]) for source, target in predicted.tolist()})
        return {source: [target for one, target in joined if one == source] for source, _ in joined}


def unique_pairs(pairs: Pairs, nodes: int) -> Pairs:
    """Each pair once, whichever way it points, in the order of its nodes; the first stands for all."""
    _, first = np.unique(pair_keys(pairs, nodes), return_index=True)
    return pairs[first]


def _among(parts: NDArray[np.object_], names: Sequence[str]) -> NDArray[np.bool_]:
    return np.isin(parts.astype(str), names)


def _pairs(table: pa.Table) -> Pairs:
    return np.stack([table["source"].to_numpy(), table["target"].to_numpy()], axis=1).astype(np.int64)
