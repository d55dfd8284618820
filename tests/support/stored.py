"""Collections to publish, and a process that publishes them and may be killed at any moment of it.

``python stored.py SETTINGS FOLDER VERSION...`` publishes versions of the listings, one after another, to the store that
the settings (JSON) choose. With ``--die-before NAME`` it kills itself before a step of LanceDB's.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

import lancedb.db
import lancedb.table
import numpy as np
import pyarrow as pa
from pydantic import TypeAdapter

from heddle.stores import open_store
from heddle.stores.parameters import LanceDb, Weaviate
from heddle.stores.store import Collection, Store, StoreQuery

ROOT = Path(__file__).parents[2]
SETTINGS: TypeAdapter[LanceDb | Weaviate] = TypeAdapter(LanceDb | Weaviate)
ROWS = {"a": 40, "b": 55, "c": 47}
WOODS = ["oak", "pine", "beech", "O'Brien's \"best\"; DROP --", "`teak`", "C:\\wood", "Nußbaum 50 %"]
STEPS = {
    "create_index": (lancedb.table.LanceTable, "create_index"),
    "rename": (Path, "replace"),
    "drop_table": (lancedb.db.LanceDBConnection, "drop_table"),
}


def vectors(count: int, dimensions: int, seed: int) -> np.ndarray:
    """Random directions: float32 (count, dimensions)."""
    drawn = np.random.default_rng(seed).normal(size=(count, dimensions)).astype(np.float32)
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def arrow(matrix: np.ndarray) -> pa.Array:
    """A matrix as a column of vectors."""
    return pa.FixedSizeListArray.from_arrays(pa.array(matrix.ravel()), matrix.shape[1])


def listings(version: str = "a") -> Collection:
    """A version of the listings; ids begin with its name. Rows 3 and 4 have no text vector, row 5 no price."""
    count, seed = ROWS[version], ord(version)
    said = vectors(count, 6, seed + 100)
    said[3] = 0
    numbers = range(count)
    table = pa.table(
        {
            "id": [f"{version}:{number:03}" for number in numbers],
            # `chair` stands in every second text, in no two among as many words
            "search_text": [" ".join(["chair" if n % 2 else "lamp", f"number{n}", *["plain"] * n]) for n in numbers],
            "wood": [WOODS[number % len(WOODS)] for number in numbers],
            "price": pa.array([None if number == 5 else float(number) for number in numbers], pa.float64()),
            "stock": pa.array([number % 5 for number in numbers], pa.int64()),
            "sold": [number % 3 == 0 for number in numbers],
            "tags": [["red", "old"][: number % 3] for number in numbers],
            "thumbnail": pa.array([None if number == 5 else bytes([number, 255]) for number in numbers], pa.binary()),
            "image_embedding": arrow(vectors(count, 8, seed)),
            "text_embedding": pa.array([None if n == 4 else said[n] for n in numbers], pa.list_(pa.float32(), 6)),
        }
    )
    return Collection("listings", table, ("image_embedding", "text_embedding"), "search_text", k1=1.5, b=0.75)


def guides() -> Collection:
    """Another collection, of another shape."""
    texts = ["how to mend a chair", "how to give glass away", "what to do with wool"]
    table = pa.table({"id": ["1", "2", "3"], "title": texts, "text": texts, "embedding": arrow(vectors(3, 4, 1))})
    return Collection("guides", table, ("embedding",), "text", k1=1.5, b=0.75)


def everything(store: Store) -> set[str]:
    """The ids of all published listings, by a search."""
    query = StoreQuery(vector=vectors(1, 8, 0)[0], against="image_embedding", limit=1000)
    return {hit.id for hit in store.search("listings", query)}


def ids(version: str) -> set[str]:
    """The ids of a version."""
    return set(listings(version).table.column("id").to_pylist())


def publisher(settings: LanceDb | Weaviate, folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start the process."""
    command = [sys.executable, __file__, settings.model_dump_json(), str(folder), *arguments]
    return subprocess.Popen(
        command,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _die_before(step: str) -> None:
    where, name = STEPS[step]
    setattr(where, name, lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))


def _main(settings: str, folder: str, *rest: str) -> None:
    versions = list(rest)
    if "--die-before" in versions:
        _die_before(versions.pop())
        versions.pop()
    with open_store(SETTINGS.validate_json(settings), Path(folder)) as store:
        for version in versions:
            store.publish(listings(version))


if __name__ == "__main__":
    _main(*sys.argv[1:])
