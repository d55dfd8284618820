"""From tables of nodes and edges to numbered edges, each with its part: what is learned from, what is held out."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from heddle.core.parameters.shared import Split
from heddle.core.splits import SPLITS, split_of
from heddle.core.stage import StageError
from heddle.graph.tables import HELD_OUT, INDUCTIVE, MESSAGE, unique_pairs
from lightning_modules.negatives.negatives import NegativeSampler, Pairs, pair_keys

NAMING = {"item": "is_a", "material": "made_of"}
"""Label of a listing, which is also the type of the node that it names -> relation of the two."""


def edge_indices(edges: pa.Table, ids: Sequence[str]) -> Pairs:
    """Source and target of each row as places in ``ids``, (E, 2).

    Raises:
        StageError: an end is no node.
    """
    known = pa.array(ids, pa.string())
    ends = [pc.index_in(edges[name], value_set=known) for name in ("source", "target")]
    for name, places in zip(("source", "target"), ends, strict=True):
        if places.null_count:
            row = pc.index(pc.is_null(places), True).as_py()
            raise StageError(
                f"data/validated/edges.parquet row {row + 1}: {name} {edges[name][row].as_py()!r} is no node; bring "
                "the node in `catalog`, or the edge should be in the quarantine: run `dvc repro validated`"
            )
    columns = [places.to_numpy(zero_copy_only=False).astype(np.int64) for places in ends]
    return np.stack(columns, axis=1).reshape(-1, 2)


def assign_parts(
    pairs: Pairs, relations: Sequence[str], ids: Sequence[str], predicted: Iterable[str] | None, split: Split
) -> NDArray[np.object_]:
    """The part of each edge, (E,).

    A pair of nodes, whichever way its edges point and however many they are, has one split: that of its two ids. So no
    message passes where an edge is held out, not by the edge's twin and not by another relation.
    """
    nodes = len(ids)
    keys = pair_keys(pairs, nodes)
    wanted = np.ones(len(pairs), bool) if predicted is None else np.isin(np.asarray(relations, str), [*predicted])
    parts = np.full(len(pairs), MESSAGE, object)
    judged, place = np.unique(keys, return_inverse=True)
    joined = np.zeros(len(judged), bool)
    np.logical_or.at(joined, place, wanted)
    splits = np.full(len(judged), MESSAGE, object)
    for number in np.flatnonzero(joined).tolist():
        one, other = sorted((ids[judged[number] // nodes], ids[judged[number] % nodes]))
        splits[number] = split_of(f"{one}\t{other}", split)
    parts[:] = splits[place]
    return parts


def find_listing_edges(
    listings: Iterable[Mapping[str, Any]], ids: Sequence[str], types: Sequence[str], texts: Sequence[str | None]
) -> tuple[list[tuple[str, str | None]], list[tuple[str, str, int]]]:
    """The listings that name an item or a material of the graph.

    A label names the node of its type whose text is the label; of several the first.

    Returns:
        Id and words of each such listing; its id, the relation and the place of what it names.
    """
    named: dict[tuple[str, str], int] = {}
    for place, (kind, text) in enumerate(zip(types, texts, strict=True)):
        if kind in NAMING and text:
            named.setdefault((kind, text.casefold()), place)
    taken, nodes, edges = set(ids), [], []
    for listing in listings:
        found = [
            (listing["id"], relation, named[label, listing[label].casefold()])
            for label, relation in NAMING.items()
            if listing[label] and (label, listing[label].casefold()) in named
        ]
        if found and listing["id"] not in taken:
            nodes.append((listing["id"], listing["title"]))
            edges += found
    return nodes, edges


def sample_negatives(pairs: Pairs, parts: NDArray[np.object_], types: Sequence[str], seed: int) -> dict[str, Pairs]:
    """For each held-out split as many pairs that no edge of any part joins, of the same types, (P, 2)."""
    random = np.random.Generator(np.random.PCG64(seed))
    nodes = len(types)
    return {
        split: NegativeSampler(unique_pairs(pairs[parts == split], nodes), types, pairs).draw(random)
        for split in HELD_OUT
    }


def count_split_pairs(pairs: Pairs, parts: NDArray[np.object_], nodes: int) -> dict[str, int]:
    """Pairs to predict in each split."""
    return {split: len(unique_pairs(pairs[parts == split], nodes)) for split in SPLITS}


def listening(count: int) -> NDArray[np.object_]:
    """The part of the edges of listings, (count,)."""
    return np.full(count, INDUCTIVE, object)
