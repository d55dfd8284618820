"""The held-out listings share no image and no near duplicate with the training split."""

import json
import tarfile

import numpy as np
import pytest

from heddle.core.parameters.section import load
from heddle.core.schemas import read_rows
from heddle.sources.parameters import CatalogParameters

pytestmark = pytest.mark.xdist_group("reproduced")


def _images(reproduced, split: str) -> set[str]:
    """SHA-256 of the original image of each listing of a split."""
    found = set()
    for tar in sorted((reproduced.root / "data/shards" / split).glob("*.tar")):
        with tarfile.open(tar) as file:
            members = [member for member in file if member.name.endswith(".json")]
            found |= {json.load(file.extractfile(member))["image"] for member in members}
    return found


def test_held_out_images_have_no_duplicate_in_training(reproduced):
    hashes = {
        row["sha256"]: np.unpackbits(np.frombuffer(bytes.fromhex(row["perceptual_hash"]), np.uint8))
        for row in read_rows(reproduced.root / "data/catalog/images.parquet")
    }
    bits = load("catalog", CatalogParameters, reproduced.root).max_hash_distance
    train = _images(reproduced, "train")
    for split in ("validation", "test"):
        held_out = _images(reproduced, split)
        assert held_out
        assert not held_out & train
        nearest = min(int((hashes[a] != hashes[b]).sum()) for a in held_out for b in train)
        assert nearest > bits
