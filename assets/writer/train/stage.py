"""Train the writer on the shards: image, scene graph and context to content."""

from lightning import Callback
from tokenizers import Tokenizer
from torch import Tensor

from assets.writer.train.parameters import WriterParameters
from heddle.content.content import Content
from heddle.content.lexicon import Lexicon
from heddle.content.mistakes import make_corruption
from heddle.content.readability import readability
from heddle.content.rubric import Titles, seo_score
from heddle.core.parameters.shared import Compute, read_seed
from heddle.core.stage import Metrics, Stage
from heddle.images.aspect_ratios import image_ratios
from heddle.pretrained.image_tower import ImageInitialization, SkippedInitializationError, read_initialization
from heddle.training.training import (
    TooFewListingsError,
    exit_other_processes,
    open_splits,
    skip_training,
    split_metrics,
    training_metrics,
    write_trained,
)
from lightning_modules.training.data import ShardData
from lightning_modules.training.phased_data import PhasedData
from lightning_modules.training.phases import TwoPhases
from lightning_modules.training.shards import Row, ShardSplit
from lightning_modules.training.train import train
from lightning_modules.writer.config import WriterConfig
from lightning_modules.writer.content_fields import FIELDS
from lightning_modules.writer.content_tokens import ContentTokens
from lightning_modules.writer.content_writer import TOKENIZER_FILE, make_reader
from lightning_modules.writer.losses import LossParts, WriterModule
from lightning_modules.writer.samples import read_objects, read_relations, truncate_scene
from lightning_modules.writer.sampling import Fields, WriterCollate
from lightning_modules.writer.writer import Writer

REQUIREMENT = "words to write"


def writer(stage: Stage) -> Metrics:
    """Train the network and write the weights of the best epoch, the tokenizer, the lexicon and the history."""
    parameters = stage.parameters(WriterParameters)
    try:
        training, validation = open_splits(stage.input("shards"), "writer", parameters, has_content, REQUIREMENT)
        start = read_initialization(stage, "writer.pretrained", parameters.image, parameters.pretrained)
        return _train(stage, parameters, start, training, validation)
    except (TooFewListingsError, SkippedInitializationError) as error:
        return skip_training(stage, str(error))


def has_content(row: Row) -> bool:
    """Whether a listing has text in any field of content."""
    return any(row.get(field.name) for field in FIELDS)


class ListingFields:
    """Returns a listing's content as fields. Results are cached: parsing takes a tenth of the training time."""

    def __init__(self) -> None:
        self._cache: dict[str, Fields] = {}

    def __call__(self, row: Row) -> Fields:
        if row["id"] not in self._cache:
            self._cache[row["id"]] = Content.from_listing(row).fields()
        return self._cache[row["id"]]


class Quality:
    """Returns the mean of the rubric's and the readability's score of a listing's content, in [0, 1]. Cached.

    Args:
        training: the train split, whose titles the content must not repeat.
    """

    def __init__(self, training: ShardSplit) -> None:
        self.titles = Titles({row["id"]: row["title"] for row in training.rows() if row["title"]})
        self._cache: dict[str, float] = {}

    def __call__(self, row: Row) -> float:
        if row["id"] not in self._cache:
            content = Content.from_listing(row)
            keywords = [row[label] for label in ("item", "material") if row[label]]
            seo = seo_score(content, self.titles, keywords, own=row["id"]).value
            ease = readability(content.prose(), (row["context"] or {}).get("locale"))
            self._cache[row["id"]] = (seo + ease) / 2
        return self._cache[row["id"]]


def _train(
    stage: Stage, parameters: WriterParameters, start: ImageInitialization, training: ShardSplit, validation: ShardSplit
) -> Metrics:
    stage.progress(
        f"{training.kept} of {training.total} train listings have text; {validation.kept} validation listings"
    )
    tokenizer = Tokenizer.from_file(str(stage.input("tokenizer") / TOKENIZER_FILE))
    config, seed = _config(parameters, start, tokenizer), read_seed()
    lexicon = Lexicon.fit(training.rows())
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
    exit_other_processes(trained)
    write_trained(stage.output, trained)
    tokenizer.save(str(stage.output / TOKENIZER_FILE))
    lexicon.write(stage.output)
    metrics = {**training_metrics(trained), **split_metrics(training, validation, "text")}
    return {**metrics, **_count_scenes(config, training)}


def _config(parameters: WriterParameters, start: ImageInitialization, tokenizer: Tokenizer) -> WriterConfig:
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
    training: ShardSplit,
    lexicon: Lexicon,
    seed: int,
) -> WriterCollate:
    return WriterCollate(
        make_reader(config, tokenizer),
        ContentTokens(tokenizer),
        ListingFields(),
        Quality(training),
        make_corruption(lexicon),
        image_ratios(stage.input("catalog")),
        config.resize_mode,
        parameters.sampling,
        parameters.augmentation,
        seed,
    )


def _data(
    stage: Stage,
    parameters: WriterParameters,
    training: ShardSplit,
    validation: ShardSplit,
    collate: WriterCollate,
    seed: int,
) -> tuple[ShardData, list[Callback]]:
    """The data of one phase on all listings, or of two phases with an adaptation to some sources.

    Raises:
        TooFewListingsError: the sources of the adaptation have too few listings.
    """
    adaptation = parameters.adaptation
    if adaptation is None:
        return ShardData(training, validation, collate, seed), []

    def is_in_domain(row: Row) -> bool:
        return has_content(row) and row["source"] in adaptation.sources

    requirement = f"{REQUIREMENT} and come from {', '.join(adaptation.sources)}"
    domain, domain_validation = open_splits(stage.input("shards"), "writer", parameters, is_in_domain, requirement)
    stage.progress(f"phase 2: {domain.kept} train listings come from {', '.join(adaptation.sources)}")
    epochs = parameters.trainer.max_epochs - adaptation.epochs
    phases = TwoPhases(lambda module: [], epochs, adaptation.learning_rate / parameters.learning_rate)
    return PhasedData(training, domain, domain_validation, epochs, collate, seed), [phases]


def _count_scenes(config: WriterConfig, training: ShardSplit) -> Metrics:
    """Numbers of objects and relations of the train listings that the network reads and drops."""
    counts = dict.fromkeys(("objects", "relations", "objects_dropped", "relations_dropped"), 0)
    for row in training.rows():
        scene = truncate_scene(read_objects(row, 1.0, config.resize_mode), read_relations(row), config.max_objects)
        counts["objects"] += len(scene.objects)
        counts["relations"] += len(scene.relations)
        counts["objects_dropped"] += scene.objects_dropped
        counts["relations_dropped"] += scene.relations_dropped
    return {f"train_{name}": count for name, count in counts.items()}
