"""How the writer is asked: with what of a listing, and about which texts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from heddle.content.content import Content
from heddle.content.lexicon import Lexicon
from heddle.content.mistakes import make_corruption
from heddle.description.certainty import FIELD
from lightning_modules.image.augmentation import sample_generator
from lightning_modules.layers.generation import Sampler
from lightning_modules.training.data import ShardSample
from lightning_modules.writer.content_writer import ContentWriter, WriterScores
from lightning_modules.writer.corruption import Corruption
from lightning_modules.writer.samples import Inputs, read_inputs

WRITER, IMAGE_ALONE, WITHOUT_GRAPH = "writer", "image_alone", "without_graph"
VIEWS = (WRITER, IMAGE_ALONE)
"""Ways of asking whose certainty and errors are told."""
SPOILT = 0.5
"""Share of the sellers' texts that get a mistake."""
ELSEWHERE = "surroundings"
"""Kind of a mistake from which the lexicon reads no other statement: a word about another thing in the image."""
KINDS = ("item", "material", "colour", "relations")


@dataclass(frozen=True)
class WriterPrompter:
    """Asks a writer about listings.

    Attributes:
        writer: is asked.
        lexicon: reads what texts state.
        ratios: SHA-256 of an original image -> its width / height.
        seed: of what is drawn.
    """

    writer: ContentWriter
    lexicon: Lexicon
    ratios: Mapping[str, float]
    seed: int

    def views(self, samples: Sequence[ShardSample]) -> dict[str, list[Inputs]]:
        """The listings with all that they tell, by their image alone, and without objects and relations."""
        fit = self.writer.network.config.resize_mode
        whole = [read_inputs(sample, self.ratios.get(sample.row["image"], 1.0), fit) for sample in samples]
        return {
            WRITER: whole,
            IMAGE_ALONE: [Inputs(one.image) for one in whole],
            WITHOUT_GRAPH: [replace(one, objects=(), relations=()) for one in whole],
        }

    def sampled(self, inputs: Sequence[Inputs], top_p: float) -> list[Content]:
        """Whole contents whose tokens are drawn."""
        generator = torch.Generator(self.writer.network.device).manual_seed(self.seed)
        return [Content.from_fields(one.fields) for one in self.writer.write(inputs, Sampler(generator, top_p=top_p))]

    def spoilt(self, samples: Sequence[ShardSample]) -> tuple[list[str], list[str | None]]:
        """The sellers' alt texts, about half of them with one phrase swapped, and what each mistake is about.

        What is swapped is drawn by seed and key alone. A text that states nothing stays as it is.

        Args:
            samples: listings with an alt text, N.
        """
        texts: list[str] = []
        kinds: list[str | None] = []
        for sample in samples:
            random = sample_generator(f"{sample.key} mistake", 0, self.seed)
            seller = sample.row["alt_text"]
            text = self._corruption(seller, random) if random.random() < SPOILT else None
            texts.append(seller if text is None else text)
            kinds.append(None if text is None else self._kind(seller, text))
        return texts, kinds

    def judged(self, inputs: Sequence[Inputs], texts: Sequence[str]) -> list[WriterScores]:
        """What the writer thinks of alt texts."""
        return self.writer.judge(inputs, [{FIELD: text} for text in texts])

    @cached_property
    def _corruption(self) -> Corruption:
        return make_corruption(self.lexicon)

    def _kind(self, before: str, after: str) -> str:
        one, other = self.lexicon.read_facts(before), self.lexicon.read_facts(after)
        return next((kind for kind in KINDS if getattr(one, kind) != getattr(other, kind)), ELSEWHERE)


def likelihoods(judged: Sequence[WriterScores]) -> NDArray[np.float64]:
    """Mean log likelihood of the alt texts' tokens, (N,)."""
    return np.array([one.certainty[FIELD] for one in judged], dtype=np.float64)
