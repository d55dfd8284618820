"""What an adapter stands upon: goes with it where it was made here, is named where a hub has it."""

import json
import shutil
from pathlib import Path

from assets.assistant.base.parameters import BaseLanguageParameters
from assets.release.files import model_files
from heddle.core.stage import Stage, write_json

ADAPTER_FILE = "adapter_config.json"
BASE = "base"
"""Folder of the release, and what the released adapter calls its base: any other path would be one of this machine."""


def add_base(stage: Stage, base: str, target: Path) -> str | None:
    """Make a released adapter whole: with the model that it was trained on, or with that model's name.

    A model that was trained here, or came from a folder of this machine, nobody else has; one from a hub may be of many
    gigabytes.

    Args:
        stage: `release`.
        base: the stage that made or fetched the model.
        target: the release; its adapter's config is changed.

    Returns:
        The hub id, with its revision where one is pinned, or ``base``; None where the release holds no adapter.
    """
    config = target / ADAPTER_FILE
    if not config.is_file():
        return None
    pretrained = stage.parameters(BaseLanguageParameters, base).pretrained
    if pretrained is None or Path(pretrained).is_dir():
        name, revision = BASE, ""
        (target / BASE).mkdir()
        for file in model_files(stage.input(base)):
            shutil.copyfile(file, target / BASE / file.name)
    else:
        name, _, revision = pretrained.partition("@")
    content = json.loads(config.read_text())
    write_json(config, content | {"base_model_name_or_path": name, "revision": revision or None})
    return BASE if name == BASE else pretrained
