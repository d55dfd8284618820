"""Stores of the published index behind one interface. They do not depend on the tables of the catalogue."""

from pathlib import Path

from heddle.stores.parameters import LanceDb, Weaviate
from heddle.stores.store import Store


def open_store(settings: LanceDb | Weaviate, folder: Path) -> Store:
    """Open the store that the settings select. Close it after use, or use it as a context manager.

    Args:
        settings: ``published_index.store`` of params.yaml.
        folder: folder of an embedded store.

    Raises:
        StoreError: the store cannot be reached. The message gives the address, the reason and the fix.
    """
    # Both libraries start threads at import, and a process that will fork must not have threads.
    if isinstance(settings, LanceDb):
        from heddle.stores.lance import LanceStore

        return LanceStore(folder)
    from heddle.stores.weaviate import WeaviateStore

    return WeaviateStore(settings)
