"""Train the writer on the shards: an image, what stands in it and what is wished for, to content."""

from lightning import Callback
from tokenizers import Tokenizer
from torch import Tensor

from assets.writer.train.parameters import WriterParameters
from heddle.content.content import Content
from heddle.content.lexicon import Lexicon
from heddle.content.mistakes import corruption_of
from heddle.content.readability import readability
from heddle.content.rubric import Titles, seo_score
from heddle.core.parameters.shared import Compute, read_seed
from heddle.core.stage import Metrics, Stage
from heddle.images.aspect_ratios import image_ratios
from heddle.pretrained.image_tower import ImageStart, NoStartError, image_start
from heddle.training.training import (
    TooFewError,
    not_trained,
    only_first_process,
    training_metrics,
    training_splits,
    write_trained,
)
from lightning_modules.training.data import Row, ShardData, Split
from lightning_modules.training.phased_data import PhasedData
from lightning_modules.training.phases import TwoPhases
from lightning_modules.training.train import train
from lightning_modules.writer.config import WriterConfig
from lightning_modules.writer.content_fields import FIELDS
from lightning_modules.writer.content_tokens import ContentTokens
from lightning_modules.writer.content_writer import TOKENIZER_FILE, reader_of
from lightning_modules.writer.losses import LossParts, WriterModule
from lightning_modules.writer.samples import objects_of, relations_of, sighted
from lightning_modules.writer.sampling import Fields, WriterCollate
from lightning_modules.writer.writer import Writer

NEEDED = "words to write"


def writer(stage: Stage) -> Metrics:
    """Train, and write the best epoch's network, the tokenizer, the lexicon and the history."""
    parameters = stage.parameters(WriterParameters)
    try:
        training, validation = training_splits(stage.input("shards"), "writer", parameters, has_content, NEEDED)
        start = image_start(stage, "writer.pretrained", parameters.image, parameters.pretrained)
        return _train(stage, parameters, start, training, validation)
    except (TooFewError, NoStartError) as error:
        return not_trained(stage, str(error))


def has_content(row: Row) -> bool:
    """Whether a listing says anything."""
    return any(row.get(field.name) for field in FIELDS)


class ListingFields:
    """A listing's content as fields; its markup is read once, since that takes as long as a tenth of the training."""

    def __init__(self) -> None:
        self.known: dict[str, Fields] = {}

    def __call__(self, row: Row) -> Fields:
        if row["id"] not in self.known:
            self.known[row["id"]] = Content.from_listing(row).fields()
        return self.known[row["id"]]


class Quality:
    """A listing's content -> the mean of the rubric's and the readability's score, in [0, 1]; each is computed once.

    Args:
        training: whose titles the content competes with.
    """

    def __init__(self, training: Split) -> None:
        self.titles = Titles({row["id"]: row["title"] for row in training.rows() if row["title"]})
        self.known: dict[str, float] = {}

    def __call__(self, row: Row) -> float:
        if row["id"] not in self.known:
            content = Content.from_listing(row)
            keywords = [row[label] for label in ("item", "material") if row[label]]
            found = seo_score(content, self.titles, keywords, own=row["id"]).value
            ease = readability(content.prose(), (row["context"] or {}).get("locale"))
            self.known[row["id"]] = (found + ease) / 2
        return self.known[row["id"]]


def _train(
    stage: Stage, parameters: WriterParameters, start: ImageStart, training: Split, validation: Split
) -> Metrics:
    stage.progress(f"{training.kept} of {training.total} train listings have words, {validation.kept} validate")
    tokenizer = Tokenizer.from_file(str(stage.input("tokenizer") / TOKENIZER_FILE))
    config, seed = _config(parameters, start, tokenizer), read_seed()
    lexicon = Lexicon.learn(training.rows())
    collate = _collate(stage, parameters, config, tokenizer, training, lexicon, seed)
    data, callbacks = _data(stage, parameters, training, validation, collate, seed)
    trained = train(
        lambda: WriterModule(_network(config, start.weights), parameters, parameters.losses),
        data,
        parameters.trainer,
        seed=seed,
        threads=stage.parameters(Compute, "compute").threads,
        progress=stage.progress,
        callbacks=[LossParts(), *callbacks],
    )
    only_first_process(trained)
    write_trained(stage.output, trained)
    tokenizer.save(str(stage.output / TOKENIZER_FILE))
    lexicon.write(stage.output)
    return {**training_metrics(trained, training, validation, "words"), **_read(config, training)}


def _config(parameters: WriterParameters, start: ImageStart, tokenizer: Tokenizer) -> WriterConfig:
    tokens = ContentTokens(tokenizer)
    return WriterConfig(
        **vars(parameters.network),
        image=start.tower,
        image_size=start.size,
        resize_mode=start.fit,
        image_mean=start.mean,
        image_std=start.std,
        vocab_size=tokens.size,
        pad_token=tokens.pad,
    )


def _network(config: WriterConfig, weights: dict[str, Tensor] | None) -> Writer:
    network = Writer(config)
    if weights is not None:
        network.image.load_state_dict(weights)
    return network


def _collate(
    stage: Stage,
    parameters: WriterParameters,
    config: WriterConfig,
    tokenizer: Tokenizer,
    training: Split,
    lexicon: Lexicon,
    seed: int,
) -> WriterCollate:
    return WriterCollate(
        reader_of(config, tokenizer),
        ContentTokens(tokenizer),
        ListingFields(),
        Quality(training),
        corruption_of(lexicon),
        image_ratios(stage.input("catalog")),
        config.resize_mode,
        parameters.sampling,
        parameters.augmentation,
        seed,
    )


def _data(
    stage: Stage, parameters: WriterParameters, training: Split, validation: Split, collate: WriterCollate, seed: int
) -> tuple[ShardData, list[Callback]]:
    """One phase on all listings or, with an adaptation, a second one on the domain's own at a rate of its own.

    Raises:
        TooFewError: the sources of the domain have too few listings.
    """
    adaptation = parameters.adaptation
    if adaptation is None:
        return ShardData(training, validation, collate, seed), []

    def own(row: Row) -> bool:
        return has_content(row) and row["source"] in adaptation.sources

    needed = f"{NEEDED} and come from {', '.join(adaptation.sources)}"
    domain, domain_validation = training_splits(stage.input("shards"), "writer", parameters, own, needed)
    stage.progress(f"phase 2: {domain.kept} train listings come from {', '.join(adaptation.sources)}")
    epochs = parameters.trainer.max_epochs - adaptation.epochs
    phases = TwoPhases(lambda module: [], epochs, adaptation.learning_rate / parameters.learning_rate)
    return PhasedData(training, domain, domain_validation, epochs, collate, seed), [phases]


def _read(config: WriterConfig, training: Split) -> Metrics:
    """How many objects and relations of the train listings are read, and how many left out."""
    counts = dict.fromkeys(("objects", "relations", "objects_left_out", "relations_left_out"), 0)
    for row in training.rows():
        told = sighted(objects_of(row, 1.0, config.resize_mode), relations_of(row), config.max_objects)
        counts["objects"] += len(told.objects)
        counts["relations"] += len(told.relations)
        counts["objects_left_out"] += told.objects_left_out
        counts["relations_left_out"] += told.relations_left_out
    return {f"train_{name}": count for name, count in counts.items()}
