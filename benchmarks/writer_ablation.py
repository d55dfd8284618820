"""What each part of the writer is worth: short trainings without it, measured on alt texts of the validation split.

    python benchmarks/writer_ablation.py [epochs] [part ...]

Reads data/shards, data/tokenizer, data/catalog and the tower that the parameters name; writes to a temporary folder.
"""

import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from assets.writer.train.parameters import WriterParameters
from assets.writer.train.stage import writer
from heddle.content.lexicon import KINDS, ImageFacts, Lexicon, listing_facts
from heddle.core.parameters.section import SectionType
from heddle.core.stage import Stage
from heddle.images.aspect_ratios import image_ratios
from lightning_modules.training.data import read_samples
from lightning_modules.writer.config import FusionShape, WriterShape
from lightning_modules.writer.content_writer import ContentWriter
from lightning_modules.writer.samples import Inputs, read_inputs


class AblationStage(Stage):
    """The stage with another shape and length."""

    def __init__(self, output: Path, epochs: int, without: str) -> None:
        super().__init__("writer", output)
        self.epochs, self.without = epochs, without

    def parameters(self, section: type[SectionType], name: str | None = None) -> SectionType:
        """The section, changed where it is the writer's."""
        read = super().parameters(section, name)
        if not isinstance(read, WriterParameters):
            return read
        trainer = read.trainer.model_copy(update={"max_epochs": self.epochs})
        changed = {"trainer": trainer, "network": shapes(read.network)[self.without]}
        return read.model_copy(update=changed)  # type: ignore[return-value]


def shapes(shape: WriterShape) -> Mapping[str, WriterShape]:
    """What is left out -> the shape without it."""
    fusion, scene = shape.fusion, shape.scene
    assert scene is not None
    off: FusionShape = replace(fusion, early=False, mid=False, late=False)
    return {
        "nothing": shape,
        "scene": replace(shape, scene=None),
        "convolutions": replace(shape, scene=replace(scene, num_layers=0)),
        "relation tokens": replace(shape, scene=replace(scene, relation_tokens=False)),
        "cross-modal attention": replace(shape, cross_modal=None),
        "early fusion": replace(shape, fusion=replace(fusion, early=False)),
        "mid fusion": replace(shape, fusion=replace(fusion, mid=False)),
        "late fusion": replace(shape, fusion=replace(fusion, late=False)),
        "all fusion": replace(shape, fusion=off),
    }


def main(epochs: int, parts: Sequence[str]) -> None:
    """Train and measure each shape, or those without the named parts; prints a line of the table when it is known."""
    print("| without | view | item | material | colour | relations | generation loss |\n|---|---|---|---|---|---|---|")
    for without in parts or shapes(AblationStage(Path(), epochs, "nothing").parameters(WriterParameters).network):
        with tempfile.TemporaryDirectory() as folder:
            loss = writer(AblationStage(Path(folder), epochs, without))["validation_generation_loss"]
            for view, shares in _measured(Path(folder)).items():
                print(
                    f"| {without} | {view} | {' | '.join(f'{share:.3f}' for share in shares)} | {loss:.3f} |",
                    flush=True,
                )


def _measured(folder: Path) -> dict[str, list[float]]:
    """View -> shares of items, materials, colours and relations that the alt texts state rightly."""
    opened, lexicon = ContentWriter.from_folder(folder), Lexicon.from_folder(folder)
    samples = list(read_samples(Path("data/shards/validation")))
    ratios, fit = image_ratios(Path("data/catalog")), opened.network.config.resize_mode
    known = [read_inputs(sample, ratios[sample.row["image"]], fit) for sample in samples]
    truths = [listing_facts(sample.row) for sample in samples]
    views = {"whole": known, "image alone": [Inputs(one.image) for one in known]}
    told = {
        view: [one.fields["alt_text"] for one in opened.write(these, until="alt_text")] for view, these in views.items()
    }
    return {view: _shares([lexicon.read_facts(str(text)) for text in texts], truths) for view, texts in told.items()}


def _shares(stated: list[ImageFacts], truths: list[ImageFacts]) -> list[float]:
    pairs = list(zip(stated, truths, strict=True))
    shares = []
    for kind in KINDS:
        right = [getattr(one, kind) == getattr(truth, kind) for one, truth in pairs if getattr(truth, kind)]
        shares.append(sum(right) / max(1, len(right)))
    there = sum(len(truth.relations) for truth in truths)
    return [*shares, sum(len(one.relations & truth.relations) for one, truth in pairs) / max(1, there)]


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 4, sys.argv[2:])
