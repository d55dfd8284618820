"""Check every section of the parameters at once, before anything runs on them."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from assets.parameters.alignment import AlignmentParameters
from assets.parameters.alignment_evaluation import AlignmentEvaluationParameters
from assets.parameters.assistant import AssistantParameters
from assets.parameters.assistant_evaluation import AssistantEvaluationParameters
from assets.parameters.base_language import BaseLanguageParameters
from assets.parameters.catalog import CatalogParameters, DemoShop
from assets.parameters.clip import ClipParameters
from assets.parameters.clip_evaluation import ClipEvaluationParameters
from assets.parameters.drift import DriftParameters
from assets.parameters.gates import Gates
from assets.parameters.graph import GraphParameters
from assets.parameters.index import IndexParameters
from assets.parameters.product import ProductParameters
from assets.parameters.product_evaluation import ProductEvaluationParameters
from assets.parameters.published_content import PublishedContentParameters
from assets.parameters.published_index import PublishedIndexParameters
from assets.parameters.recommender import RecommenderParameters
from assets.parameters.recommender_evaluation import RecommenderEvaluationParameters
from assets.parameters.release import ReleaseParameters
from assets.parameters.report import ReportParameters
from assets.parameters.reranker import RerankerParameters
from assets.parameters.retrieval import RetrievalParameters
from assets.parameters.retrieval_evaluation import RetrievalEvaluationParameters
from assets.parameters.schedules import Schedules
from assets.parameters.section import PARAMS_FILE, ParameterError, Section, load, read_yaml, scale_file
from assets.parameters.shards import ShardsParameters
from assets.parameters.shared import Compute, Split, read_seed
from assets.parameters.tokenizer import TokenizerParameters
from assets.parameters.validated import ValidatedParameters
from assets.parameters.vision import VisionParameters
from assets.parameters.vision_evaluation import VisionEvaluationParameters
from assets.parameters.writer import WriterParameters
from assets.parameters.writer_evaluation import WriterEvaluationParameters

SECTIONS: Mapping[str, type[Section]] = {
    "alignment": AlignmentParameters,
    "alignment_evaluation": AlignmentEvaluationParameters,
    "assistant": AssistantParameters,
    "assistant_evaluation": AssistantEvaluationParameters,
    "base_language": BaseLanguageParameters,
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
