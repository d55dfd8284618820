"""The embedded store against plain arrays: ``LANCEDB_LOG=error python benchmarks/index_store.py FOLDER``.

FOLDER holds ``corpus.jsonl`` and ``queries.jsonl`` in BEIR's layout. The same documents are indexed, and the same
hybrid queries asked (words and a vector, reciprocal rank fusion of 100 candidates each, ten hits), by

- the store: LanceDB on disk, as `published_index` fills it,
- LanceDB's own hybrid query over the same table,
- plain arrays: bm25s in memory and a product with the matrix of all vectors.

Vectors are random directions unless ``--vectors`` names a .npy of float32 (documents, dimensions); a query's is that of
a document drawn at random, with noise. Rounds alternate between the systems; the table holds medians.
"""

import argparse
import json
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import lancedb
import numpy as np
import pyarrow as pa
from lancedb.rerankers import RRFReranker
from rich.console import Console
from rich.table import Table

from heddle.retrieval.lexical.bm25 import BM25Index
from heddle.stores.lance import POINTERS, LanceStore
from heddle.stores.store import CANDIDATES, Collection, StoreQuery, fuse

HITS = 10
K1, B = 1.2, 0.75  # Lance's own, for both
Search = Callable[[str, np.ndarray], list[str]]


def read(file: Path) -> list[dict]:
    """The objects in a file of JSON Lines."""
    return [json.loads(line) for line in file.read_text().splitlines()]


def directions(count: int, dimensions: int, generator: np.random.Generator) -> np.ndarray:
    """Random vectors of unit length, float32 (count, dimensions)."""
    drawn = generator.normal(size=(count, dimensions)).astype(np.float32)
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def collection(documents: list[dict], vectors: np.ndarray) -> Collection:
    """The documents as the store takes them."""
    columns = {
        "id": [each["_id"] for each in documents],
        "text": [each["text"] for each in documents],
        "embedding": pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), vectors.shape[1]),
    }
    return Collection("documents", pa.table(columns), ("embedding",), "text", K1, B)


def with_store(documents: Collection, folder: Path) -> tuple[float, Search]:
    """Publish. Returns the seconds that it took, and a search."""
    started = time.perf_counter()
    store = LanceStore(folder)
    store.publish(documents)
    seconds = time.perf_counter() - started

    def search(text: str, vector: np.ndarray) -> list[str]:
        return [hit.id for hit in store.search("documents", StoreQuery(text, vector, "embedding", limit=HITS))]

    return seconds, search


def with_lancedb(folder: Path) -> Search:
    """LanceDB's own hybrid query over what the store published in a folder."""
    (published, *_) = json.loads((folder / POINTERS).read_text())["documents"]
    table = lancedb.connect(str(folder)).open_table(published)

    def search(text: str, vector: np.ndarray) -> list[str]:
        asked = table.search(query_type="hybrid", vector_column_name="embedding").vector(vector).text(text)
        found = asked.distance_type("cosine").rerank(RRFReranker()).limit(CANDIDATES).select(["id"]).to_list()
        return [row["id"] for row in found[:HITS]]

    return search


def with_arrays(documents: Collection, vectors: np.ndarray) -> tuple[float, Search]:
    """Index in memory. Returns the seconds that it took, and a search."""
    started = time.perf_counter()
    words = BM25Index.build(documents.table.column("text").to_pylist(), K1, B)
    ids = documents.table.column("id").to_pylist()
    seconds = time.perf_counter() - started

    def search(text: str, vector: np.ndarray) -> list[str]:
        by_vector, by_words = best(vectors @ vector), best(words.scores(text), least=0.0)
        return [ids[place] for place in list(fuse((by_vector, by_words), (0.5, 0.5), "ranks"))[:HITS]]

    return seconds, search


def best(scores: np.ndarray, least: float = -np.inf) -> dict[int, float]:
    """Place -> score of the candidates, best first."""
    top = np.argpartition(-scores, CANDIDATES)[:CANDIDATES]
    top = top[np.argsort(-scores[top])]
    return {int(place): float(scores[place]) for place in top if scores[place] > least}


def asked(search: Search, queries: list[tuple[str, np.ndarray]]) -> tuple[float, list[list[str]]]:
    """Seconds for all queries one after another, and the answers."""
    started = time.perf_counter()
    answers = [search(text, vector) for text, vector in queries]
    return time.perf_counter() - started, answers


def shared(some: list[list[str]], others: list[list[str]]) -> float:
    """Mean share of hits that two systems have in common."""
    return statistics.fmean(len(set(one) & set(other)) / HITS for one, other in zip(some, others, strict=True))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--vectors", type=Path, help=".npy, float32 (documents, dimensions), unit length")
    parser.add_argument("--dimensions", type=int, default=384, help="of random vectors")
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    generator = np.random.default_rng(0)
    documents, texts = read(given.folder / "corpus.jsonl"), read(given.folder / "queries.jsonl")
    vectors = np.load(given.vectors) if given.vectors else directions(len(documents), given.dimensions, generator)
    near = vectors[generator.integers(len(vectors), size=given.queries)]
    near = near + directions(*near.shape, generator)
    near /= np.linalg.norm(near, axis=1, keepdims=True)
    queries = [(texts[place % len(texts)]["text"], vector) for place, vector in enumerate(near)]
    indexing, searching, answers = measure(collection(documents, vectors), vectors, queries, given.rounds)
    show(given, len(documents), vectors.shape[1], indexing, searching, answers)


def measure(
    documents: Collection, vectors: np.ndarray, queries: list[tuple[str, np.ndarray]], rounds: int
) -> tuple[dict[str, list[float]], dict[str, list[float]], dict[str, list[list[str]]]]:
    """Seconds to index and to answer all queries, by system, one number for each round; and the last answers."""
    indexing: dict[str, list[float]] = {}
    searching: dict[str, list[float]] = {}
    answers: dict[str, list[list[str]]] = {}
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            stored, search_store = with_store(documents, Path(folder))
            held, search_arrays = with_arrays(documents, vectors)
            indexing.setdefault("store", []).append(stored)
            indexing.setdefault("arrays", []).append(held)
            searches = {"store": search_store, "LanceDB": with_lancedb(Path(folder)), "arrays": search_arrays}
            for name, search in searches.items():
                seconds, answers[name] = asked(search, queries)
                searching.setdefault(name, []).append(seconds)
    return indexing, searching, answers


def show(
    given: argparse.Namespace,
    documents: int,
    dimensions: int,
    indexing: dict[str, list[float]],
    searching: dict[str, list[float]],
    answers: dict[str, list[list[str]]],
) -> None:
    """The table, and what it was measured on."""
    table = Table(title=f"{documents:,} documents, {dimensions} dimensions, {given.queries:,} hybrid queries")
    table.add_column("system")
    for heading in ("indexing, s", "queries, s", "queries/s", "hits shared with arrays"):
        table.add_column(heading, justify="right")
    for name, seconds in searching.items():
        index = f"{statistics.median(indexing[name]):.2f}" if name in indexing else ""
        each = statistics.median(seconds)
        share = shared(answers[name], answers["arrays"])
        table.add_row(name, index, f"{each:.2f}", f"{given.queries / each:.0f}", f"{share:.3f}")
    console = Console(width=120)
    console.print(table)
    packages = ", ".join(f"{name} {version(name)}" for name in ("lancedb", "bm25s", "numpy"))
    console.print(f"median of {given.rounds} rounds; {platform.machine()}, {os.cpu_count()} cores, {packages}")
    console.print(f"load average of the last minute: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
