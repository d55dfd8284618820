"""Train projections of images, words and the graph's places into one space, on the listings that have all of them.

The encoders of the three spaces are frozen and run once; the projections alone learn.
"""

from collections.abc import Sequence

from assets.alignment.embedding_spaces.embedding_spaces import NEEDED, Encoders, Spaces
from assets.alignment.train.parameters import AlignmentParameters
from heddle.core.parameters.shared import Compute, read_seed
from heddle.core.skipped import skip_reason
from heddle.core.stage import Metrics, Stage
from heddle.training.training import not_trained, only_first_process, write_trained
from lightning_modules.alignment.alignment import Alignment, AlignmentData, AlignmentModule
from lightning_modules.alignment.config import AlignmentConfig, Space
from lightning_modules.training.train import Progress, Trained, train


def alignment(stage: Stage) -> Metrics:
    """Embed the listings, train the projections, write the best epoch's; say so if there is nothing to align."""
    parameters = stage.parameters(AlignmentParameters)
    if reason := _lacking(stage, parameters.spaces):
        return not_trained(stage, reason)
    encoders = Encoders(stage, parameters.spaces)
    training, validation = encoders.read("train"), encoders.read("validation")
    if reason := _too_few(training, validation, parameters):
        return not_trained(stage, reason)
    threads = stage.parameters(Compute, "compute").threads
    trained = learn(training, validation, parameters, read_seed(), threads, stage.progress)
    only_first_process(trained)
    write_trained(stage.output, trained)
    best = trained.history[trained.best_epoch - 1]
    return {
        "parameters": trained.network.count_parameters(),
        "epochs": len(trained.history),
        "best_epoch": trained.best_epoch,
        "train_listings": len(training.samples),
        "train_listings_left_out": training.left_out,
        "validation_listings": len(validation.samples),
        **{name: value for name, value in best.items() if name not in ("epoch", "learning_rate")},
    }


def _lacking(stage: Stage, spaces: Sequence[Space]) -> str | None:
    """Why a space is missing, if so."""
    if not spaces:
        return "alignment.spaces names no space; name two of image, text, graph, or all"
    reasons = {space: skip_reason(stage.input(NEEDED[space])) for space in spaces if space in NEEDED}
    return next((f"there is no space {space}: {reason}" for space, reason in reasons.items() if reason), None)


def _too_few(training: Spaces, validation: Spaces, parameters: AlignmentParameters) -> str | None:
    """Why there is nothing to learn, if so."""
    all_of = " and ".join(parameters.spaces)
    if len(training.samples) < parameters.batch_size:
        return (
            f"data/shards/train: {len(training.samples)} listings have {all_of}, fewer than one batch of "
            f"{parameters.batch_size}; bring more listings, lower alignment.batch_size or name fewer spaces"
        )
    if len(validation.samples) < 2:
        return (
            f"data/shards/validation: {len(validation.samples)} listings have {all_of}, at least 2 must steer the "
            "training; bring more listings or raise split.validation"
        )
    return None


def learn(
    training: Spaces, validation: Spaces, parameters: AlignmentParameters, seed: int, threads: int, progress: Progress
) -> Trained:
    """Train on listings that have every space; ``seed`` is that of first weights and order."""
    config = AlignmentConfig(
        spaces={space: training.vectors[space].shape[1] for space in parameters.spaces},
        hidden_dim=parameters.hidden_dim,
        projection_dim=parameters.projection_dim,
        dropout=parameters.dropout,
    )
    return train(
        lambda: AlignmentModule(Alignment(config).standardising(training.vectors), parameters),
        AlignmentData(
            (training.vectors, training.kinds), (validation.vectors, validation.kinds), parameters.batch_size, seed
        ),
        parameters.trainer,
        seed=seed,
        threads=threads,
        progress=progress,
    )
