"""Publish ``data/index`` to the store that services query: embedded LanceDB, or a Weaviate server."""

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

TABLES = ("listings", "guides")
"""Tables of the index."""
TEXT_COLUMN = "search_text"
"""Column of both tables that keyword search (BM25) reads."""


def collections(root: Path) -> list[Collection]:
    """The collections to publish: each table of the index with all its vector columns."""
    weights = load("index", IndexParameters, root)
    found = []
    for name in TABLES:
        file = root / "data" / "index" / f"{name}.parquet"
        if file.is_file():
            table = pq.read_table(file)
            vectors = tuple(field.name for field in table.schema if is_vector(field.type))
            found.append(Collection(name, table, vectors, TEXT_COLUMN, weights.k1, weights.b))
    return found


def publish(root: Path) -> dict[str, int | str]:
    """Publish every collection. Readers see its old version until the new one is complete.

    Returns:
        The store's kind, and the number of rows and the version of each collection.

    Raises:
        StoreError: publishing failed; the versions published before are still served.
    """
    settings = load("published_index", PublishedIndexParameters, root).store
    published: dict[str, int | str] = {"store": settings.kind}
    with open_store(settings, root / "data" / "published_index") as store:
        for collection in collections(root):
            published[f"{collection.name}_version"] = store.publish(collection)
            published[collection.name] = store.count(collection.name)
    return published


def published_index_asset(project: DvcProject) -> dg.AssetsDefinition:
    """The asset ``published_index``. A change of the store makes it stale, as a change of the index does."""
    settings = load("published_index", PublishedIndexParameters, project.root).store

    @dg.asset(
        name="published_index",
        deps=["index"],
        group_name="serving",
        kinds={settings.kind},
        code_version=hashlib.sha256(settings.model_dump_json().encode()).hexdigest()[:16],
        description="The index in the vector store that services query.",
    )
    def published_index(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        try:
            published = publish(project.root)
        except StoreError as error:
            raise dg.Failure(str(error)) from error
        version = project.recorded_data_version("index")
        return dg.MaterializeResult(data_version=dg.DataVersion(version) if version else None, metadata=published)

    return published_index
