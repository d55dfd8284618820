"""Publish ``data/index`` to the store that services search: LanceDB beside the artefacts, or a Weaviate server."""

import hashlib
from pathlib import Path

import dagster as dg
import pyarrow.parquet as pq

from dagster_project.dvc.project import DvcProject
from heddle.core.parameters.section import load
from heddle.encoders.parameters import IndexParameters
from heddle.stores import open_store
from heddle.stores.parameters import PublishedIndexParameters
from heddle.stores.store import Collection, StoreError, is_vector

TABLES = ("listings", "guides")  # of the index
WORDS = "words"  # their column that words are looked up in


def collections(root: Path) -> list[Collection]:
    """What is published: each table of the index, with every vector that it holds."""
    weights = load("index", IndexParameters, root)
    found = []
    for name in TABLES:
        file = root / "data" / "index" / f"{name}.parquet"
        if file.is_file():
            table = pq.read_table(file)
            vectors = tuple(field.name for field in table.schema if is_vector(field.type))
            found.append(Collection(name, table, vectors, WORDS, weights.k1, weights.b))
    return found


def publish(root: Path) -> dict[str, int | str]:
    """Publish every collection. Returns what a person would ask: rows and version of each, and the store's kind.

    Readers see the old version of a collection until the new one is complete.

    Raises:
        StoreError: it did not go; what was published before still answers.
    """
    settings = load("published_index", PublishedIndexParameters, root).store
    told: dict[str, int | str] = {"store": settings.kind}
    with open_store(settings, root / "data" / "published_index") as store:
        for collection in collections(root):
            told[f"{collection.name}_version"] = store.publish(collection)
            told[collection.name] = store.count(collection.name)
    return told


def published_index_asset(project: DvcProject) -> dg.AssetsDefinition:
    """The asset ``published_index``; another store makes it stale as another index does."""
    settings = load("published_index", PublishedIndexParameters, project.root).store

    @dg.asset(
        name="published_index",
        deps=["index"],
        group_name="serving",
        kinds={settings.kind},
        code_version=hashlib.sha256(settings.model_dump_json().encode()).hexdigest()[:16],
        description="The index in a vector store that services can query.",
    )
    def published_index(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        try:
            told = publish(project.root)
        except StoreError as error:
            raise dg.Failure(str(error)) from error
        version = project.recorded_data_version("index")
        return dg.MaterializeResult(data_version=dg.DataVersion(version) if version else None, metadata=told)

    return published_index
