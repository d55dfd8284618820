"""Train projections of image, text and graph embeddings into one space.

Training uses the listings that have an embedding in every space. The encoders of the spaces are frozen and run once;
only the projections are trained.
"""

from collections.abc import Sequence

from assets.alignment.embedding_spaces.embedding_spaces import NEEDED, EmbeddingSpaces, Encoders
from assets.alignment.train.parameters import AlignmentParameters
from heddle.core.parameters.shared import Compute, read_seed
from heddle.core.skipped import skip_reason
from heddle.core.stage import Metrics, Stage
from heddle.training.training import exit_other_processes, skip_training, training_metrics, write_trained
from lightning_modules.alignment.alignment import Alignment
from lightning_modules.alignment.config import AlignmentConfig, Space
from lightning_modules.alignment.training import AlignmentData, AlignmentModule
from lightning_modules.training.train import ReportProgress, Trained, train


def alignment(stage: Stage) -> Metrics:
    """Embed the listings, train the projections and write those of the best epoch; skip with too few listings."""
    parameters = stage.parameters(AlignmentParameters)
    reason = _find_missing_space(stage, parameters.spaces)
    if reason:
        return skip_training(stage, reason)
    encoders = Encoders(stage, parameters.spaces)
    training, validation = encoders.read("train"), encoders.read("validation")
    reason = _find_shortage(training, validation, parameters)
    if reason:
        return skip_training(stage, reason)
    threads = stage.parameters(Compute, "compute").threads
    trained = train_alignment(training, validation, parameters, read_seed(), threads, stage.progress)
    exit_other_processes(trained)
    write_trained(stage.output, trained)
    return {
        **training_metrics(trained),
        "train_listings": len(training.samples),
        "train_listings_skipped": training.skipped,
        "validation_listings": len(validation.samples),
    }


def _find_missing_space(stage: Stage, spaces: Sequence[Space]) -> str | None:
    """Describe the first space without a trained encoder; None if all spaces exist."""
    if not spaces:
        return "alignment.spaces is empty; set at least two of image, text, graph"
    for space in spaces:
        reason = skip_reason(stage.input(NEEDED[space])) if space in NEEDED else None
        if reason:
            return f"no {space} embeddings: {reason}"
    return None


def _find_shortage(
    training: EmbeddingSpaces, validation: EmbeddingSpaces, parameters: AlignmentParameters
) -> str | None:
    """Describe which listings are too few for training; None if there are enough."""
    all_of = " and ".join(parameters.spaces)
    if len(training.samples) < parameters.batch_size:
        return (
            f"data/shards/train: {len(training.samples)} listings have {all_of}, fewer than one batch of "
            f"{parameters.batch_size}; add listings, lower alignment.batch_size or remove a space"
        )
    if len(validation.samples) < 2:
        return (
            f"data/shards/validation: {len(validation.samples)} listings have {all_of}, at least 2 are needed; "
            "add listings or raise split.validation"
        )
    return None


def train_alignment(
    training: EmbeddingSpaces,
    validation: EmbeddingSpaces,
    parameters: AlignmentParameters,
    seed: int,
    threads: int,
    progress: ReportProgress,
) -> Trained:
    """Train on listings with an embedding in every space; ``seed`` sets initial weights and batch order."""
    config = AlignmentConfig(
        spaces={space: training.vectors[space].shape[1] for space in parameters.spaces},
        hidden_dim=parameters.hidden_dim,
        projection_dim=parameters.projection_dim,
        dropout=parameters.dropout,
    )
    return train(
        lambda: AlignmentModule(Alignment(config).fit_standardization(training.vectors), parameters),
        AlignmentData(
            (training.vectors, training.kinds), (validation.vectors, validation.kinds), parameters.batch_size, seed
        ),
        parameters.trainer,
        seed=seed,
        threads=threads,
        progress=progress,
    )
