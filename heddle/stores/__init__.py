"""The stores that a published index lives in, behind one interface; nothing in them knows what a listing is."""

from pathlib import Path

from heddle.stores.parameters import LanceDb, Weaviate
from heddle.stores.store import Store


def open_store(settings: LanceDb | Weaviate, folder: Path) -> Store:
    """Open the store that the settings choose; close it after use, or use it as a context.

    Args:
        settings: ``published_index.store`` of the parameters.
        folder: where an embedded store keeps its files.

    Raises:
        StoreError: it cannot be reached; the message says what failed, where, and what to do.
    """
    # Both libraries start threads when they are imported, which a process that is yet to fork must not have.
    if isinstance(settings, LanceDb):
        from heddle.stores.lance import LanceStore

        return LanceStore(folder)
    from heddle.stores.weaviate import WeaviateStore

    return WeaviateStore(settings)
