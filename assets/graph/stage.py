"""Build the graph of the catalogue: nodes with features, edges in splits without leakage, statistics."""

from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from assets.graph.parameters import GraphParameters
from assets.graph.statistics import adjacency, statistics
from heddle.core.csv_file import write_csv
from heddle.core.parameters.shared import Compute, read_seed
from heddle.core.schemas import read_rows
from heddle.core.skipped import write_skipped
from heddle.core.stage import Metrics, Stage, write_json
from heddle.encoders.parameters import IndexParameters
from heddle.encoders.text_encoder import load_sentence_encoder
from heddle.graph.edges import (
    assign_parts,
    count_split_pairs,
    edge_indices,
    find_listing_edges,
    sample_negatives,
)
from heddle.graph.features import ENCODER_FILE, embed_texts
from heddle.graph.tables import INDUCTIVE, LISTING, CatalogGraph

STATISTICS_FILE = "statistics.json"


def graph(stage: Stage) -> Metrics:
    """Build the graph: index the nodes, embed their texts, split the edges, compute statistics."""
    parameters = stage.parameters(GraphParameters)
    folder = stage.input("validated")
    nodes = pq.read_table(folder / "nodes.parquet").sort_by("id")
    if not nodes.num_rows:
        reason = "data/validated has no nodes; bring a table of nodes and one of edges in `catalog`"
        stage.progress(f"no graph: {reason}")
        write_skipped(stage.output, reason)
        return {"nodes": 0, "edges": 0}
    made = _made(stage, parameters, nodes, pq.read_table(folder / "edges.parquet"))
    made.save(stage.output)
    return _numbers(stage, parameters, made)


def _made(stage: Stage, parameters: GraphParameters, nodes: pa.Table, edges: pa.Table) -> CatalogGraph:
    ids, types, texts = (nodes[name].to_pylist() for name in ("id", "type", "text"))
    pairs, relations = edge_indices(edges, ids), edges["relation"].to_numpy(zero_copy_only=False)
    parts = assign_parts(pairs, relations, ids, parameters.predicted, parameters.split)
    core = len(ids)
    drawn = sample_negatives(pairs, parts, types, read_seed())
    if parameters.listings:
        rows = read_rows(stage.input("validated") / "listings.parquet")
        named, naming = find_listing_edges(rows, ids, types, texts)
        place = {name: core + number for number, (name, _) in enumerate(named)}
        ids, types = ids + [name for name, _ in named], types + [LISTING] * len(named)
        texts = texts + [words for _, words in named]
        ends = [(place[name], target) for name, _, target in naming]
        pairs = np.concatenate([pairs, np.array(ends, np.int64).reshape(-1, 2)])
        relations = np.concatenate([relations, np.array([relation for _, relation, _ in naming], object)])
        parts = np.concatenate([parts, np.full(len(naming), INDUCTIVE, object)])
    encoder = stage.parameters(IndexParameters, "index").encoder
    stage.progress(f"embedding the texts of {len(ids)} nodes with {encoder.name}")
    opened = load_sentence_encoder(encoder, stage.parameters(Compute, "compute").threads)
    features, projection = embed_texts(texts, core, opened, parameters.dimensions)
    write_json(stage.output / ENCODER_FILE, encoder.model_dump())
    if projection is not None:
        projection.save(stage.output)
    return CatalogGraph(ids, types, texts, features, pairs, relations, parts, drawn)


def _numbers(stage: Stage, parameters: GraphParameters, made: CatalogGraph) -> dict[str, float]:
    """Compute statistics of the graph, held-out edges included; write them and the table of degrees."""
    stage.progress("computing statistics")
    whole = adjacency(made.edges, len(made.ids))
    numbers, degrees, between = statistics(whole, made.types, made.features, parameters.path_samples, read_seed())
    most = np.lexsort((np.arange(len(between)), -degrees, -between))[: parameters.top_central]
    central = [
        {
            "id": made.ids[place],
            "type": made.types[place],
            "text": made.texts[place],
            "degree": int(degrees[place]),
            "degree_centrality": float(degrees[place] / max(1, len(degrees) - 1)),
            "betweenness": float(between[place]),
        }
        for place in most.tolist()
    ]
    told: dict[str, Any] = {
        "numbers": numbers,
        "sampled": len(made.ids) > parameters.path_samples,
        "types": dict(sorted(Counter(made.types).items())),
        "relations": dict(sorted(Counter(made.relations.tolist()).items())),
        "central": central,
    }
    write_json(stage.output / STATISTICS_FILE, told)
    (stage.output / "plots").mkdir()
    counted = Counter(zip(made.types, degrees.tolist(), strict=True))
    rows = [(kind, degree, count) for (kind, degree), count in sorted(counted.items())]
    write_csv(stage.output / "plots" / "degrees.csv", ("type", "degree", "nodes"), rows)
    counts = count_split_pairs(made.edges, made.parts, len(made.ids))
    return {
        **numbers,
        "nodes_without_text": sum(not text for text in made.texts),
        **{f"{split}_edges": count for split, count in counts.items()},
    }
