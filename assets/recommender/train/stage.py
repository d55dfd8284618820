"""Train the recommender on the graph: embeddings whose dot products tell edges from pairs that are none."""

import shutil

from assets.recommender.train.parameters import RecommenderParameters
from heddle.core.parameters.shared import Compute, read_seed
from heddle.core.skipped import skip_reason
from heddle.core.stage import Metrics, Stage, StageError
from heddle.graph.features import ENCODER_FILE, PROJECTION_FILE
from heddle.graph.tables import MESSAGE, Graph, once
from heddle.training.training import not_trained, only_first_process, write_trained
from lightning_modules.recommender.config import GraphConfig
from lightning_modules.recommender.embedder import GraphEmbedder
from lightning_modules.recommender.graph import GraphModule, GraphRecommender, LinkAuc
from lightning_modules.recommender.links import LinkData
from lightning_modules.training.train import Progress, Trained, train

READ_WITH = (ENCODER_FILE, PROJECTION_FILE)
"""Of ``data/graph``: what turns a text into features."""


def recommender(stage: Stage) -> Metrics:
    """Train, embed every node, write the best epoch's network; say so if there are too few edges."""
    parameters = stage.parameters(RecommenderParameters)
    folder = stage.input("graph")
    if reason := skip_reason(folder):
        return not_trained(stage, reason)
    graph = Graph.open(folder)
    counts = {f"{split}_edges": len(graph.predicted(split)) for split in ("train", "validation")}
    if reason := _too_few(graph, parameters):
        return {**not_trained(stage, reason), **counts}
    if not parameters.node_embedding_dim and not graph.features.any():
        raise StageError(
            "data/graph: no node has a text; give nodes texts, or set recommender.node_embedding_dim to 32 or more"
        )
    stage.progress(f"{graph.core} nodes, {counts['train_edges']} edges to learn, {counts['validation_edges']} validate")
    threads = stage.parameters(Compute, "compute").threads
    trained = learn(graph, parameters, read_seed(), threads, stage.progress)
    only_first_process(trained)
    write_trained(stage.output, trained)
    embeddings = GraphEmbedder(trained.network)(graph.features, graph.messages, graph.heard)
    graph.save_known(stage.output, embedding=embeddings)
    for name in READ_WITH:
        if (folder / name).is_file():
            shutil.copyfile(folder / name, stage.output / name)
    best = trained.history[trained.best_epoch - 1]
    return {
        "parameters": trained.network.count_parameters(),
        "epochs": len(trained.history),
        "best_epoch": trained.best_epoch,
        **counts,
        **{name: value for name, value in best.items() if name not in ("epoch", "learning_rate")},
    }


def _too_few(graph: Graph, parameters: RecommenderParameters) -> str | None:
    """Why there is nothing to learn, if so."""
    train, validation = (len(graph.predicted(split)) for split in ("train", "validation"))
    if train < parameters.batches_per_epoch:
        return (
            f"data/graph: {train} train edges are to be predicted, fewer than the {parameters.batches_per_epoch} "
            "batches of an epoch; bring more edges or name their relations in graph.predicted"
        )
    if not validation or not len(graph.negatives["validation"]):
        return (
            f"data/graph: {validation} validation edges and {len(graph.negatives['validation'])} pairs that no edge "
            "joins steer the training, one of each is needed; bring more edges or raise split.validation"
        )
    return None


def learn(graph: Graph, parameters: RecommenderParameters, seed: int, threads: int, progress: Progress) -> Trained:
    """Train on a graph that has train and validation edges; listings, which tell nobody of themselves, come later.

    Args:
        graph: opened or made.
        parameters: of the network and the training.
        seed: of first weights, order and negatives.
        threads: of this process.
        progress: gets a line for each epoch.
    """
    told = graph.core
    features, types = graph.features[:told], graph.types[:told]
    messages = once(graph.edges[graph.parts == MESSAGE], len(graph.ids))
    validation = graph.predicted("validation"), graph.negatives["validation"]
    config = GraphConfig(
        convolution=parameters.convolution,
        hidden_dims=parameters.hidden_dims,
        features=features.shape[1],
        dropout=parameters.dropout,
        feature_dropout=parameters.feature_dropout,
        nodes=told if parameters.node_embedding_dim else 0,
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
        callbacks=[LinkAuc()],
    )
