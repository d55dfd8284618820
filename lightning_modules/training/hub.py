"""Names of checkpoints on a hub."""

from pathlib import Path


def parse_hub_id(checkpoint: str) -> tuple[str, str]:
    """Folder or hub id, and the revision: ``id@revision`` pins a hub id to a commit, branch or tag."""
    if Path(checkpoint).is_dir():
        return checkpoint, "main"
    name, _, revision = checkpoint.partition("@")
    return name, revision or "main"
