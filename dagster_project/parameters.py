"""Check every section of the parameters at once, before anything runs on them."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from assets.alignment.train.parameters import AlignmentParameters
from assets.assistant.base.parameters import BaseLanguageParameters
from assets.assistant.evaluate.parameters import AssistantEvaluationParameters
from assets.clip.evaluate.parameters import ClipEvaluationParameters
from assets.clip.train.parameters import ClipParameters
from assets.graph.parameters import GraphParameters
from assets.product.evaluate.parameters import ProductEvaluationParameters
from assets.product.train.parameters import ProductParameters
from assets.recommender.evaluate.parameters import RecommenderEvaluationParameters
from assets.recommender.train.parameters import RecommenderParameters
from assets.release.parameters import ReleaseParameters
from assets.report.parameters import ReportParameters
from assets.reranker.evaluate.parameters import RetrievalEvaluationParameters
from assets.reranker.train.parameters import RerankerParameters
from assets.shards.parameters import ShardsParameters
from assets.tokenizer.parameters import TokenizerParameters
from assets.vision.evaluate.parameters import VisionEvaluationParameters
from assets.vision.train.parameters import VisionParameters
from assets.writer.evaluate.parameters import WriterEvaluationParameters
from assets.writer.train.parameters import WriterParameters
from dagster_project.schedules import Schedules
from heddle.conversations.parameters import AssistantParameters
from heddle.core.parameters.section import PARAMS_FILE, ParameterError, Section, load, read_yaml, scale_file
from heddle.core.parameters.shared import Compute, Split, read_seed
from heddle.encoders.parameters import IndexParameters
from heddle.evaluation.gate_parameters import Gates
from heddle.evaluation.parameters import BootstrapParameters
from heddle.monitoring.parameters import DriftParameters
from heddle.publishing.parameters import PublishedContentParameters
from heddle.retrieval.parameters import RetrievalParameters
from heddle.sources.parameters import CatalogParameters, DemoShop
from heddle.stores.parameters import PublishedIndexParameters
from heddle.validation.parameters import ValidatedParameters

SECTIONS: Mapping[str, type[Section]] = {
    "alignment": AlignmentParameters,
    "assistant": AssistantParameters,
    "assistant_evaluation": AssistantEvaluationParameters,
    "base_language": BaseLanguageParameters,
    "bootstrap": BootstrapParameters,
    "catalog": CatalogParameters,
    "clip": ClipParameters,
    "clip_evaluation": ClipEvaluationParameters,
    "compute": Compute,
    "demo_shop": DemoShop,
    "drift": DriftParameters,
    "gates": Gates,
    "graph": GraphParameters,
    "index": IndexParameters,
    "product": ProductParameters,
    "product_evaluation": ProductEvaluationParameters,
    "published_content": PublishedContentParameters,
    "published_index": PublishedIndexParameters,
    "recommender": RecommenderParameters,
    "recommender_evaluation": RecommenderEvaluationParameters,
    "release": ReleaseParameters,
    "report": ReportParameters,
    "reranker": RerankerParameters,
    "retrieval": RetrievalParameters,
    "retrieval_evaluation": RetrievalEvaluationParameters,
    "schedules": Schedules,
    "shards": ShardsParameters,
    "split": Split,
    "tokenizer": TokenizerParameters,
    "validated": ValidatedParameters,
    "vision": VisionParameters,
    "vision_evaluation": VisionEvaluationParameters,
    "writer": WriterParameters,
    "writer_evaluation": WriterEvaluationParameters,
}
"""Section name -> its type. A section that no stage of the graph reads may be left out of the files."""

VALUES = ("scale", "seed")
ALWAYS = ("gates", "published_index", "schedules")  # what the orchestrator itself reads


def check_parameters(root: Path, declared: Iterable[str]) -> None:
    """Check each section that stands in the files or that a stage declares.

    Args:
        root: the project's root.
        declared: the sections that the stages of ``dvc.yaml`` read.

    Raises:
        ParameterError: one line for each mistake in any section: file, key, what was found, what is allowed.
    """
    declared = {*declared, *ALWAYS} - set(VALUES)
    mistakes = []
    written = set()
    for file in (root / PARAMS_FILE, scale_file(root)):
        for name in read_yaml(file):
            written.add(name)
            if name not in declared and name not in SECTIONS and name not in VALUES:
                allowed = ", ".join(sorted({*declared, *SECTIONS, *VALUES}))
                mistakes.append(f"{file}: {name}: unknown section; allowed: {allowed}")
    for name in sorted((written | declared) & SECTIONS.keys()):
        try:
            load(name, SECTIONS[name], root)
        except ParameterError as error:
            mistakes.append(str(error))
    try:
        read_seed(root)
    except ParameterError as error:
        mistakes.append(str(error))
    if mistakes:
        raise ParameterError("\n".join(mistakes))
