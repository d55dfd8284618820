"""Train the reranker: a cross-encoder that learns from judged questions which guides answer them best.

Learned from are the questions of the train split alone; those of the validation split tell when to stop and calibrate
the scores; those of the test split are never read. The guides are read by all, as whoever asks has them at hand.
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
from heddle.retrieval.retriever import RetrievalConfig, RetrievalError, Retriever
from heddle.training.training import not_trained, only_first_process, write_history
from lightning_modules.reranker.cross_encoder import (
    CrossEncoder,
    CrossEncoderModule,
    calibrated,
    encoded,
    load_classifier,
    load_pair_tokenizer,
)
from lightning_modules.reranker.judged_groups import GroupData, Lesson, RankingProgress
from lightning_modules.tokenization.saved import save_tokenizer
from lightning_modules.training.train import Trained, train

Lessons = Mapping[SplitName, Sequence[Lesson]]


def reranker(stage: Stage) -> Metrics:
    """Write the best epoch's network, calibrated, its tokenizer and the history; say so if there is too little."""
    parameters = stage.parameters(RerankerParameters)
    retriever = _opened(stage)
    lessons = _lessons(stage, retriever, parameters.negatives_depth)
    training, validation = lessons["train"], lessons["validation"]
    if len(training) < parameters.batch_size or len(validation) < 2:
        reason = (
            f"data/validated: {len(training)} train queries and {len(validation)} validation queries have a relevant "
            f"guide, at least {parameters.batch_size} and 2 are needed; bring queries and qrels in `catalog`"
        )
        return not_trained(stage, reason)
    stage.progress(f"{len(training)} train queries, {len(validation)} validate, {len(retriever.library)} guides")
    return _trained(
        stage, parameters, lessons, [retriever.library.said(place) for place in range(len(retriever.library))]
    )


def _opened(stage: Stage) -> Retriever:
    """The two rankings that negatives are mined from; how they would be fused does not matter."""
    stage.input("index")
    try:
        return Retriever.open(threads=stage.parameters(Compute, "compute").threads)
    except RetrievalError as error:
        raise StageError(str(error)) from error


def _lessons(stage: Stage, retriever: Retriever, mined: int) -> Lessons:
    """The questions with a relevant guide, by split and sorted by id; none of the test split."""
    validated, split = stage.input("validated"), stage.parameters(Split, "split")
    places = {guide: place for place, guide in enumerate(retriever.library.ids)}
    gains: dict[str, dict[int, float]] = defaultdict(dict)
    for row in read_rows(validated / "qrels.parquet"):
        if row["relevance"] > 0 and row["guide"] in places:
            gains[row["query"]][places[row["guide"]]] = 2.0 ** row["relevance"] - 1
    lessons: dict[SplitName, list[Lesson]] = {name: [] for name in SPLITS}
    for row in sorted(read_rows(validated / "queries.parquet"), key=lambda row: row["id"]):
        part = split_of(row["id"], split)
        if part != "test" and row["id"] in gains:
            found = gains[row["id"]]
            lessons[part].append(Lesson(row["text"], found, _hard(retriever, row["text"], found, mined)))
    return lessons


def _hard(retriever: Retriever, question: str, gains: Mapping[int, float], mined: int) -> list[int]:
    """The first guides by meaning and by words in turn, those judged relevant left out."""
    asked = retriever.question(question)
    heads = [
        retriever.look(asked, RetrievalConfig(mode)).ranking.first(mined).places.tolist()
        for mode in ("dense", "sparse")
    ]
    in_turn = dict.fromkeys(chain.from_iterable(zip_longest(*heads)))
    return [place for place in in_turn if place is not None and place not in gains]


def _trained(stage: Stage, parameters: RerankerParameters, lessons: Lessons, guides: Sequence[str]) -> Metrics:
    try:
        tokenizer = load_pair_tokenizer(parameters.pretrained, parameters.max_length)
        load_classifier(parameters.pretrained, parameters.num_layers, parameters.dropout)
    except (OSError, ValueError) as error:
        raise StageError(f"reranker.pretrained: {parameters.pretrained!r} cannot be used: {error}") from error
    seed = read_seed()
    data = GroupData(lessons["train"], lessons["validation"], guides, partial(encoded, tokenizer), parameters, seed)
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
    only_first_process(trained)
    scale, shift = calibrated(trained.network, data.val_dataloader())
    trained.network.save_pretrained(stage.output)
    save_tokenizer(tokenizer, stage.output)
    write_history(stage.output / "history.csv", trained.history)
    return _metrics(trained, lessons) | {"calibration_scale": scale, "calibration_shift": shift}


def _metrics(trained: Trained, lessons: Lessons) -> dict[str, float]:
    best = trained.history[trained.best_epoch - 1]
    return {
        "parameters": trained.network.count_parameters(),
        "epochs": len(trained.history),
        "best_epoch": trained.best_epoch,
        **{f"{name}_queries": len(lessons[name]) for name in ("train", "validation")},
        **{name: value for name, value in best.items() if name not in ("epoch", "learning_rate")},
    }
