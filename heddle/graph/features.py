"""Node features: sentence embeddings of the nodes' texts, projected by PCA."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from heddle.core.errors import naming

if TYPE_CHECKING:
    from lightning_modules.sentence_encoder.sentence_encoder import SentenceEncoder  # imports torch, which is slow

Floats = NDArray[np.float32]
ENCODER_FILE = "encoder.json"
"""Parameters of the encoder that computed the vectors."""
PROJECTION_FILE = "projection.safetensors"
MIN_VARIANCE_RATIO = 1e-10
"""A direction with less than this share of the largest variance contains rounding errors only."""


@dataclass(frozen=True)
class Projection:
    """Principal components (Pearson 1901), scaled so that the mean square of a feature is 1.

    Attributes:
        mean: of the vectors, (V,).
        components: matrix that multiplies the centred vectors, (V, D); zeros if there are fewer than D directions.
    """

    mean: Floats
    components: Floats

    @classmethod
    def fit(cls, vectors: Floats, dimensions: int) -> Self:
        """Fit to ``vectors`` (N, V): the directions of the largest variance, largest first."""
        exact = vectors.astype(np.float64)
        mean = exact.mean(axis=0)
        variances, directions = np.linalg.eigh((exact - mean).T @ (exact - mean) / len(exact))
        order = np.argsort(-variances, kind="stable")[:dimensions]
        kept = order[variances[order] > MIN_VARIANCE_RATIO * max(variances.max(), MIN_VARIANCE_RATIO)]
        chosen = directions[:, kept]
        chosen = chosen * np.sign(
            chosen[np.abs(chosen).argmax(axis=0), np.arange(len(kept))]
        )  # fixes the sign, which is arbitrary
        components = np.zeros((vectors.shape[1], dimensions))
        components[:, : len(kept)] = chosen / np.sqrt(variances[kept].sum() / dimensions or 1)
        return cls(mean.astype(np.float32), components.astype(np.float32))

    def __call__(self, vectors: Floats) -> Floats:
        """Vectors (N, V) -> features (N, D)."""
        return ((vectors - self.mean) @ self.components).astype(np.float32)

    def save(self, folder: Path) -> None:
        """Write the projection into an existing folder."""
        save_file({"mean": self.mean, "components": self.components}, folder / PROJECTION_FILE)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the projection that :meth:`save` wrote."""
        file = folder / PROJECTION_FILE
        with naming(file):
            return cls(**load_file(file))


def embed_texts(
    texts: Sequence[str | None], fitted_on: int, encoder: "SentenceEncoder", dimensions: int
) -> tuple[Floats, Projection | None]:
    """Compute features (N, dimensions) and fit their projection; a node without text gets zeros, the mean.

    Args:
        texts: of the nodes.
        fitted_on: number of nodes, from the first, that the projection is fitted to.
        encoder: of the texts.
        dimensions: of the features.

    Returns:
        Features and projection. Without a text among the first nodes the features are zeros, the projection None.
    """
    with_text = [index for index, text in enumerate(texts) if text]
    features = np.zeros((len(texts), dimensions), np.float32)
    num_fitted = sum(index < fitted_on for index in with_text)
    if not num_fitted:
        return features, None
    vectors = encoder.documents([text for text in texts if text])
    projection = Projection.fit(vectors[:num_fitted], dimensions)
    features[with_text] = projection(vectors)
    return features, projection
