"""Fill the vector store from ``data/index``: LanceDB, embedded, beside the other artefacts."""

from pathlib import Path

import dagster as dg
import pyarrow.parquet as pq

from dagster_project.dvc.project import DvcProject

TABLE = "listings"


def publish(index: Path, store: Path) -> int:
    """Put the index's listings into the store as one new version of the table. Returns how many rows it holds.

    Readers see the old version until the new one is complete; publishing twice leaves one copy of each listing.
    """
    import lancedb  # starts threads, which the fork server's preloading must not

    rows = pq.read_table(index / f"{TABLE}.parquet")
    table = lancedb.connect(str(store)).create_table(TABLE, data=rows, mode="overwrite")
    return table.count_rows()


def published_index_asset(project: DvcProject) -> dg.AssetsDefinition:
    """The asset ``published_index``."""

    @dg.asset(
        name="published_index",
        deps=["index"],
        group_name="serving",
        kinds={"lancedb"},
        description="The index in a vector store that services can query.",
    )
    def published_index(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        store = project.root / "data" / "published_index"
        rows = publish(project.root / "data" / "index", store)
        version = project.states()["index"].recorded_data_version
        return dg.MaterializeResult(
            data_version=dg.DataVersion(version) if version else None,
            metadata={"rows": rows, "store": dg.MetadataValue.path(str(store))},
        )

    return published_index
