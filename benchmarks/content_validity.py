"""Check that all content of a writer is valid: ``python benchmarks/content_validity.py``.

Content for listings of all splits is written greedily and by sampling, from the image only and from all inputs, and
validated against `docs/content.schema.json`. ``--untrained`` uses random weights: only the grammar is in effect and
texts reach their limits, so choose fewer images.
"""

import argparse
import itertools
import time
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table

from heddle.content.content import Content
from heddle.content.schema import problems
from heddle.images.aspect_ratios import image_ratios
from lightning_modules.layers.generation import Pick, Sampler, greedy
from lightning_modules.training.inference import iterate_batches
from lightning_modules.training.shards import read_samples
from lightning_modules.writer.content_fields import FIELDS
from lightning_modules.writer.content_writer import ContentWriter
from lightning_modules.writer.samples import Inputs, read_inputs
from lightning_modules.writer.writer import Writer

DATA = Path("data")


def main() -> None:
    """Write, validate and print a table. Exit status 1 if any content is invalid."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--writer", type=Path, default=DATA / "writer", help="folder of a writer")
    parser.add_argument("--untrained", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--top-p", type=float, default=0.95)
    arguments = parser.parse_args()
    writer = load_writer(arguments.writer, arguments.untrained, arguments.seed)
    known = inputs(writer, arguments.images)
    views = {"all inputs": known}
    if not arguments.untrained:  # untrained words do not depend on the inputs
        views["image only"] = [Inputs(one.image) for one in known]
    shown = Table(
        "view", "words", "images", "valid", "longest title", "longest alt text", "s", title=weights(arguments)
    )
    wrong: list[str] = []
    for view, each in views.items():
        generator = torch.Generator().manual_seed(arguments.seed)
        for words, pick in (("greedy", greedy), ("sampled", Sampler(generator, top_p=arguments.top_p))):
            begun = time.monotonic()
            contents = written(writer, each, pick)
            found = [problems(content.as_json()) for content in contents]
            wrong += itertools.chain.from_iterable(found)
            valid = sum(not one for one in found)
            longest = [
                str(max(map(len, texts))) for texts in zip(*((c.title, c.alt_text) for c in contents), strict=True)
            ]
            shown.add_row(view, words, str(len(each)), str(valid), *longest, f"{time.monotonic() - begun:.0f}")
            print(view, words, valid, "of", len(each), flush=True)
    Console(width=120).print(shown)
    raise SystemExit("\n".join(wrong[:20]) or 0)


def weights(arguments: argparse.Namespace) -> str:
    """Title of the table."""
    return "untrained weights" if arguments.untrained else "trained weights"


def load_writer(folder: Path, untrained: bool, seed: int) -> ContentWriter:
    """The writer in a folder, or one of its shape with random weights."""
    writer = ContentWriter.from_folder(folder)
    if untrained:
        torch.manual_seed(seed)
        writer = ContentWriter(Writer(writer.network.config).eval(), writer.reader.tokenizer)
    return writer


def inputs(writer: ContentWriter, count: int) -> list[Inputs]:
    """The inputs of the first listings."""
    ratios = image_ratios(DATA / "catalog")
    splits = (read_samples(DATA / "shards" / split) for split in ("test", "validation", "train"))
    samples = itertools.islice(itertools.chain.from_iterable(splits), count)
    return [read_inputs(one, ratios[one.row["image"]], writer.network.config.resize_mode) for one in samples]


def written(writer: ContentWriter, each: list[Inputs], pick: Pick) -> list[Content]:
    """Complete contents without scores, which would take longer than writing texts of 3,000 tokens."""
    contents = []
    with torch.inference_mode():
        for batch in iterate_batches(each):
            tokens = writer._generate(writer._memory(batch), pick, len(FIELDS))
            contents += [Content.from_fields(writer.tokens.decode(row)) for row in tokens.tolist()]
    return contents


if __name__ == "__main__":
    main()
