"""Prompt the writer: write content from different inputs, and score given texts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch

from assets.writer.evaluate.claims import CLAIM_KINDS, Floats
from heddle.content.content import Content
from heddle.content.lexicon import Lexicon
from heddle.content.mistakes import make_corruption
from heddle.description.certainty import FIELD
from lightning_modules.image.augmentation import sample_generator
from lightning_modules.layers.generation import Sampler
from lightning_modules.training.shards import ShardSample
from lightning_modules.writer.content_writer import ContentWriter, GeneratedContent, WriterScores
from lightning_modules.writer.corruption import Corruption
from lightning_modules.writer.samples import Inputs, read_inputs

FULL, IMAGE_ONLY, NO_SCENE_GRAPH = "full", "image_only", "no_scene_graph"
"""The writer with all inputs, with the image only, and without objects and relations."""
CALIBRATED = (FULL, IMAGE_ONLY)
"""Systems whose calibration and error detection are measured."""
CORRUPTED_SHARE = 0.5
"""Share of the sellers' texts in which one phrase is replaced."""
OTHER_OBJECT = "surroundings"
"""Kind of an error that changes no claim: a phrase about another object in the image."""


@dataclass(frozen=True)
class WriterOutput:
    """What the writer wrote for N listings from one kind of inputs."""

    inputs: Sequence[Inputs]
    written: Sequence[GeneratedContent]

    @property
    def contents(self) -> list[Content]:
        """The contents of the N listings."""
        return [Content.from_fields(one.fields) for one in self.written]

    @property
    def log_likelihoods(self) -> Floats:
        """Mean log-likelihood of each alt text's tokens, (N,)."""
        return alt_text_log_likelihoods(self.written)


@dataclass(frozen=True)
class CorruptedText:
    """A seller's alt text, in which a phrase may be replaced.

    Attributes:
        text: the text.
        error: kind of the error; None where the text is unchanged.
    """

    text: str
    error: str | None


@dataclass(frozen=True)
class WriterPrompter:
    """Prompts a writer about listings.

    Attributes:
        writer: the writer.
        lexicon: reads the claims of texts.
        ratios: SHA-256 of an original image to its width / height.
        seed: random seed.
    """

    writer: ContentWriter
    lexicon: Lexicon
    ratios: Mapping[str, float]
    seed: int

    def inputs(self, samples: Sequence[ShardSample]) -> dict[str, list[Inputs]]:
        """The inputs of each system: all inputs, the image only, and all but objects and relations."""
        fit = self.writer.network.config.resize_mode
        full = [read_inputs(sample, self.ratios.get(sample.row["image"], 1.0), fit) for sample in samples]
        return {
            FULL: full,
            IMAGE_ONLY: [Inputs(one.image) for one in full],
            NO_SCENE_GRAPH: [replace(one, objects=(), relations=()) for one in full],
        }

    def write(self, inputs: Sequence[Inputs], complete: int = 0) -> WriterOutput:
        """Write greedily: complete content for the first ``complete`` listings, the alt text for the others."""
        written = self.writer.write(inputs[:complete]) + self.writer.write(inputs[complete:], until=FIELD)
        return WriterOutput(inputs, written)

    def sample(self, inputs: Sequence[Inputs], top_p: float) -> list[Content]:
        """Complete contents by nucleus sampling."""
        generator = torch.Generator(self.writer.network.device).manual_seed(self.seed)
        return [Content.from_fields(one.fields) for one in self.writer.write(inputs, Sampler(generator, top_p=top_p))]

    def corrupt(self, samples: Sequence[ShardSample]) -> list[CorruptedText]:
        """The sellers' alt texts, about half of them with one phrase replaced.

        The replacement depends on the seed and the sample's key only. A text without claims stays unchanged.

        Args:
            samples: listings with an alt text.
        """
        return [self._corrupt(sample) for sample in samples]

    def score(self, inputs: Sequence[Inputs], texts: Sequence[str]) -> list[WriterScores]:
        """The writer's scores of given alt texts."""
        return self.writer.score(inputs, [{FIELD: text} for text in texts])

    @cached_property
    def _corruption(self) -> Corruption:
        return make_corruption(self.lexicon)

    def _corrupt(self, sample: ShardSample) -> CorruptedText:
        random = sample_generator(f"{sample.key} mistake", 0, self.seed)
        original = sample.row["alt_text"]
        changed = self._corruption(original, random) if random.random() < CORRUPTED_SHARE else None
        if changed is None:
            return CorruptedText(original, None)
        before, after = self.lexicon.read_facts(original), self.lexicon.read_facts(changed)
        kinds = (kind for kind in CLAIM_KINDS if getattr(before, kind) != getattr(after, kind))
        return CorruptedText(changed, next(kinds, OTHER_OBJECT))


def alt_text_log_likelihoods(scores: Sequence[WriterScores]) -> Floats:
    """Mean log-likelihood of the alt texts' tokens, (N,)."""
    return np.array([one.log_likelihoods[FIELD] for one in scores], dtype=np.float64)
