"""Save tokenizers of transformers with reproducible bytes."""

import json
from pathlib import Path

from transformers import PreTrainedTokenizerBase

ORIGIN = ("is_local", "local_files_only", "name_or_path")


def save_tokenizer(tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    """Write a tokenizer without the path that it was loaded from, which differs between machines."""
    tokenizer.save_pretrained(folder)
    path = folder / "tokenizer_config.json"
    content = json.loads(path.read_text())
    kept = {key: value for key, value in content.items() if key not in ORIGIN}
    path.write_text(json.dumps(kept, indent=2, sort_keys=True, ensure_ascii=False) + "\n")
