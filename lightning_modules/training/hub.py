"""Names of checkpoints on the Hugging Face hub."""

from pathlib import Path


def parse_hub_id(checkpoint: str) -> tuple[str, str]:
    """Split ``id@revision`` into hub id and revision (commit, branch or tag, default "main"); a folder is unchanged."""
    if Path(checkpoint).is_dir():
        return checkpoint, "main"
    name, _, revision = checkpoint.partition("@")
    return name, revision or "main"
