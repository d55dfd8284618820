"""The stage ``report``: write one self-contained HTML page from the outputs of all other stages."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from assets.families import FAMILIES
from assets.gates import Gates
from assets.report.charts.svg import readable
from assets.report.collection import images, splits
from assets.report.intake import intake
from assets.report.lineage import GraphStage, draw, read_graph
from assets.report.parameters import ReportParameters
from assets.report.positions import positions
from assets.report.report_data import ReportData, read_report_data
from assets.report.reproduce import reproduce
from assets.report.summary import summary
from assets.report.training import training
from heddle.core.stage import Metrics, Stage
from heddle.evaluation.gates import evaluate_gates
from heddle.families.family import Family

ASSETS = Path(__file__).parents[1]
TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class PageSection:
    """A section of the page.

    Attributes:
        name: its anchor.
        heading: as shown.
        template: below ``assets/`` or ``assets/report/templates/``.
        content: what the template shows as ``section``.
    """

    name: str
    heading: str
    template: str
    content: Any


def report(stage: Stage) -> Metrics:
    """Write index.html from everything that the pipeline has made."""
    parameters = stage.parameters(ReportParameters)
    stage.progress("reading")
    data = read_report_data(stage)
    verdicts = evaluate_gates(stage.parameters(Gates, "gates"), data.metrics, data.skipped)
    stage.progress("drawing")
    html = render(summary(data, verdicts), sections(data, parameters, read_graph(Path("dvc.yaml"))))
    (stage.output / "index.html").write_text(html)
    passed = sum(verdict.passed for verdict in verdicts)
    return {"bytes": len(html.encode()), "gates_passed": passed, "gates_failed": len(verdicts) - passed}


def sections(data: ReportData, parameters: ReportParameters, graph: Sequence[GraphStage]) -> list[PageSection]:
    """The sections in the order of the page: the data, the families, how to reproduce it all.

    Args:
        data: the outputs of all stages.
        parameters: how much to show.
        graph: the stages of ``dvc.yaml``.
    """
    return [
        PageSection("intake", "Ingest", "intake.html.j2", intake(data, parameters.examples)),
        PageSection("images", "Images", "images.html.j2", images(data, parameters.images)),
        PageSection("splits", "Splits and labels", "splits.html.j2", splits(data, parameters.label_values)),
        PageSection("training", "Training", "training.html.j2", training(data)),
        *(_family_section(family, data, parameters) for family in FAMILIES),
        PageSection("lineage", "Lineage", "lineage.html.j2", {"drawing": draw(graph), "stages": graph}),
        PageSection("reproduce", "Parameters and metrics", "reproduce.html.j2", reproduce(data)),
        PageSection("positions", "Position encodings", "positions.html.j2", positions()),
    ]


def _family_section(family: Family, data: ReportData, parameters: ReportParameters) -> PageSection:
    module, _, function = family.section.builder.partition(":")
    build: Callable[[ReportData, Family, ReportParameters], Any] = getattr(import_module(module), function)
    content = build(data, family, parameters)
    return PageSection(family.name, family.section.heading, family.section.template, content)


def render(summary_content: Any, page_sections: Sequence[PageSection]) -> str:
    """The page. Every value is escaped unless it is Markup, which only the page's own drawings are."""
    environment = Environment(
        loader=FileSystemLoader([TEMPLATES, ASSETS]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = readable
    environment.filters["percent"] = lambda share: f"{share * 100:g} %"
    style = Markup((TEMPLATES / "style.css").read_text())  # noqa: S704 - the project's own file
    page = environment.get_template("page.html.j2")
    return page.render(summary=summary_content, sections=page_sections, style=style) + "\n"
