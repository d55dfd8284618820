"""Texts of nodes as features: a sentence encoder's vectors, projected to few dimensions."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from lightning_modules.sentence_encoder.sentence_encoder import SentenceEncoder

Floats = NDArray[np.float32]
ENCODER_FILE = "encoder.json"
"""Which encoder made the vectors, as the parameters name it."""
PROJECTION_FILE = "projection.safetensors"
NOTHING = 1e-10
"""A direction with less than this share of the largest variance holds rounding errors only."""


@dataclass(frozen=True)
class Projection:
    """Principal components (Pearson 1901), scaled so that a feature's mean square is 1.

    Attributes:
        mean: of the vectors, (V,).
        components: what the centred vectors are multiplied by, (V, D); zeros where there are fewer directions.
    """

    mean: Floats
    components: Floats

    @classmethod
    def fitted(cls, vectors: Floats, dimensions: int) -> Self:
        """The directions of the largest variance of ``vectors`` (N, V), largest first."""
        exact = vectors.astype(np.float64)
        mean = exact.mean(axis=0)
        variances, directions = np.linalg.eigh((exact - mean).T @ (exact - mean) / len(exact))
        order = np.argsort(-variances, kind="stable")[:dimensions]
        kept = order[variances[order] > NOTHING * max(variances.max(), NOTHING)]
        chosen = directions[:, kept]
        chosen = chosen * np.sign(chosen[np.abs(chosen).argmax(axis=0), np.arange(len(kept))])  # either sign is right
        components = np.zeros((vectors.shape[1], dimensions))
        components[:, : len(kept)] = chosen / np.sqrt(variances[kept].sum() / dimensions or 1)
        return cls(mean.astype(np.float32), components.astype(np.float32))

    def __call__(self, vectors: Floats) -> Floats:
        """Vectors (N, V) -> features (N, D)."""
        return ((vectors - self.mean) @ self.components).astype(np.float32)

    def save(self, folder: Path) -> None:
        """Write it into an existing folder."""
        save_file({"mean": self.mean, "components": self.components}, folder / PROJECTION_FILE)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """What :meth:`save` wrote."""
        return cls(**load_file(folder / PROJECTION_FILE))


def embed_texts(
    texts: Sequence[str | None], fitted_on: int, encoder: SentenceEncoder, dimensions: int
) -> tuple[Floats, Projection | None]:
    """Features (N, dimensions), and what projected them; zeros, the mean text, for a node without text.

    Args:
        texts: of the nodes.
        fitted_on: how many of the nodes, the first, tell the directions.
        encoder: of the texts.
        dimensions: of the features.

    Returns:
        The projection is None, and all features are zeros, where none of the first nodes has a text.
    """
    written = [place for place, text in enumerate(texts) if text]
    features = np.zeros((len(texts), dimensions), np.float32)
    first = sum(place < fitted_on for place in written)
    if not first:
        return features, None
    vectors = encoder.documents([text for text in texts if text])
    projection = Projection.fitted(vectors[:first], dimensions)
    features[written] = projection(vectors)
    return features, projection
