"""Edges of the graph: node indices, split by split, negatives and edges of listings."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from heddle.core.parameters.shared import Split
from heddle.core.splits import SPLITS, split_of
from heddle.core.stage import StageError
from heddle.graph.tables import HELD_OUT, MESSAGE, unique_pairs
from lightning_modules.negatives.negatives import NegativeSampler, Pairs, pair_keys

LABEL_RELATIONS = {"item": "is_a", "material": "made_of"}
"""Label of a listing, which equals the type of the labelled node -> relation of listing and node."""


def edge_indices(edges: pa.Table, ids: Sequence[str]) -> Pairs:
    """Indices in ``ids`` of each row's source and target, (E, 2).

    Raises:
        StageError: source or target of an edge is not in ``ids``.
    """
    known = pa.array(ids, pa.string())
    ends = [pc.index_in(edges[name], value_set=known) for name in ("source", "target")]
    for name, indices in zip(("source", "target"), ends, strict=True):
        if indices.null_count:
            row = pc.index(pc.is_null(indices), True).as_py()
            raise StageError(
                f"data/validated/edges.parquet row {row + 1}: {name} {edges[name][row].as_py()!r} is not a node; "
                "add the node to a source, or quarantine the edge: run `dvc repro validated`"
            )
    columns = [indices.to_numpy(zero_copy_only=False).astype(np.int64) for indices in ends]
    return np.stack(columns, axis=1).reshape(-1, 2)


def assign_parts(
    pairs: Pairs, relations: Sequence[str], ids: Sequence[str], predicted: Iterable[str] | None, split: Split
) -> NDArray[np.object_]:
    """Assign a part to each edge, (E,).

    All edges between two nodes get the same part, whatever their direction and relation, so that no message passes
    between the nodes of a held-out edge. The split is computed from the two ids.

    Args:
        pairs: source and target index of each edge, (E, 2).
        relations: of each edge, E.
        ids: of the nodes, N.
        predicted: relations that are predicted; None for all.
        split: shares of the splits.
    """
    nodes = len(ids)
    keys = pair_keys(pairs, nodes)
    is_predicted = np.ones(len(pairs), bool)
    if predicted is not None:
        is_predicted = np.isin(np.asarray(relations, str), [*predicted])
    unique_keys, key_index = np.unique(keys, return_inverse=True)
    has_predicted = np.zeros(len(unique_keys), bool)
    np.logical_or.at(has_predicted, key_index, is_predicted)
    parts = np.full(len(unique_keys), MESSAGE, object)
    for index in np.flatnonzero(has_predicted).tolist():
        one, other = sorted((ids[unique_keys[index] // nodes], ids[unique_keys[index] % nodes]))
        parts[index] = split_of(f"{one}\t{other}", split)
    return parts[key_index]


def find_listing_edges(
    listings: Iterable[Mapping[str, Any]], ids: Sequence[str], types: Sequence[str], texts: Sequence[str | None]
) -> tuple[list[tuple[str, str | None]], list[tuple[str, str, int]]]:
    """Find the listings whose item or material label is a node of the graph.

    A label matches the first node of its type whose text equals the label, ignoring case.

    Returns:
        Id and title of each listing found; listing id, relation and node index of each match.
    """
    labelled: dict[tuple[str, str], int] = {}
    for index, (kind, text) in enumerate(zip(types, texts, strict=True)):
        if kind in LABEL_RELATIONS and text:
            labelled.setdefault((kind, text.casefold()), index)
    known_ids, nodes, edges = set(ids), [], []
    for listing in listings:
        matches = [
            (listing["id"], relation, labelled[label, listing[label].casefold()])
            for label, relation in LABEL_RELATIONS.items()
            if listing[label] and (label, listing[label].casefold()) in labelled
        ]
        if matches and listing["id"] not in known_ids:
            nodes.append((listing["id"], listing["title"]))
            edges += matches
    return nodes, edges


def sample_negatives(pairs: Pairs, parts: NDArray[np.object_], types: Sequence[str], seed: int) -> dict[str, Pairs]:
    """Sample one negative per edge of each held-out split, of the same node types: split -> pairs (P, 2)."""
    random = np.random.Generator(np.random.PCG64(seed))
    nodes = len(types)
    return {
        split: NegativeSampler(unique_pairs(pairs[parts == split], nodes), types, pairs).sample(random)
        for split in HELD_OUT
    }


def count_split_pairs(pairs: Pairs, parts: NDArray[np.object_], nodes: int) -> dict[str, int]:
    """Number of unique predicted pairs in each split."""
    return {split: len(unique_pairs(pairs[parts == split], nodes)) for split in SPLITS}
