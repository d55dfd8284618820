"""Train the reranker: a cross-encoder that learns to rank the guides of a query by their relevance judgements.

It is trained on the queries of the train split. Those of the validation split determine early stopping and calibrate
the scores; those of the test split are never read. The guides are shared by all splits, as every user has them.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import chain, zip_longest

from assets.reranker.train.parameters import RerankerParameters
from heddle.core.parameters.shared import Compute, Split, read_seed
from heddle.core.schemas import read_rows
from heddle.core.splits import SPLITS, SplitName, split_of
from heddle.core.stage import Metrics, Stage, StageError
from heddle.retrieval.config import Mode, RetrievalConfig, RetrievalError
from heddle.retrieval.retriever import Retriever
from heddle.training.checkpoint import checkpoint_errors
from heddle.training.training import exit_other_processes, skip_training, training_metrics, write_history
from lightning_modules.reranker.cross_encoder import (
    CrossEncoder,
    calibrate_scores,
    encode_pairs,
    load_classifier,
    load_pair_tokenizer,
)
from lightning_modules.reranker.ranking_examples import RankingExample
from lightning_modules.reranker.training import CrossEncoderModule, GroupData, RankingProgress
from lightning_modules.tokenization.saved import save_tokenizer
from lightning_modules.training.train import train

Examples = Mapping[SplitName, Sequence[RankingExample]]

NEGATIVES_MODES: tuple[Mode, ...] = ("dense", "bm25")
"""Rankings that hard negatives are mined from."""


def reranker(stage: Stage) -> Metrics:
    """Write the calibrated network of the best epoch, its tokenizer and the history, or the reason for skipping."""
    parameters = stage.parameters(RerankerParameters)
    retriever = _open_retriever(stage)
    examples = _examples(stage, retriever, parameters.negatives_depth)
    training, validation = examples["train"], examples["validation"]
    if len(training) < parameters.batch_size or len(validation) < 2:
        reason = (
            f"data/validated: {len(training)} train queries and {len(validation)} validation queries have a relevant "
            f"guide, at least {parameters.batch_size} and 2 are needed; bring queries and qrels in `catalog`"
        )
        return skip_training(stage, reason)
    index = retriever.index
    stage.progress(f"{len(training)} train queries, {len(validation)} validation queries, {len(index)} guides")
    return _train(stage, parameters, examples, [index.full_text(guide) for guide in range(len(index))])


def _open_retriever(stage: Stage) -> Retriever:
    """The retriever for mining. Its fusion parameters are the defaults, because mining does not fuse."""
    stage.input("index")
    try:
        return Retriever.open(threads=stage.parameters(Compute, "compute").threads)
    except RetrievalError as error:
        raise StageError(str(error)) from error


def _examples(stage: Stage, retriever: Retriever, depth: int) -> Examples:
    """The queries with a relevant guide, by split and sorted by id; the test split stays empty."""
    validated, split = stage.input("validated"), stage.parameters(Split, "split")
    indices = {guide: index for index, guide in enumerate(retriever.index.ids)}
    gains: dict[str, dict[int, float]] = defaultdict(dict)
    for row in read_rows(validated / "qrels.parquet"):
        if row["relevance"] > 0 and row["guide"] in indices:
            gains[row["query"]][indices[row["guide"]]] = 2.0 ** row["relevance"] - 1
    examples: dict[SplitName, list[RankingExample]] = {name: [] for name in SPLITS}
    for row in sorted(read_rows(validated / "queries.parquet"), key=lambda row: row["id"]):
        part, text = split_of(row["id"], split), row["text"]
        if part != "test" and row["id"] in gains:
            relevant = gains[row["id"]]
            examples[part].append(RankingExample(text, relevant, _hard_negatives(retriever, text, relevant, depth)))
    return examples


def _hard_negatives(retriever: Retriever, text: str, relevant: Mapping[int, float], depth: int) -> list[int]:
    """The first `depth` guides of the dense and the BM25 ranking, alternating, without the relevant ones."""
    query = retriever.encode(text)
    heads = [
        retriever.retrieve(query, RetrievalConfig(mode)).ranking.head(depth).indices.tolist()
        for mode in NEGATIVES_MODES
    ]
    alternating = dict.fromkeys(chain.from_iterable(zip_longest(*heads)))
    return [guide for guide in alternating if guide is not None and guide not in relevant]


def _train(stage: Stage, parameters: RerankerParameters, examples: Examples, guides: Sequence[str]) -> Metrics:
    with checkpoint_errors("reranker.pretrained", parameters.pretrained):
        tokenizer = load_pair_tokenizer(parameters.pretrained, parameters.max_length)
        load_classifier(parameters.pretrained, parameters.num_layers, parameters.dropout)
    seed = read_seed()
    encode = partial(encode_pairs, tokenizer)
    data = GroupData(examples["train"], examples["validation"], guides, encode, parameters, seed)
    trained = train(
        lambda: CrossEncoderModule(
            CrossEncoder(load_classifier(parameters.pretrained, parameters.num_layers, parameters.dropout)), parameters
        ),
        data,
        parameters.trainer,
        seed=seed,
        threads=stage.parameters(Compute, "compute").threads,
        progress=stage.progress,
        callbacks=[RankingProgress()],
    )
    exit_other_processes(trained)
    scale, shift = calibrate_scores(trained.network, data.val_dataloader())
    trained.network.save_pretrained(stage.output)
    save_tokenizer(tokenizer, stage.output)
    write_history(stage.output / "history.csv", trained.history)
    queries = {f"{name}_queries": len(examples[name]) for name in ("train", "validation")}
    return {**training_metrics(trained), **queries, "calibration_scale": scale, "calibration_shift": shift}
