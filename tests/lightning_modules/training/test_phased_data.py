from pathlib import Path
from types import SimpleNamespace

import numpy as np
import webdataset
from PIL import Image

from heddle.images.resize import encode_jpeg
from lightning_modules.training.phased_data import PhasedData
from lightning_modules.training.settings import LoadingSettings
from lightning_modules.training.shards import ShardSplit

SETTINGS = LoadingSettings(batch_size=2, num_workers=0, cache=True, shuffle_buffer=4)


def _split(folder: Path, sources: str) -> ShardSplit:
    return ShardSplit(folder, lambda row: row["source"] in sources, SETTINGS)


def test_the_second_phase_learns_from_the_domains_own(tmp_path: Path) -> None:
    with webdataset.TarWriter(str(tmp_path / "00000.tar")) as tar:
        for number in range(12):
            jpg = encode_jpeg(Image.fromarray(np.zeros((4, 4, 3), np.uint8)), 90)
            row = f'{{"source": "{"ab"[number % 2]}"}}'
            tar.write({"__key__": f"{number:03}", "jpg": jpg, "json": row.encode()})
    foundation, domain = _split(tmp_path, "ab"), _split(tmp_path, "b")
    data = PhasedData(foundation, domain, domain, 2, lambda samples, epoch: (samples, epoch), seed=1)
    seen = []
    for epoch in range(4):
        data.trainer = SimpleNamespace(current_epoch=epoch, global_rank=0, world_size=1)  # type: ignore[assignment]
        batches = list(data.train_dataloader())
        assert {drawn for _, drawn in batches} == {epoch}
        seen.append(sorted(sample.row["source"] for samples, _ in batches for sample in samples))
    assert seen == [["a"] * 6 + ["b"] * 6] * 2 + [["b"] * 6] * 2
    validated = [sample.row["source"] for samples, _ in data.val_dataloader() for sample in samples]
    assert validated == ["b"] * 6
