"""Ablation of the writer: short trainings without each part, measured on alt texts of the validation split.

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
from lightning_modules.training.shards import read_samples
from lightning_modules.writer.config import FusionShape, WriterShape
from lightning_modules.writer.content_writer import ContentWriter
from lightning_modules.writer.samples import Inputs, read_inputs


class AblationStage(Stage):
    """The stage with another shape and number of epochs."""

    def __init__(self, output: Path, epochs: int, without: str) -> None:
        super().__init__("writer", output)
        self.epochs, self.without = epochs, without

    def parameters(self, section: type[SectionType], name: str | None = None) -> SectionType:
        """The section, changed if it is the writer's."""
        read = super().parameters(section, name)
        if not isinstance(read, WriterParameters):
            return read
        trainer = read.trainer.model_copy(update={"max_epochs": self.epochs})
        changed = {"trainer": trainer, "network": shapes(read.network)[self.without]}
        return read.model_copy(update=changed)  # type: ignore[return-value]


def shapes(shape: WriterShape) -> Mapping[str, WriterShape]:
    """Name of a part to the shape without it."""
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
    """Train and measure each shape, or those without the named parts. Prints the table line by line."""
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
    """Inputs to the recall of items, materials, colours and relations."""
    content_writer, lexicon = ContentWriter.from_folder(folder), Lexicon.from_folder(folder)
    samples = list(read_samples(Path("data/shards/validation")))
    ratios, fit = image_ratios(Path("data/catalog")), content_writer.network.config.resize_mode
    known = [read_inputs(sample, ratios[sample.row["image"]], fit) for sample in samples]
    actual = [listing_facts(sample.row) for sample in samples]
    views = {"full": known, "image only": [Inputs(one.image) for one in known]}
    texts = {
        view: [one.fields["alt_text"] for one in content_writer.write(these, until="alt_text")]
        for view, these in views.items()
    }
    return {
        view: _recalls([lexicon.read_facts(str(text)) for text in of_view], actual) for view, of_view in texts.items()
    }


def _recalls(claimed: list[ImageFacts], actual: list[ImageFacts]) -> list[float]:
    pairs = list(zip(claimed, actual, strict=True))
    recalls = []
    for kind in KINDS:
        correct = [getattr(claim, kind) == getattr(fact, kind) for claim, fact in pairs if getattr(fact, kind)]
        recalls.append(sum(correct) / max(1, len(correct)))
    relations = sum(len(fact.relations) for fact in actual)
    found = sum(len(claim.relations & fact.relations) for claim, fact in pairs)
    return [*recalls, found / max(1, relations)]


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 4, sys.argv[2:])
