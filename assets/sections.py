"""Every parameter section that a stage reads, and its class."""

from collections.abc import Mapping

from assets.families import FAMILIES
from assets.gates import Gates
from assets.graph.parameters import GraphParameters
from assets.release.parameters import ReleaseParameters
from assets.report.parameters import ReportParameters
from assets.shards.parameters import ShardsParameters
from assets.tokenizer.parameters import TokenizerParameters
from heddle.core.parameters.section import Section
from heddle.core.parameters.shared import Compute, Split
from heddle.encoders.parameters import IndexParameters
from heddle.evaluation.parameters import BootstrapParameters
from heddle.retrieval.parameters import RetrievalParameters
from heddle.sources.parameters import CatalogParameters, DemoShop
from heddle.validation.parameters import ValidatedParameters

SHARED: Mapping[str, type[Section]] = {
    "bootstrap": BootstrapParameters,
    "compute": Compute,
    "gates": Gates,
    "retrieval": RetrievalParameters,
    "split": Split,
}
STEPS: Mapping[str, type[Section]] = {
    "catalog": CatalogParameters,
    "demo_shop": DemoShop,
    "graph": GraphParameters,
    "index": IndexParameters,
    "release": ReleaseParameters,
    "report": ReportParameters,
    "shards": ShardsParameters,
    "tokenizer": TokenizerParameters,
    "validated": ValidatedParameters,
}
MODELS: Mapping[str, type[Section]] = {
    stage.name: stage.parameters for family in FAMILIES for stage in family.stages if stage.parameters is not None
}
SECTIONS: Mapping[str, type[Section]] = dict(sorted({**SHARED, **STEPS, **MODELS}.items()))
