"""Train the recommender: node embeddings for link prediction on the graph of the catalogue."""

import shutil

from assets.recommender.train.parameters import RecommenderParameters
from heddle.core.parameters.shared import Compute, read_seed
from heddle.core.skipped import skip_reason
from heddle.core.stage import Metrics, Stage, StageError
from heddle.graph.features import ENCODER_FILE, PROJECTION_FILE
from heddle.graph.tables import MESSAGE, CatalogGraph, unique_pairs
from heddle.training.training import exit_other_processes, skip_training, training_metrics, write_trained
from lightning_modules.recommender.config import GraphConfig
from lightning_modules.recommender.embedder import GraphEmbedder
from lightning_modules.recommender.graph import GraphRecommender
from lightning_modules.recommender.training import GraphModule, LinkAurocLogger, LinkData
from lightning_modules.training.train import ReportProgress, Trained, train

FEATURE_FILES = (ENCODER_FILE, PROJECTION_FILE)
"""Files of ``data/graph`` that turn a text into node features."""


def recommender(stage: Stage) -> Metrics:
    """Train, embed every node and write the network of the best epoch; skip with too few edges.

    Raises:
        StageError: no node has features.
    """
    parameters = stage.parameters(RecommenderParameters)
    folder = stage.input("graph")
    reason = skip_reason(folder)
    if reason:
        return skip_training(stage, reason)
    graph = CatalogGraph.open(folder)
    counts = {f"{split}_edges": len(graph.predicted(split)) for split in ("train", "validation")}
    reason = _find_shortage(graph, parameters)
    if reason:
        return {**skip_training(stage, reason), **counts}
    if not parameters.node_embedding_dim and not graph.features.any():
        raise StageError(
            "data/graph: no node has a text; give nodes texts, or set recommender.node_embedding_dim to 32 or more"
        )
    stage.progress(
        f"training on {graph.num_transductive} nodes and {counts['train_edges']} train edges, "
        f"{counts['validation_edges']} validation edges"
    )
    threads = stage.parameters(Compute, "compute").threads
    trained = train_recommender(graph, parameters, read_seed(), threads, stage.progress)
    exit_other_processes(trained)
    write_trained(stage.output, trained)
    embeddings = GraphEmbedder(trained.network)(graph.features, graph.message_edges, graph.inductive_edges)
    graph.save_without_negatives(stage.output, embedding=embeddings)
    for name in FEATURE_FILES:
        if (folder / name).is_file():
            shutil.copyfile(folder / name, stage.output / name)
    return {**training_metrics(trained), **counts}


def _find_shortage(graph: CatalogGraph, parameters: RecommenderParameters) -> str | None:
    """Describe which edges are too few for training; None if there are enough."""
    train_edges, validation_edges = (len(graph.predicted(split)) for split in ("train", "validation"))
    validation_negatives = len(graph.negatives["validation"])
    if train_edges < parameters.batches_per_epoch:
        return (
            f"data/graph: {train_edges} train edges are to be predicted, fewer than the "
            f"{parameters.batches_per_epoch} batches of an epoch; add edges or add their relations to graph.predicted"
        )
    if not validation_edges or not validation_negatives:
        return (
            f"data/graph: {validation_edges} validation edges and {validation_negatives} validation negatives, at "
            "least one of each is needed; add edges or raise graph.split.validation"
        )
    return None


def train_recommender(
    graph: CatalogGraph, parameters: RecommenderParameters, seed: int, threads: int, progress: ReportProgress
) -> Trained:
    """Train on the transductive nodes of a graph that has train and validation edges.

    Inductive nodes (listings) send no messages, so they are embedded after the training.

    Args:
        graph: read from a folder or built in memory.
        parameters: settings of the network and the training.
        seed: of initial weights, batch order and negatives.
        threads: CPU threads of this process.
        progress: gets one line per epoch.
    """
    count = graph.num_transductive
    features, types = graph.features[:count], graph.types[:count]
    messages = unique_pairs(graph.edges[graph.parts == MESSAGE], len(graph.ids))
    validation = graph.predicted("validation"), graph.negatives["validation"]
    config = GraphConfig(
        convolution=parameters.convolution,
        hidden_dims=parameters.hidden_dims,
        features=features.shape[1],
        dropout=parameters.dropout,
        feature_dropout=parameters.feature_dropout,
        nodes=count if parameters.node_embedding_dim else 0,
        node_embedding_dim=parameters.node_embedding_dim,
        skip_connection_dim=parameters.skip_connection_dim,
    )
    return train(
        lambda: GraphModule(GraphRecommender(config), parameters, parameters.l2_penalty),
        LinkData(
            features,
            types,
            messages,
            graph.predicted("train"),
            validation,
            parameters.batches_per_epoch,
            seed,
            parameters.fan_out,
        ),
        parameters.trainer,
        seed=seed,
        threads=threads,
        progress=progress,
        callbacks=[LinkAurocLogger()],
    )
